import Cutover
import Seeds
import Testing

@Suite struct RunMachineTests {
    private typealias Facts = RunMachine.Facts

    /// A world in which every step does what it is to do.
    private struct World {
        var facts = Facts()
        var machine: RunMachine
        var outcome = RunMachine.Outcome.looked
        var done: [String] = []
        /// What the gates say.
        var failing: [Gate.Name] = []

        init(_ goal: RunMachine.Goal, parityAge: Int64 = 900_000) {
            machine = RunMachine(goal, parityAge: parityAge)
            (facts.isConfirmed, facts.isCopyDue, facts.isReplayDue) = (true, true, true)
        }

        /// One step. Returns its end.
        mutating func step() -> RunMachine.End? {
            let action = machine.next(facts, after: outcome)
            outcome = .looked
            switch action {
            case .end(let end): return end
            case .wait(let milliseconds): pass(milliseconds)
            case .perform(let step):
                done.append(step.rawValue)
                pass(10_000)
                outcome = .done(step)
                switch step {
                case .initialise: facts.isMade = true
                case .copy: facts.isCopyDue = false
                case .replay: facts.isReplayDue = false
                case .follow: (facts.isCurrent, facts.isFollowed) = (true, true)
                default: break
                }
            case .verify(let since):
                done.append(since.map { "verify \($0)" } ?? "verify")
                pass(10_000)
                facts.receipt = RunMachine.Receipt(id: "r\(done.count)", age: 10_000, isEqual: true)
                outcome = .verified(.equal)
            case .askGates:
                done.append("gates")
                outcome = .asked(failed: failing)
            case .rollover:
                done.append("rollover")
                if failing.isEmpty { facts.position = .rolledOver }
                outcome = .asked(failed: failing)
            }
            return nil
        }

        mutating func pass(_ milliseconds: Int64) {
            facts.now += milliseconds
            facts.receipt?.age += milliseconds
        }

        /// Goes on until it ends, or for so many steps.
        mutating func run(_ steps: Int = 50) -> RunMachine.End? {
            for _ in 0..<steps { if let end = step() { return end } }
            return nil
        }
    }

    private static let up = ["plan", "init", "copy", "replay", "follow", "verify"]

    @Test func thePhasesEndWhereTheySay() {
        for (goal, count) in [(RunMachine.Goal.initialised, 2), (.copied, 3), (.replayed, 4), (.verified, 6)] {
            var world = World(goal)
            #expect(world.run() == .reached)
            #expect(world.done == Array(Self.up.prefix(count)))
            // The same again does nothing but what does not last.
            var again = World(goal)
            again.facts = world.facts
            #expect(again.run() == .reached)
            #expect(again.done == (goal == .verified ? ["follow"] : []))
        }
    }

    @Test func readyGoesOnFollowingUntilItIsTold() {
        var world = World(.ready)
        #expect(world.run() == nil)
        #expect(Array(world.done.prefix(7)) == Self.up + ["gates"])
        #expect(world.machine.wasReady)
        world.facts.isStopAsked = true
        #expect(world.run() == .stopped)
    }

    @Test func aReceiptIsKeptFreshByWhatCameSince() {
        var world = World(.ready)
        _ = world.run(7)
        world.facts.receipt = RunMachine.Receipt(id: "mine", age: 450_001, isEqual: true)
        _ = world.run(10)
        #expect(world.done.contains("verify mine"))
        // One that is too old at once, as after a long verification, does not take all the time.
        var hasty = World(.ready, parityAge: 1)
        _ = hasty.run(400)
        let verified = hasty.done.count { $0.hasPrefix("verify") }
        #expect(Int64(verified) * 10_000 <= hasty.facts.now / 2 + 20_000)
        // While the gates are asked now and then all the same.
        #expect(hasty.done.contains("gates"))
    }

    @Test func whoHasWrittenByHandIsLookedForInEverything() {
        var world = World(.ready)
        world.failing = [.foreignWrites]
        _ = world.run(7)
        #expect(world.done.last == "gates")
        world.done = []
        _ = world.run(20)
        #expect(world.done.first == "verify")
    }

