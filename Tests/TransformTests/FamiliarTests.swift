import Commands
import Glibc
import JSONText
import ReferenceTransform
import Seeds
import Testing

@testable import Transform

/// The short ways: keys that are remembered, members that are as nearly all are, bytes behind the text.
@Suite struct FamiliarTests {
    static let steps: [TransformStep] = [.keyToValue(KeyToValue(field: path("tags"), null: .keep))]

    /// A decoder with its transformer, as a worker has them.
    private final class Road {
        let transformer = Transformer(FamiliarTests.steps)
        let decoder: CommandDecoder

        init() {
            decoder = CommandDecoder(
                CommandFormat(
                    shape: .envelope(
                        .init(
                            id: .field(path("id")), operation: path("command"), index: ["Put"], merge: [], delete: [],
                            ignore: [], document: path("message"))), routing: nil, version: .offset, epoch: 0,
                    selectors: [nil]), scanner: transformer)
        }

        func outcome(_ text: Bytes) -> String {
            switch decoder.decode(Record(key: nil, value: text, partition: 0, offset: 7)) {
            case .skip: return "skip"
            case .reject(let reject): return "\(reject.reason): \(reject.detail)"
            case .operation(let operation):
                let out = ByteBuffer(capacity: 16)
                do throws(TransformError) {
                    try transformer.apply(operation.document, into: out)
                } catch {
                    return error.reason
                }
                return "\(String(repairing: operation.id)) \(String(repairing: out.bytes))"
            }
        }
    }

    /// A page with another behind it that may not be read.
    private final class Page {
        static let size = 4096
        let base: UnsafeMutableRawPointer

        init() {
            base = mmap(nil, 2 * Self.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            mprotect(base + Self.size, Self.size, PROT_NONE)
        }

        deinit { munmap(base, 2 * Self.size) }

        /// The text so that its last byte is the page's last.
        func text(_ bytes: [UInt8]) -> Bytes {
            let start = (base + Self.size - bytes.count).assumingMemoryBound(to: UInt8.self)
            start.update(from: bytes, count: bytes.count)
            return Bytes(start: start, count: bytes.count)
        }

        /// The text far from the page's end, with `behind` after it.
        func text(_ bytes: [UInt8], before behind: [UInt8]) -> Bytes {
            let start = base.assumingMemoryBound(to: UInt8.self)
            start.update(from: bytes, count: bytes.count)
            (start + bytes.count).update(from: behind, count: behind.count)
            return Bytes(start: start, count: bytes.count)
        }
    }

    /// The same text comes out the same whatever was read before it, wherever it lies and whatever lies behind it, and
    /// it is refused where the plain scanner refuses it.
    @Test func nothingButTheTextCounts() throws {
        let seed = newSeed("FamiliarTests")
        var writer = Writer(random: Seeded(seed))
        let page = Page()
        let road = Road()
        var good = 0
        for _ in 0..<20_000 {
            let bytes = writer.record()
            guard bytes.count < 3500 else { continue }
            let expected = Road().outcome(page.text(bytes))
            let behind = writer.lure()
            #expect(
                road.outcome(page.text(bytes)) == expected, "seed \(seed) \(String(decoding: bytes, as: UTF8.self))")
            #expect(
                road.outcome(page.text(bytes, before: behind)) == expected,
                "seed \(seed) \(String(decoding: bytes, as: UTF8.self)) \(String(decoding: behind, as: UTF8.self))")
            try judge(bytes, expected, seed)
            if expected.hasPrefix("id") { good += 1 }
        }
        #expect(good > 5000)
    }

    /// A text that ends with its memory: under the address sanitizer (`scripts/check --sanitize`) any read beyond it
    /// ends the test. The short ways once read up to 48 bytes more where these lay on the page of the last byte, which
    /// no page that may not be read can show.
    @Test func nothingIsReadBeyondTheText() {
        let seed = newSeed("nothingIsReadBeyondTheText")
        var writer = Writer(random: Seeded(seed))
        let road = Road()
        for _ in 0..<2000 {
            let bytes = writer.record()
            // Every end within the last member, whatever it is.
            for cut in 0..<min(bytes.count, 8) {
                let text = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count - cut)
                defer { text.deallocate() }
                text.initialize(from: bytes, count: bytes.count - cut)
                let outcome = road.outcome(Bytes(start: text, count: bytes.count - cut))
                #expect(outcome == Road().outcome(Bytes(start: text, count: bytes.count - cut)), "seed \(seed)")
            }
        }
    }

    /// Whether the text is valid, where it is not, and what comes out, by others' code.
    private func judge(_ bytes: [UInt8], _ outcome: String, _ seed: UInt64) throws {
        let comment = Comment(rawValue: "seed \(seed) \(String(decoding: bytes, as: UTF8.self)) became \(outcome)")
        let problem: JSONError? = bytes.withUnsafeBufferPointer { text in
            do throws(JSONError) { try JSONScanner.validate(text) } catch { return error }
            return nil
        }
        if let problem {
            // A first byte of 0 is taken for that of a schema id (Confluent's prefix).
            if bytes.first == 0, outcome.hasPrefix("schema_not_json: ") { return }
            #expect(outcome.hasSuffix("is not JSON: \(problem)"), comment)
            return
        }
        // What is no text the others' code would repair.
        guard bytes.withUnsafeBufferPointer({ JSONString.isValidUTF8($0) }),
            let record = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self)),
            let id = record.object?["id"]?.string, record.object?["command"]?.string == "Put",
            let document = record.object?["message"], document.object != nil,
            let expected = try? Reference.apply(Self.steps, document)
        else { return }
        #expect(outcome.hasPrefix("\(id) "), comment)
        #expect(try JSONValue(parsing: String(outcome.dropFirst(id.count + 1))) == expected, comment)
    }

    /// A key that is always there now, and one that has gone, are learned.
    @Test func newKeysAreLearned() {
        let keys = KeyMemory()
        defer { keys.deallocate() }
        func found(_ names: [String]) -> Int {
            let text =
                "{" + names.map { "\"\($0)\":\"some value\"" }.joined(separator: ",") + ",\"the\":\"end of all\"}"
            var hits = 0
            withBytes(text) { bytes in
                var at = 1
                var place = 0
                for name in names {
                    if keys.isNext(place, bytes.baseAddress!, at, bytes.count) {
                        hits += 1
                        place += 1
                    } else {
                        place = keys.found(
                            bytes.baseAddress!, at, at + 1 + name.utf8.count, bytes.count, number: 1, at: place)
                    }
                    at += name.utf8.count + 16
                }
            }
            return hits
        }
        #expect(found(["a", "b", "c", "d"]) == 0)
        #expect(found(["a", "b", "c", "d"]) == 4)
        // One that is left out costs itself only, and so does one more.
        #expect(found(["a", "c", "d"]) == 2)
        #expect(found(["a", "x", "b", "c", "d"]) == 4)
        for _ in 0..<20 { _ = found(["a", "x", "b", "c", "d"]) }
        #expect(found(["a", "x", "b", "c", "d"]) == 5)
        for _ in 0..<20 { _ = found(["x", "b", "d"]) }
        #expect(found(["x", "b", "d"]) == 3)
        // A key of more than thirteen bytes is none to be remembered, and does not stand in others' way.
        #expect(found(["x", "a-very-long-name", "b", "d"]) == 3)
        for round in 0..<200 { _ = found((0..<70).map { "k\($0)-\(round % 7)" }) }
        for _ in 0..<200 { _ = found(["x", "b", "d"]) }
        #expect(found(["x", "b", "d"]) == 3)
    }
}

