import Cutover
import JSONText
import Seeds
import Testing

@Suite struct MachineTests {
    private static let old = AliasMove.Place("old", uuid: "u1", [:])
    private static let new = AliasMove.Place("new", uuid: "u2", ["filter": ["term": ["a": "b"]]])
    private static let move = AliasMove("incidents", from: [old], to: [new])

    @Test func aMoveIsBegunOnceAndSettledOnce() throws {
        var state = CutoverState()
        #expect(state.position == .before)
        #expect(try state.rollover([Self.move]) == .begin([Self.move]))
        let intent = try state.begin(.rollover, [Self.move], home: "new", by: "a", at: 1)
        #expect(state.position == .unknown)
        #expect(try state.rollover([Self.move]) == .resolve(intent))
        #expect(try state.rollback() == .resolve(intent))
        #expect(throws: CutoverRefusal.self) {
            var other = state
            _ = try other.begin(.rollover, [Self.move], home: "new", by: "b", at: 2)
        }
        #expect(throws: CutoverRefusal.self) { try state.checkCancel() }
        let recorded = [Turn.Fate.open, .applied(home: "new"), .sealed].map {
            state.settle(turn: intent.turn, $0, at: 2)
        }
        #expect(recorded == [false, true, false])
        #expect(state.position == .rolledOver)
        #expect(state.rolledOverAt == 2)
        #expect(try state.rollover([Self.move]) == .nothing)
        #expect(throws: CutoverRefusal.self) { try state.checkCancel() }
        try state.checkFinish()
        #expect(try state.rollback() == .begin([Self.move.reversed]))
    }

    @Test func whatBecameOfARequestIsToldByItsOwnIndicesAlone() {
        let move = Self.move
        #expect(move.isApplied(["new"]) == true && move.isApplied(["old"]) == false && move.isApplied([]) == false)
        // The removal found nothing, because somebody else had moved the alias, and the add was applied all the same.
        #expect(move.isApplied(["new", "third"]) == true && move.isApplied(["third"]) == false)
        let removed = AliasMove("incidents", from: [Self.new], to: [])
        #expect(removed.isApplied([]) == true && removed.isApplied(["third"]) == true)
        #expect(removed.isApplied(["new"]) == false)
        let wide = AliasMove("incidents", from: [Self.old], to: [Self.new, .init("other", uuid: nil, [:])])
        #expect(wide.isApplied(["new"]) == nil)
    }

    /// A program that failed, or was killed, after the aliases had moved was recorded nowhere.
    @Test func readersThatAProgramHasNotMovedAreNotTakenForMoved() throws {
        var state = CutoverState()
        state.readersDue = .init(kind: .rollover, since: 1)
        _ = try state.begin(.rollover, [Self.move], home: "new", by: "a", at: 1)
        state.settle(turn: 1, .applied(home: "new"), at: 2)
        #expect(state.position == .readersDue)
        state.readersDue = .init(kind: .rollover, since: 3, failure: "it ended with 1")
        #expect(CutoverState(json: state.json) == state)
        #expect(state.openReaders?.words == "cutover.command failed (it ended with 1): the readers are not moved")
        #expect(throws: CutoverRefusal("cutover.command failed (it ended with 1): the readers are not moved")) {
            try state.checkFinish()
        }
        #expect(throws: CutoverRefusal.self) { try state.checkCancel() }
        #expect(try state.rollover([Self.move]) == .nothing)
        var done = state
        done.readersDue = nil
        try done.checkFinish()
        _ = try state.begin(.rollback, [Self.move.reversed], home: "new", by: "a", at: 4)
        state.settle(turn: 2, .applied(home: "new"), at: 5)
        #expect(state.position == .rolledBack && state.readersDue == nil)
    }

    @Test func nothingIsMovedAfterTheEnd() throws {
        for end in [CutoverState.Position.finished, .cancelled] {
            var state = CutoverState()
            state.end = end
            #expect(throws: CutoverRefusal.self) { try state.rollover([Self.move]) }
            #expect(throws: CutoverRefusal.self) { try state.rollback() }
        }
    }

    @Test func severalAliasesHavePlacesOfTheirOwn() throws {
        var state = CutoverState()
        let other = AliasMove("tasks", from: [], to: [.init("tasks-new", uuid: nil, [:])])
        state.aliases = ["incidents", "tasks"]
        _ = try state.begin(.rollover, [other], home: "new", by: "a", at: 1)
        state.settle(turn: 1, .applied(home: "new"), at: 1)
        #expect(state.position == .partly)
        #expect(throws: CutoverRefusal.self) { try state.checkFinish() }
        #expect(try state.rollover([Self.move, other]) == .begin([Self.move]))
        _ = try state.begin(.rollover, [Self.move], home: "new", by: "a", at: 2)
        state.settle(turn: 2, .applied(home: "new"), at: 2)
        #expect(state.position == .rolledOver)
        #expect(try state.rollback(["tasks"]) == .begin([other.reversed]))
        #expect(try state.rollback(["nothing"]) == .nothing)
    }

    @Test func theStateIsReadAsItWasWritten() throws {
        var state = CutoverState()
        state.aliases = ["incidents"]
        _ = try state.begin(.rollover, [Self.move], home: "new", by: "a", at: 1)
        #expect(CutoverState(json: state.json) == state)
        state.settle(turn: 1, .applied(home: "new"), at: 5)
        state.end = .finished
        #expect(CutoverState(json: state.json) == state)
        var broken = state.json.object ?? [:]
        broken["moved"] = [["alias": "incidents"]]
        #expect(CutoverState(json: .object(broken)) == nil)
    }

    @Test func aMoveThatSomebodyUndidByHandIsForgotten() throws {
        var state = CutoverState()
        _ = try state.begin(.rollover, [Self.move], home: "new", by: "a", at: 1)
        #expect(state.forget { _ in true }.isEmpty, "its end is not known yet")
        state.settle(turn: 1, .applied(home: "new"), at: 1)
        #expect(state.forget { _ in false }.isEmpty)
        #expect(state.forget { _ in true } == ["incidents"])
        #expect(state.position == .rolledBack && state.rolledOverAt == nil)
        #expect(try state.rollover([Self.move]) == .begin([Self.move]))
    }

    @Test func anAliasOnOtherIndicesIsElsewhere() {
        #expect(Self.move.standing(["old"]) == .before)
        #expect(Self.move.standing(["new"]) == .after)
        #expect(Self.move.standing(["new", "old"]) == .elsewhere(["new", "old"]))
        #expect(Self.move.standing([String]()) == .elsewhere([]))
        #expect(AliasMove("a", from: [], to: [Self.new]).standing([String]()) == .before)
    }
}

