@testable import DeadLetters
import Commands
import Cutover
import Foundation
import JSONText
import LogGuard
import Recipe
import ReferenceTransform
@testable import SearchCluster
import State
import Transform

/// What is fuzzed. Each takes any bytes. A trap, an unsafe access, a hang or a broken promise ends the process.
enum FuzzTargets {
    static let all: [(name: String, run: @Sendable (Bytes) -> Void)] = [
        ("records", records), ("transform", transform), ("bulk", bulk), ("page", page), ("mget", multiGet),
        ("recipe", recipe), ("state", state), ("note", note), ("letter", letter),
    ]

    nonisolated(unsafe) private static let guarded = GuardedBytes(room: 1 << 20)
    nonisolated(unsafe) private static let more = GuardedBytes(room: 1 << 20)

    static func promise(_ holds: Bool, _ what: @autoclosure () -> String) {
        guard !holds else { return }
        FileHandle.standardError.write(Data("BROKEN PROMISE: \(what())\n".utf8))
        abort()
    }

    // MARK: Records

    private static func format(_ commands: String) -> Recipe {
        let text = """
            name: fuzz
            commands:
              bootstrap: 127.0.0.1:1
              topic: t
            \(commands)
            target: { url: "http://127.0.0.1:1" }
            indices:
              - to: new
                mapping: { dynamic: false }
                transform: [{ keyToValue: tags }, { rename: { from: a, to: b } }, { lowercase: org }]
            """
        do {
            return try RecipeLoader.load(text: Array(text.utf8), path: "/nonexistent/fuzz.yaml", environment: [:])
        } catch {
            fatalError("the recipe of the fuzzer is wrong: \(error)")
        }
    }

    nonisolated(unsafe) private static let formats: [(decoder: CommandDecoder, transformer: Transformer)] = [
        """
          format: envelope
          version: offset
          envelope:
            id: id
            operation: command
            index: [InsertMessageCommand]
            merge: [UpdateMessageCommand]
            delete: [DeleteMessageCommand]
            document: message
        """,
        """
          format: envelope
          version: { field: rev }
          envelope:
            id: id
            operation: command
            index: [InsertMessageCommand]
            delete: [DeleteMessageCommand]
            document: message
            routing: org
        """,
        "  format: document\n  version: offset\n  document: { id: \"{key}\" }",
        "  format: debezium\n  version: offset\n  debezium: { key: json }",
    ].map { text in
        let recipe = format(text)
        return (CommandDecoder(recipe.commands.format), Transformer(recipe.indices[0].transform))
    }