/// Texts of records: nearly always the same keys in the same order, values of all kinds and lengths, and now and then
/// what is not plain or not JSON.
private struct Writer {
    var random: Seeded
    let names = [
        "id", "service", "a-long-name-of-16", "state", "s", "thirteen-char", "fourteen-chars", "état", "tagsx", "rev",
    ]

    mutating func record() -> [UInt8] {
        var members = [("command", "\"Put\""), ("id", "\"id-\(random.below(100))\""), ("message", message())]
        if random.chance(5) { members.swapAt(random.below(3), random.below(3)) }
        if random.chance(5) { members.append(random.pick(members)) }
        if random.chance(5) { members.insert(("extra", value()), at: random.below(3)) }
        var bytes = Array(object(members).utf8)
        guard random.chance(30) else { return bytes }
        for _ in 0..<random.pick([1, 1, 2]) {
            bytes[random.below(bytes.count)] =
                random.chance(30)
                ? UInt8.random(in: 0...255, using: &random) : random.pick(Array("{}[]\",:\\ntf0-.e ".utf8))
        }
        if random.chance(30) { bytes.removeLast(random.below(bytes.count)) }
        return bytes
    }

    private mutating func message() -> String {
        var members: [(String, String)] = []
        for name in names where random.chance(95) { members.append((name, value())) }
        if random.chance(10) {
            members.insert((random.pick(names + ["n\\u0065w", "new"]), value()), at: random.below(members.count))
        }
        let tags = (0..<random.below(9)).map { _ in
            (
                random.pick([
                    "k\(random.below(99))", "a:b", "long-key-\(random.below(9))", "", "ü", "q\\\"q", "thirteen-char",
                ]), value()
            )
        }
        if random.chance(95) { members.insert(("tags", object(tags)), at: random.below(members.count + 1)) }
        return object(members)
    }

    private mutating func object(_ members: [(String, String)]) -> String {
        let (colon, comma) =
            random.chance(90) ? (":", ",") : random.pick([(": ", ", "), (" :\n", "\t,"), (":", ",\n")])
        return "{" + members.map { "\"\($0.0)\"\(colon)\($0.1)" }.joined(separator: comma) + "}"
    }

    private mutating func value() -> String {
        switch random.below(20) {
        case 0..<9: return "\"" + String(repeating: "abcdefg ", count: 6).prefix(random.below(45)) + "\""
        case 9..<13: return String(random.next() >> random.next() % 64)
        case 13: return random.pick(["true", "false", "null"])
        case 14:
            return random.pick([
                "0", "01", "-0", "-12", "1.5", "1e400", "12345678", "1234567890123456", "12345678901234567",
            ])
        case 15: return random.pick(["tru", "truex", "falsy", "nul", "1.", "0x", "+1", "00000000", "1a"])
        case 16:
            return random.pick([
                "\"\\n\"", "\"é\"", "\"a\u{1F600}b\"", "\"\\ud800\"", "\"tab\there\"", "\"sixteen---bytes-\\\"\"",
            ])
        case 17: return random.pick(["{}", "[]", "[1,{\"a\":2}]", "{\"a\":{\"b\":[]}}"])
        default: return "\"x\""
        }
    }

    /// What would go on with a record that ends too early.
    mutating func lure() -> [UInt8] {
        let text = random.pick([
            "\"}}}", ":1,\"k\":2}}", "\":\"value\",\"k1\":\"v\"}}", "123,\"a\":1}", "rue,\"a\":1}}",
            ",\"state\":\"open\"}}}",
        ])
        return Array((text + String(repeating: " ", count: 80)).utf8)
    }
}