/// Operators that stop anywhere, requests that are answered, lost, late or repeated, on a cluster's aliases.
@Suite struct LateRequestTests {
    static let stateIndex = ".crossfade-m"
    static let move = AliasMove(
        "incidents", from: [.init("old", uuid: nil, [:])], to: [.init("new", uuid: nil, [:])])

    /// What the world holds: the state document, the cluster, and requests that may still arrive.
    struct World {
        var state = CutoverState()
        var cluster: FakeAliases
        var late: [[JSONValue]] = []
        var applied = 0
    }

    /// One operator's command, cut off before any of its steps.
    static func run(_ kind: CutoverState.Kind, _ world: inout World, _ random: inout Seeded, mutant: Bool) {
        for _ in 0..<6 {
            if random.next() % 12 == 0 { return }
            let asked: CutoverState.Decision? =
                kind == .rollover
                ? try? world.state.rollover([move]) : try? world.state.rollback()
            switch asked {
            case .nothing, nil: return
            case .resolve(let intent):
                let turn = Turn(intent.turn, stateIndex: stateIndex)
                if case .open = turn.fate(world.cluster.indices(behind: turn.alias)) {
                    if random.next() % 12 == 0 { return }
                    if !mutant { _ = world.cluster.apply(turn.seal) }
                }
                let fate = turn.fate(world.cluster.indices(behind: turn.alias))
                if random.next() % 12 == 0 { return }
                world.state.settle(turn: intent.turn, mutant && fate == .open ? .sealed : fate, at: 1)
            case .begin(let moves):
                let mark = world.state.mark
                guard let intent = try? world.state.begin(kind, moves, home: "new", by: "a", at: 1) else { return }
                let turn = Turn(intent.turn, stateIndex: stateIndex)
                let request =
                    moves.flatMap { $0.actions(mustExist: world.cluster.knowsMustExist) } + [turn.mark(home: "new")]
                    + (mark.map { Turn($0.turn, stateIndex: stateIndex).retire(home: $0.home) } ?? [])
                switch random.next() % 4 {
                case 0: world.late.append(request)
                case 1:
                    _ = world.cluster.apply(request)
                    world.late.append(request)
                default: _ = world.cluster.apply(request)
                }
            }
        }
    }

    /// Returns what is wrong in the end; nil: nothing.
    static func schedule(_ seed: UInt64, mutant: Bool = false) -> String? {
        var random = Seeded(seed)
        var world = World(cluster: FakeAliases(knowsMustExist: random.next() % 2 == 0, "incidents", on: "old"))
        for _ in 0..<(2 + random.next() % 6) {
            run(random.next() % 2 == 0 ? .rollover : .rollback, &world, &random, mutant: mutant)
            if random.next() % 3 == 0, let late = world.late.randomElement(using: &random) {
                _ = world.cluster.apply(late)
            }
            if let wrong = look(world) { return wrong }
        }
        // Everything that is still under way arrives, in any order and twice.
        for late in (world.late + world.late).shuffled(using: &random) { _ = world.cluster.apply(late) }
        return look(world)
    }

    static func look(_ world: World) -> String? {
        let stands = world.cluster.indices(behind: "incidents")
        guard stands == ["old"] || stands == ["new"] else { return "the alias stands on \(stands)" }
        switch world.state.position {
        case .before, .rolledBack: return stands == ["old"] ? nil : "rolled back, and the alias is on new"
        case .rolledOver: return stands == ["new"] ? nil : "rolled over, and the alias is on old"
        default: return nil
        }
    }

    @Test func whatTheStateSaysIsSoWhateverArrivesLate() {
        let first = newSeed(#function)
        for number in 0..<20_000 as Range<UInt64> {
            let wrong = Self.schedule(first &+ number)
            #expect(wrong == nil, "seed \(first &+ number): \(wrong ?? "")")
            if wrong != nil { return }
        }
    }

    @Test func withoutTheSealALateRequestIsSeen() {
        let first = newSeed(#function)
        #expect((0..<20_000 as Range<UInt64>).contains { Self.schedule(first &+ $0, mutant: true) != nil })
    }
}
