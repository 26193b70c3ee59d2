import Commands
import JSONText
import Seeds
import Testing

/// A copied document and its commands, in every order and as often as one likes, end with the greatest version.
@Suite struct CopyOrderTests {
    /// The target: it keeps the greatest version, and writes a tombstone over itself.
    private struct Target {
        var version: Int64 = -1
        var content = "nothing"

        mutating func write(_ version: Int64, _ content: String, isTombstone: Bool) {
            guard version > self.version || isTombstone && version == self.version else { return }
            (self.version, self.content) = (version, content)
        }
    }

    private enum Kind: CaseIterable { case field, header, source, sourceOfHeader }

    private func format(_ kind: Kind, epoch: Int64) throws -> CommandFormat {
        let envelope = CommandFormat.Envelope(
            id: .key, operation: try JSONPath(parsing: "op"), index: ["i"], merge: [], delete: ["d"], ignore: [],
            document: try JSONPath(parsing: "m"))
        let isField = kind == .field || kind == .source
        var format = CommandFormat(
            shape: .envelope(envelope), version: isField ? .field(try JSONPath(parsing: "m.rev")) : .header("rev"),
            epoch: epoch)
        if kind == .source || kind == .sourceOfHeader { format.copied = .source }
        return format
    }

    private static func spelled(_ number: Int64, _ random: inout Seeded, quotes: Bool = true) -> String {
        let text =
            switch random.below(5) {
            case 0: "\(number).0"
            case 1: "\(number)0e-1"
            case 2: "\(number).00E0"
            default: "\(number)"
            }
        return quotes && random.chance(30) ? "\"\(text)\"" : text
    }

    private struct Command {
        var version: Int64
        var given: Given
        /// What the target holds after it.
        var content: String
    }

    private func commands(_ kind: Kind, first: Int64, _ random: inout Seeded) -> [Command] {
        var version = first
        return (0..<1 + random.below(6)).map { number in
            defer { version += 1 + Int64(random.below(3)) }
            let isDelete = random.chance(30)
            // Formats with the field in the document carry it in a delete, too.
            let rev = kind == .field || kind == .source ? ",\"rev\":\(Self.spelled(version, &random))" : ""
            let value = #"{"op":"\#(isDelete ? "d" : "i")","m":{"n":\#(number)\#(rev)}}"#
            let headers = ["rev": Self.spelled(version, &random, quotes: false)]
            return Command(
                version: version, given: Given(value, headers: headers), content: isDelete ? "gone" : "\(number)")
        }
    }

    @Test(.serialized, arguments: 0..<4)
    func theGreatestVersionStays(_ which: Int) throws {
        let kind = Kind.allCases[which]
        let seed = newSeed("theGreatestVersionStays \(kind)")
        var random = Seeded(seed)
        for round in 0..<2_000 {
            let format = try format(kind, epoch: random.chance(50) ? 0 : Int64(random.below(1 << 18)))
            let decoder = CommandDecoder(format)
            let first: Int64 = random.chance(20) ? 9_007_199_254_740_992 : 1 + Int64(random.below(5))
            let commands = commands(kind, first: first, &random)
            // The source has applied the first ones; a document that was deleted there is not copied.
            let applied = random.below(commands.count + 1)
            let last = applied > 0 ? commands[applied - 1] : nil
            let hasField = kind == .field && last != nil && random.chance(70)
            let rev = hasField ? ",\"rev\":\(Self.spelled(last?.version ?? 0, &random))" : ""
            let document = #"{"n":"copied"\#(rev)}"#
            let stored: Int64? = kind == .field || kind == .header ? nil : last?.version ?? first - 1
            let isCopied = last?.content != "gone"

            var writes: [(Int64, String, Bool)] = commands.map { command in
                let text = command.given.decoded(decoder)
                #expect(text.contains(" v\(command.version)"), "\(text), seed \(seed)")
                return (command.version, command.content, command.content == "gone")
            }
            var expected = commands[commands.count - 1].content
            if isCopied {
                let version = try Array(document.utf8).withUnsafeBufferPointer {
                    try CopyVersions(format).version(of: $0, stored: stored)
                }
                // The copy is the state after the last applied command, so either may stay when both have its version.
                writes.append((version, last?.content ?? "copied", false))
                if version > commands[commands.count - 1].version { expected = last?.content ?? "copied" }
            }
            for _ in 0..<4 {
                var target = Target()
                for write in (writes + writes.filter { _ in random.chance(50) }).shuffled(using: &random) {
                    target.write(write.0, write.1, isTombstone: write.2)
                }
                #expect(target.content == expected, "\(kind) round \(round), seed \(seed)")
            }
        }
    }
}