    @Sendable private static func records(_ input: Bytes) {
        var dice = Dice(input)
        let (decoder, transformer) = dice.pick(formats)
        let isRaw = dice.byte() & 3 == 0
        let offset = dice.pick([7, 8, Int64.max, Int64.min, -1])
        let key: [UInt8] = dice.pick([Array("k".utf8), [], Array(#"{"id":"7"}"#.utf8), [0xFF, 0]])
        let value: [UInt8]
        if isRaw {
            value = dice.rest()
        } else {
            var command: JSONObject = [
                "id": dice.pick(["7", 7, "a b", nil]),
                "command": dice.pick(["InsertMessageCommand", "UpdateMessageCommand", "DeleteMessageCommand", "x"]),
                "message": .object(dice.object(4)), "rev": dice.pick([1, .number("9223372036854775807"), "x"]),
            ]
            for (name, value) in dice.object(3) { command[name] = value }
            value = dice.text(.object(command))
        }
        let out = ByteBuffer()
        guarded.with(value) { value in
            more.with(key) { key in
                let decoded = decoder.decode(
                    Record(key: key, value: value, timestamp: 1, partition: 0, offset: offset, headers: nil))
                guard case .operation(let operation) = decoded, operation.kind != .delete else { return }
                if (try? transformer.apply(operation.document, into: out)) == nil {
                    promise(out.count == 0, "an error has left bytes behind")
                } else {
                    promise((try? JSONScanner.validate(out.bytes)) != nil, "what was written is not JSON")
                    promise(!out.bytes.contains(10), "what was written is not one line")
                }
            }
        }
    }

    // MARK: Transform

    nonisolated(unsafe) private static let recipes: [(steps: [TransformStep], transformer: Transformer)] = [
        [.keyToValue(KeyToValue(field: JSONPath(names: ["tags"]), null: .keep, empty: .keep, lowercase: false))],
        [.keyToValue(KeyToValue(field: JSONPath(names: ["a", "t"]), null: .drop, empty: .drop, lowercase: true))],
        [.rename(from: JSONPath(names: ["a"]), to: JSONPath(names: ["b", "t"])), .remove([JSONPath(names: ["org"])])],
        [.copy(from: JSONPath(names: ["message"]), to: JSONPath(names: ["a"])), .keep([JSONPath(names: ["a"])])],
        [.set(field: JSONPath(names: ["a", "b"]), json: #"{"b":"X"}"#, ifMissing: true)],
        [.change(JSONPath(names: ["a"]), .cast(to: .number)), .change(JSONPath(names: ["b"]), .lowercase)],
        [
            .change(JSONPath(names: ["a"]), .split(separator: ",")),
            .change(JSONPath(names: ["t"]), .join(separator: ",")),
        ],
        [
            .change(JSONPath(names: ["rev"]), .cast(to: .boolean)),
            .change(JSONPath(names: ["a"]), .cast(to: .string)),
        ],
        [.change(JSONPath(names: ["a"]), .cast(to: .dateISO)), .change(JSONPath(names: ["b"]), .cast(to: .dateEpoch))],
    ].map { ($0, Transformer($0)) }

    /// The same as the plain one over trees; and whatever the bytes are, an error or one line of JSON.
    @Sendable private static func transform(_ input: Bytes) {
        var dice = Dice(input)
        let (steps, transformer) = dice.pick(recipes)
        let out = ByteBuffer()
        guard dice.byte() & 3 != 0 else {
            let (text, base) = (dice.rest(), Array(#"{"a":{"t":{"k":1}},"tags":{"x":"y"}}"#.utf8))
            guarded.with(text) { text in
                if (try? transformer.apply(text, into: out)) != nil {
                    promise((try? JSONScanner.validate(out.bytes)) != nil, "what was written is not JSON")
                }
                out.removeAll()
                more.with(base) { base in
                    let isMerged = (try? transformer.merge(base: base, partial: text, mode: .deep, into: out)) != nil
                    guard isMerged else { return }
                    promise((try? JSONScanner.validate(out.bytes)) != nil, "what was merged is not JSON")
                }
            }
            return
        }
        let document = JSONValue.object(dice.object(5))
        let text = Array(document.text(pretty: dice.byte() & 7 == 0).utf8)
        let expected = Result { try Reference.apply(steps, document) }
        let actual = guarded.with(text) { text in
            Result { () throws -> JSONValue in
                try transformer.apply(text, into: out)
                return try JSONValue(parsing: out.bytes)
            }
        }
        switch (expected, actual) {
        case (.success(let one), .success(let other)): promise(one == other, "\(steps) of \(document): \(other)")
        case (.failure(let one as Reference.Failure), .failure(let other as TransformError)):
            promise(one.reason == other.reason, "\(steps) of \(document): \(other.reason), not \(one.reason)")
        default: promise(false, "\(steps) of \(document): \(actual), not \(expected)")
        }
    }

    // MARK: Answers

    @Sendable private static func bulk(_ input: Bytes) {
        guarded.with(Array(input)) { bytes in
            for expected in [0, 1, 3] {
                var places: [Int] = []
                let isRead =
                    (try? BulkResponse.scan(bytes, expected: expected, sent: nil) { place, _ in places.append(place) })
                    != nil
                guard isRead else {
                    promise(places.isEmpty, "items of a broken answer were given")
                    continue
                }
                promise(places == Array(0..<expected), "other items than were sent")
            }
        }
    }

    @Sendable private static func page(_ input: Bytes) {
        guarded.with(Array(input)) { bytes in
            for needsSources in [true, false] {
                guard let page = try? PageScan(bytes, expectedHits: 10, needsSources: needsSources) else { continue }
                promise(page.hits.count <= 10, "more hits than were asked for")
                for hit in page.hits {
                    promise(max(hit.id.upperBound, hit.source.upperBound) <= bytes.count, "outside the answer")
                    guard needsSources, !hit.source.isEmpty else { continue }
                    _ = bytes[hit.source.lowerBound]
                }
            }
        }
    }

    @Sendable private static func multiGet(_ input: Bytes) {
        guarded.with(Array(input)) { bytes in
            for expected in [1, 2] {
                guard let found = try? MultiGetAnswer.scan(bytes, expected: expected) else { continue }
                promise(found.count <= expected, "more documents than were asked for")
                for document in found {
                    promise((document.source?.upperBound ?? 0) <= bytes.count, "outside the answer")
                }
            }
        }
    }

    // MARK: Texts that people and other processes write

    @Sendable private static func recipe(_ input: Bytes) {
        let text = Array(input)
        // A recipe may name files: those of this machine are not read.
        guard !text.contains(UInt8(ascii: "/")) else { return }
        _ = try? RecipeLoader.load(text: text, path: "/nonexistent/fuzz.yaml", environment: ["A": "1"])
    }

    @Sendable private static func state(_ input: Bytes) {
        guard let json = try? JSONValue(parsing: input),
            let state = try? MigrationState.stored(json, document: "migration", index: ".crossfade-fuzz")
        else { return }
        let again = try? MigrationState.stored(state.json, document: "migration", index: ".crossfade-fuzz")
        promise(again?.json == state.json, "a state that was stored again is another one")
    }

    @Sendable private static func note(_ input: Bytes) {
        let text = String(decoding: input, as: UTF8.self)
        _ = CommitNote(text: text)
        _ = RecordFingerprint(text: text)
    }

    @Sendable private static func letter(_ input: Bytes) {
        var headers: [String: String] = [:]
        for line in input.split(separator: 10) {
            let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1)
                .map { String(decoding: $0, as: UTF8.self) }
            if parts.count == 2 { headers[parts[0]] = parts[1] }
        }
        guard let origin = DeadLetter.Origin(key: Array("k".utf8), header: { headers[$0] }) else { return }
        let told = Dictionary(
            origin.headers.map { ($0.0, String(decoding: $0.1 ?? [], as: UTF8.self)) }
        ) { one, _ in one }
        let again = DeadLetter.Origin(key: Array("k".utf8), header: { told[$0] ?? headers[$0] })
        promise(again == origin, "an origin that was written again is another one")
    }
}
