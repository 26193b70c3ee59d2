import Commands
import Indexing
import Seeds
import Testing

@Suite struct DocumentFoldTests {
    private struct Command {
        var kind: OperationKind
        var version: Int64
        var document: String
    }

    /// The same in plain code: the whole commands replace, the partial ones merge, older ones are passed over.
    private static func plain(
        _ commands: [Command], base: (fields: [String: String], version: Int64)?, _ missing: MissingDocument
    ) -> [String: String]? {
        var (fields, version) = (base?.fields, base?.version ?? -1)
        for command in commands {
            // A tombstone is written over a document of its own version.
            let isNewer =
                command.version > version || (command.kind == .delete && command.version == version && version >= 0)
            guard isNewer, !command.document.contains("!") else { continue }
            let part = FieldTransform.fields(bytes(command.document.uppercased()))
            switch command.kind {
            case .index: fields = part
            case .delete: fields = nil
            default:
                if fields == nil, missing != .create { continue }
                fields = (fields ?? [:]).merging(part) { $1 }
            }
            version = command.version
        }
        return fields
    }

    @Test func commandsOfTwoPartitionsSayNothingTogether() {
        let fold = DocumentFold(entry: 0, id: Array("1".utf8), routing: nil, missing: .create)
        for (partition, kind, document) in [
            (Int32(1), OperationKind.index, "a=1"), (1, .merge, "b=2"), (0, .merge, "a=3"),
        ] {
            let before = fold.content
            fold.lies(in: partition)
            fold.add(kind, version: 5 + Int64(partition), document: bytes(document), using: FieldTransform())
            #expect((fold.content == .split) == (partition == 0), "\(before)")
        }
        #expect(fold.content == .split)
    }

    /// Mostly in the order of their versions. Only whole documents and deletes can have the same one.
    private static func commands(_ seed: inout Seeded) -> [Command] {
        let hasMerges = seed.chance(60)
        var version: Int64 = 2
        var commands = (0..<seed.below(8)).map { _ in
            version += Int64(hasMerges ? 1 : seed.below(3))
            let kind: OperationKind = seed.pick(hasMerges ? [.index, .merge, .merge, .delete] : [.index, .delete])
            let text = kind == .delete ? "" : "\(seed.pick(["a", "b", "c"]))=\(seed.below(4));"
            return Command(
                kind: kind, version: version, document: text + (seed.chance(10) && kind != .delete ? "!=1;" : ""))
        }
        for place in commands.indices.dropFirst() where seed.chance(15) { commands.swapAt(place - 1, place) }
        return commands
    }

    private func fold(_ commands: [Command], missing: MissingDocument = .create) -> DocumentFold {
        let fold = DocumentFold(entry: 0, id: bytes("1"), routing: nil, missing: missing)
        for command in commands {
            fold.add(
                command.kind, version: command.version, document: bytes(command.document), using: FieldTransform())
        }
        return fold
    }

    @Test(arguments: MissingDocument.allCases)
    func theCommandsOfADocumentComeToWhatPlainCodeSays(_ missing: MissingDocument) {
        var seed = Seeded(newSeed("theCommandsOfADocumentComeToWhatPlainCodeSays \(missing)"))
        for _ in 0..<4000 {
            let commands = Self.commands(&seed)
            let fold = fold(commands, missing: missing)
            let base: (fields: [String: String], version: Int64)? = seed.chance(50) ? (["Z": "9"], 1) : nil
            let isOpen = fold.content == .parts
            if isOpen {
                fold.merge(into: base.map { FieldTransform.text($0.fields) }, version: 1, using: FieldTransform())
            }
            var expected = Self.plain(commands, base: isOpen ? base : nil, missing)
            if !isOpen, fold.content == .unnamed { expected = nil }
            switch fold.content {
            case .document(let document): #expect(FieldTransform.fields(document) == expected, "\(commands)")
            case .deleted, .unnamed: #expect(expected == nil, "\(commands)")
            case .parts, .split: Issue.record("\(commands)")
            }
        }
    }

    @Test func partsWaitForTheirBase() {
        let fold = fold([
            Command(kind: .merge, version: 5, document: "a=1;"), Command(kind: .merge, version: 6, document: "b=2;"),
        ])
        #expect(fold.content == .parts)
        #expect(fold.version == 6)
        fold.merge(into: bytes("A=0;C=3;"), version: 1, using: FieldTransform())
        #expect(fold.content == .document(bytes("A=1;B=2;C=3;")))
        #expect(fold.version == 6)
        fold.add(.delete, version: 7, document: [], using: FieldTransform())
        #expect(fold.content == .deleted)
        #expect(fold.version == 7)
    }

    @Test func aWholeDocumentNeedsNoBase() {
        let fold = fold([
            Command(kind: .merge, version: 5, document: "a=1;"), Command(kind: .index, version: 6, document: "b=2;"),
            Command(kind: .merge, version: 7, document: "c=3;"),
        ])
        #expect(fold.content == .document(bytes("B=2;C=3;")))
    }

    @Test func withoutABaseTheRecipeDecides() {
        let parts = [Command(kind: .merge, version: 5, document: "a=1;")]
        let created = fold(parts)
        created.merge(into: nil, version: -1, using: FieldTransform())
        #expect(created.content == .document(bytes("A=1;")))
        for missing in [MissingDocument.reject, .ignore] {
            let without = fold(parts, missing: missing)
            without.merge(into: nil, version: -1, using: FieldTransform())
            #expect(without.content == .unnamed)
            let deleted = fold([Command(kind: .delete, version: 4, document: "")] + parts, missing: missing)
            #expect(deleted.content == .deleted && deleted.version == 4)
        }
    }

    /// What the old side does not have is then said of them.
    @Test func documentsThatPartsHaveMadeAreKnown() {
        let transform = FieldTransform()
        let part = Command(kind: .merge, version: 5, document: "a=1;")
        let made = fold([Command(kind: .delete, version: 4, document: ""), part])
        #expect(made.isMadeOfParts)
        made.add(.merge, version: 6, document: bytes("b=1;"), using: transform)
        #expect(made.isMadeOfParts)
        // One that is older, and one that cannot be applied, change nothing.
        made.add(.index, version: 3, document: bytes("c=1;"), using: transform)
        made.add(.index, version: 7, document: bytes("x=!;"), using: transform)
        #expect(made.isMadeOfParts)
        made.add(.index, version: 8, document: bytes("c=1;"), using: transform)
        #expect(!made.isMadeOfParts)
        let waiting = fold([part])
        #expect(!waiting.isMadeOfParts)
        waiting.merge(into: nil, version: -1, using: transform)
        #expect(waiting.isMadeOfParts)
        let based = fold([part])
        based.merge(into: bytes("A=0;"), version: 1, using: transform)
        #expect(!based.isMadeOfParts)
    }

    @Test func whatIsHeldIsCounted() {
        let fold = fold([Command(kind: .index, version: 5, document: "a=\(String(repeating: "x", count: 5000));")])
        #expect(fold.heldBytes > 5000)
        let parts = self.fold((0..<50).map { Command(kind: .merge, version: $0, document: "a=1;") })
        #expect(parts.heldBytes > 50 * 96)
    }
}