    @Test func aReceiptThatNothingCanGoOnFrom() {
        var world = World(.ready)
        _ = world.run(7)
        world.facts.receipt = RunMachine.Receipt(id: "old", age: 800_000, isEqual: true)
        world.pass(60_000)
        #expect(world.machine.next(world.facts, after: .looked) == .verify(since: "old"))
        #expect(
            world.machine.next(world.facts, after: .failed(.verify, passes: false, refused: true))
                == .verify(since: nil))
        #expect(
            world.machine.next(world.facts, after: .failed(.verify, passes: false, refused: true)) == .end(.failed))
    }

    @Test func readersAreMovedOnceAndNotAgainAfterARollback() {
        var world = World(.rolledOver)
        world.failing = [.hold]
        _ = world.run(30)
        #expect(world.done.count { $0 == "rollover" } > 1)
        #expect(world.facts.position == .before)
        world.failing = []
        _ = world.run(30)
        #expect(world.facts.position == .rolledOver)
        let moved = world.done
        _ = world.run(30)
        #expect(world.done == moved)
        world.facts.position = .rolledBack
        _ = world.run(60)
        #expect(!world.done.dropFirst(moved.count).contains("rollover"))
        #expect(world.done.dropFirst(moved.count).contains("gates"))
    }

    @Test func anErrorEndsItUntilItWasReady() {
        for step in RunMachine.Step.allCases {
            var world = World(.ready)
            #expect(
                world.machine.next(world.facts, after: .failed(step, passes: true, refused: false)) == .end(.failed))
        }
        var world = World(.ready)
        _ = world.run(10)
        #expect(world.machine.wasReady)
        for step in [RunMachine.Step.verify, .rollover] {
            let action = world.machine.next(world.facts, after: .failed(step, passes: true, refused: false))
            guard case .wait = action else {
                Issue.record("\(step): \(action)")
                return
            }
        }
        #expect(
            world.machine.next(world.facts, after: .failed(.rollover, passes: false, refused: true)) == .end(.failed))
    }

    @Test func whatIsDifferentEndsItAlways() {
        var world = World(.ready)
        _ = world.run(10)
        var settling = world.machine
        let action = settling.next(world.facts, after: .verified(.unknown))
        #expect(action != .end(.failed))
        #expect(
            world.machine.next(world.facts, after: .verified(.different)) == .end(.failed))
    }

    /// Under steady writers some documents may always be changing. That is nobody's error.
    @Test func documentsThatAreStillChangingAreLookedAtAgain() {
        var world = World(.ready)
        _ = world.run(6)
        world.facts.receipt = RunMachine.Receipt(id: "first", age: 1, isEqual: false)
        world.done = []
        world.outcome = .verified(.settling)
        _ = world.run(20)
        #expect(world.done.first == "verify first")
        #expect(world.done.contains("gates"))
    }

    @Test func aStepThatIsDueAgainAtOnceEndsIt() {
        var world = World(.ready)
        _ = world.run(3)
        world.facts.isCopyDue = true
        #expect(world.machine.next(world.facts, after: .done(.copy)) == .end(.undone(.copy)))
    }

    @Test func nothingIsMadeUnconfirmedNorWhileItFollows() {
        var world = World(.ready)
        world.facts.isConfirmed = false
        #expect(world.run() == .unconfirmed)
        #expect(world.done == ["plan"])
        var following = World(.ready)
        _ = following.run(10)
        following.facts.isMade = false
        following.done = []
        #expect(following.run() == nil)
        #expect(following.done == [])
    }

    /// Whatever is found and whatever fails, steps come in their order, and each needs what was before it.
    @Test func randomWorlds() {
        var random = Seeded(newSeed("runMachine"))
        for _ in 0..<500 {
            var world = World(random.pick(RunMachine.Goal.allCases))
            for _ in 0..<60 {
                let before = (world.facts, world.done.count)
                guard world.step() == nil else { break }
                if world.done.count > before.1, let last = world.done.last {
                    #expect(last != "copy" || before.0.isMade)
                    #expect(last != "replay" || !before.0.isCopyDue)
                    #expect(last != "follow" || !before.0.isReplayDue)
                    #expect(!last.hasPrefix("verify") || before.0.isCurrent)
                    #expect(
                        last != "rollover"
                            || (before.0.receipt != nil && [.before, .partly, .unknown].contains(before.0.position)))
                }
                switch Int.random(in: 0..<12, using: &random) {
                case 0: world.facts.isCurrent.toggle()
                case 1: world.facts.receipt = nil
                case 2: world.failing = [random.pick(Gate.Name.allCases)]
                case 3: world.failing = []
                case 4: world.facts.position = random.pick([.before, .partly, .unknown, .rolledBack])
                case 5: world.pass(.random(in: 0..<1_000_000, using: &random))
                default: break
                }
            }
        }
    }
}
