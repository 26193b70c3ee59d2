import Cutover
import JSONText
import Seeds
import Testing

@Suite struct EndingTests {
    private static let move = AliasMove(
        "incidents", from: [.init("old", uuid: "u1", [:])], to: [.init("new", uuid: "u2", [:])])

    private static var rolledOver: CutoverState {
        get throws {
            var state = CutoverState()
            _ = try state.begin(.rollover, [move], home: "new", by: "a", at: 1)
            state.settle(turn: 1, .applied(home: "new"), at: 1)
            return state
        }
    }

    private static func ending(_ archive: String = "/a") -> Ending {
        Ending(by: "a", began: 2, archive: archive, offsets: [0: 7, 3: 0])
    }

    @Test func itBeginsOnlyAfterTheRolloverAndOnce() throws {
        var before = CutoverState()
        #expect(throws: CutoverRefusal.self) { try before.beginEnd(Self.ending()) }
        var state = try Self.rolledOver
        let begun = try state.beginEnd(Self.ending())
        #expect(begun == Self.ending())
        #expect(state.position == .finished)
        let again = try state.beginEnd(Self.ending("/b"))
        #expect(again.archive == "/a", "an end that has begun stays as it is")
        #expect(throws: CutoverRefusal.self) { try state.rollback() }
        #expect(throws: CutoverRefusal.self) { try state.rollover([]) }
        #expect(throws: CutoverRefusal.self) { try state.checkCancel() }
        var cancelled = try Self.rolledOver
        cancelled.end = .cancelled
        #expect(throws: CutoverRefusal.self) { try cancelled.beginEnd(Self.ending()) }
    }

    @Test func stepsAreTakenInTheirOrder() {
        var ending = Self.ending()
        let asked: Set<Ending.Step> = [.group, .writes, .tombstones]
        #expect(ending.left(of: asked) == [.writes, .tombstones, .group])
        // While writes are open, tombstones must stay.
        let taken: [Ending.Step] = [.tombstones, .writes, .writes, .tombstones, .group]
        let recorded = taken.map { ending.complete($0, of: asked) }
        #expect(recorded == [false, true, false, true, true])
        #expect(ending.left(of: asked).isEmpty)
        // Asked for later, by another command line.
        #expect(ending.left(of: asked.union([.oldSide])) == [.oldSide])
        #expect(Ending(json: ending.json) == ending)
    }

    @Test func whatIsNotUnderstoodIsNoEnd() throws {
        var state = try Self.rolledOver
        _ = try state.beginEnd(Self.ending())
        #expect(CutoverState(json: state.json) == state)
        for (key, value) in [("offsets", ["x": 1] as JSONValue), ("offsets", ["0": -1]), ("done", ["later"])] {
            var broken = Self.ending().json.object ?? [:]
            broken[key] = value
            #expect(Ending(json: .object(broken)) == nil)
        }
    }

    /// What the world has, and what each step needs of it.
    private struct World {
        var taken: [Ending.Step] = []
        /// Steps whose needs were gone when they were taken.
        var broken: [Ending.Step] = []

        mutating func take(_ step: Ending.Step) {
            let needed: [Ending.Step: [Ending.Step]] = [
                .writes: [.members], .tombstones: [.members, .writes], .readers: [.tombstones],
                .group: [.handover], .oldSide: [.members, .readers],
            ]
            if !(needed[step] ?? []).allSatisfy(taken.contains) { broken.append(step) }
            taken.append(step)
        }
    }

    @Test(arguments: 0..<200) func brokenOffAnywhereItGoesOn(seed: UInt64) throws {
        var random = Seeded(seed)
        var state = try Self.rolledOver
        var world = World()
        let asked = Set(Ending.Step.allCases)
        var runs = 0
        while state.hasSteps(asked) {
            runs += 1
            _ = try state.beginEnd(Self.ending())
            for step in state.ending?.left(of: asked) ?? [] {
                if random.next() % 3 == 0 { break }
                world.take(step)
                // Killed after the step, before it is written down.
                if random.next() % 3 == 0 { break }
                state.ending?.complete(step, of: asked)
            }
        }
        #expect(Set(world.taken) == asked && world.broken.isEmpty && runs > 0, "\(world)")
    }

    @Test func theFilterThatHidTombstonesIsTakenOff() {
        let hiding: JSONValue = ["bool": ["must_not": ["term": ["crossfade_deleted": true]]]]
        let theirs: JSONValue = ["term": ["kind": "a"]]
        #expect(AliasMove.showing(["filter": hiding, "index_routing": "1"], hiding: hiding) == ["index_routing": "1"])
        #expect(
            AliasMove.showing(["filter": ["bool": ["must": [theirs, hiding]]]], hiding: hiding) == ["filter": theirs])
        #expect(AliasMove.showing(["filter": theirs], hiding: hiding) == nil)
        #expect(AliasMove.showing([:], hiding: hiding) == nil)
        let byHand: JSONValue = ["bool": ["must": [theirs, hiding], "boost": 1]]
        #expect(AliasMove.showing(["filter": byHand], hiding: hiding) == nil)
    }
}

extension CutoverState {
    fileprivate func hasSteps(_ asked: Set<Ending.Step>) -> Bool { ending?.left(of: asked).isEmpty != true }
}
