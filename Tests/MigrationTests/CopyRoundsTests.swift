import Commands
import JSONText
import Planning
import Seeds
import State
import Testing

/// Without commands, copies one after another bring the source over, whatever comes late and whatever is killed.
@Suite struct CopyRoundsTests {
    private struct Document: Equatable { var text: Int, changed: Int64 }
    private struct Write { var id: Int, document: Document, version: Int64 }

    private struct World {
        var random: Seeded
        var clock: Int64 = 1
        var source: [Int: Document] = [:]
        var target: [Int: (document: Document, version: Int64)] = [:]
        /// Requests that were sent: they may be applied late, or twice.
        var late: [Write] = []
        var copy: MigrationState.Copy?
        var format = CommandFormat(shape: .document)

        mutating func applies(_ write: Write) {
            if let held = target[write.id], held.version >= write.version { return }
            target[write.id] = (write.document, write.version)
        }

        /// The application writes, or deletes, or makes a deleted document again.
        mutating func changes() {
            clock += 1
            let id = Int.random(in: 0..<6, using: &random)
            source[id] =
                Bool.random(using: &random) || source[id] == nil
                ? Document(text: Int.random(in: 0..<1000, using: &random), changed: clock) : nil
        }

        mutating func somethingComesLate() {
            guard let write = late.randomElement(using: &random) else { return }
            applies(write)
        }

        mutating func begins(part: Bool) {
            if let copy, copy.finished == nil { return }
            let before = part ? copy?.covered : nil
            clock += 1
            copy = MigrationState.Copy(
                round: (copy?.round ?? 0) + 1, expected: 0, started: clock, slices: [], refreshed: clock)
            copy?.part = before.map { .init(words: "", query: [:], before: $0, isChained: true) }
            format.round = Int64(copy?.round ?? 1)
        }

        /// Reads in any order; `isKilled`: only some of it, and some of the requests come later.
        mutating func reads(isKilled: Bool) {
            guard let copy else { return }
            for id in (0..<6).shuffled(using: &random) {
                if isKilled, Int.random(in: 0..<3, using: &random) == 0 { return }
                if Int.random(in: 0..<4, using: &random) == 0, isKilled { changes() }
                guard let document = source[id] else { continue }
                if let part = copy.part, document.changed < part.before { continue }
                let write = Write(id: id, document: document, version: DocumentVersion.floor(format))
                late.append(write)
                if !isKilled || Bool.random(using: &random) { applies(write) }
            }
            guard !isKilled else { return }
            clock += 1
            self.copy?.finished = clock
        }
    }

    @Test func theLastCopyDecides() {
        let seed = newSeed("copies without commands")
        for number in 0..<3000 {
            var world = World(random: Seeded(seed &+ UInt64(number)))
            world.format.round = 1
            for _ in 0..<Int.random(in: 1..<6, using: &world.random) { world.changes() }
            world.begins(part: false)
            world.reads(isKilled: false)
            for _ in 0..<Int.random(in: 0..<30, using: &world.random) {
                switch Int.random(in: 0..<6, using: &world.random) {
                case 0, 1: world.changes()
                case 2: world.somethingComesLate()
                case 3: world.begins(part: Bool.random(using: &world.random))
                case 4: world.reads(isKilled: true)
                default: world.reads(isKilled: false)
                }
            }
            // The writers stop; a copy that was killed is finished, and a last part is copied.
            world.reads(isKilled: false)
            world.begins(part: true)
            world.reads(isKilled: false)
            for write in world.late.shuffled(using: &world.random) { world.applies(write) }
            for (id, document) in world.source {
                #expect(world.target[id]?.document == document, "document \(id), seed \(seed), schedule \(number)")
            }
        }
    }

    @Test func aPartOfAStoppedCopyBeginsWhereThoseBeforeEnd() throws {
        var copy = MigrationState.Copy(round: 2, expected: 3, started: 50, slices: [], refreshed: 40)
        #expect(copy.covered == nil, "a whole copy that is not finished covers nothing")
        copy.finished = 60
        #expect(copy.covered == 40)
        copy.part = .init(words: "a>=1", query: ["match_all": [:]], before: 30, isChained: false)
        #expect(copy.covered == 30, "what a person chose may leave a gap")
        copy.part?.isChained = true
        #expect(copy.covered == 40)
        copy.finished = nil
        #expect(copy.covered == 30)
        copy.conflictsFrom = 7
        #expect(MigrationState.Copy(json: copy.json) == copy)
        // Without its query it would read everything, and count as whole.
        var members = try #require(copy.json.object)
        members["part"] = ["words": "a>=1"]
        #expect(MigrationState.Copy(json: .object(members)) == nil)
    }

    @Test func theAccountAddsUp() {
        var copy = MigrationState.Copy(round: 1, expected: 10, started: 1, slices: [])
        copy.slices = [
            .init(
                entry: 0, index: "a", spec: "slice 0/2", done: true, returned: 6,
                outcomes: ["indexed": 4, "created": 3, "stale": 2]),
            .init(
                entry: 0, index: "a", spec: "slice 1/2", done: true, returned: 4,
                outcomes: ["indexed": 1, "gone": 1, "stale": 2]),
        ]
        let totals = copy.totals
        #expect((totals.created, totals.updated, totals.conflicts, totals.others) == (3, 2, 4, 1))
        #expect(totals.returned == 10)
    }

    @Test func sinceIsReadAsItIsTyped() throws {
        let path = try JSONPath(parsing: "modified_at")
        #expect(try CopySince(parsing: "last") == .last)
        #expect(
            try CopySince(parsing: "modified_at>=2026-11-01")
                == .field(path, isAbove: false, value: "2026-11-01"))
        #expect(try CopySince(parsing: "modified_at > 17") == .field(path, isAbove: true, value: 17))
        #expect(try CopySince(parsing: "{\"term\":{\"a\":1}}") == .query(["term": ["a": 1]]))
        for wrong in [
            "", "a", "a=1", ">=1", "a>=", "a<=1", "a<>1", "_version>=1", "{}", "{\"a\":1,\"b\":2}", "{", "\u{0}>",
        ] {
            #expect(throws: CopySince.Unreadable.self, "\(wrong)") { try CopySince(parsing: wrong) }
        }
    }
}
