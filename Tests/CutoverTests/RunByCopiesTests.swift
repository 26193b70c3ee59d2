import Cutover
import Seeds
import Testing

/// `run` without a command topic.
@Suite struct RunByCopiesTests {
    /// A world in which the old side is written at some rate, and copies bring it.
    private struct World {
        var facts = RunMachine.Facts()
        var machine: RunMachine
        var outcome = RunMachine.Outcome.looked
        var done: [String] = []
        var failing: [Gate.Name] = []
        /// Writes to the old side in a second.
        var rate: Int64 = 0
        /// Whether servers say how much was written.
        var isTold = true
        /// Documents that are wrong whatever is copied.
        var isWrong = false
        private var writes: Int64 = 0

        init(_ goal: RunMachine.Goal, below: Int = 10, hasDeltas: Bool = true, parityAge: Int64 = 900_000) {
            machine = RunMachine(goal, parityAge: parityAge, way: .copies(below: below, hasDeltas: hasDeltas))
            (facts.isConfirmed, facts.isCopyDue) = (true, true)
        }

        mutating func step() -> RunMachine.End? {
            let action = machine.next(facts, after: outcome)
            outcome = .looked
            switch action {
            case .end(let end): return end
            case .wait(let milliseconds): pass(milliseconds)
            case .perform(.delta):
                done.append("delta")
                let read = writes
                writes = 0
                pass(10 * read)
                facts.receipt = nil
                outcome = .copied(documents: Int(read))
            case .perform(let step):
                done.append(step.rawValue)
                if step == .initialise { facts.isMade = true }
                writes = 0
                pass(60_000)
                if step == .copy { facts.isCopyDue = false }
                outcome = .done(step)
            case .verify(let since):
                done.append(since == nil ? "verify" : "verify since")
                let isBehind = writes > 0
                pass(5_000)
                facts.receipt = nil
                if !isBehind, writes == 0, !isWrong {
                    facts.receipt = RunMachine.Receipt(id: "r", age: 5_000, isEqual: true)
                }
                outcome = .verified(facts.receipt == nil ? .different : .equal)
            case .askGates, .rollover:
                done.append(action == .rollover ? "rollover" : "gates")
                let failed = failing + (writes > 0 ? [.sourceWrites] : [])
                if failed.isEmpty, action == .rollover { facts.position = .rolledOver }
                outcome = .asked(failed: failed)
            }
            return nil
        }

        mutating func pass(_ milliseconds: Int64) {
            facts.now += milliseconds
            facts.receipt?.age += milliseconds
            writes += rate * milliseconds / 1000
            facts.sourceWrites = isTold ? writes : nil
        }

        mutating func run(_ steps: Int = 100) -> RunMachine.End? {
            for _ in 0..<steps { if let end = step() { return end } }
            return nil
        }
    }

    @Test func anOldSideThatNobodyWritesNeedsNoDelta() {
        for (goal, steps) in [
            (RunMachine.Goal.initialised, ["plan", "init"]), (.copied, ["plan", "init", "copy"]),
            (.verified, ["plan", "init", "copy", "verify"]),
            (.rolledOver, ["plan", "init", "copy", "verify", "rollover"]),
        ] {
            for hasDeltas in [true, false] {
                var world = World(goal, hasDeltas: hasDeltas)
                #expect(world.run() == .reached)
                #expect(world.done == steps)
                #expect(world.machine.wasReady == (goal == .rolledOver))
            }
        }
    }

    @Test func deltasFollowEachOtherUntilLittleIsLeftAndThenTakeTheirTime() {
        var world = World(.ready)
        world.rate = 50
        #expect(world.run(7) == nil)
        // 3,000 documents in the first, then half of that each time.
        #expect(Array(world.done.prefix(6)) == ["plan", "init", "copy", "delta", "delta", "delta"])
        world.done = []
        let began = world.facts.now
        #expect(world.run(400) == nil)
        let count = Int64(world.done.count)
        #expect(count > 1 && count <= (world.facts.now - began) / 10_000 + 8, "\(count)")
        // While somebody writes, nothing could be proved.
        #expect(Set(world.done) == ["delta"])
    }

    @Test func itIsReadyWhenTheWritersHaveStopped() {
        var world = World(.ready)
        world.rate = 50
        _ = world.run(60)
        world.rate = 0
        world.done = []
        #expect(world.run(60) == nil)
        #expect(Array(world.done.prefix(3)) == ["delta", "verify", "gates"])
        #expect(world.machine.wasReady)
        // And behind again when they go on.
        world.rate = 1
        world.done = []
        _ = world.run(60)
        #expect(world.done.contains("delta"))
        // Somebody else moves the readers: there is nothing more to do.
        world.facts.position = .rolledOver
        #expect(world.run() == .reached)
    }

    @Test func withoutAFieldItSaysWhatIsMissing() {
        var world = World(.ready, hasDeltas: false)
        world.rate = 1
        #expect(world.run() == .needsSince)
        #expect(world.done == ["plan", "init", "copy"])
    }

    @Test func whatIsDifferentEndsItUnlessItWasWrittenMeanwhile() {
        var wrong = World(.ready)
        wrong.isWrong = true
        #expect(wrong.run() == .failed)
        var written = World(.ready)
        _ = written.run(3)
        // Nothing was written so far, and during the verification something is.
        #expect(written.machine.next(written.facts, after: .done(.copy)) == .verify(since: nil))
        written.facts.sourceWrites = 3
        #expect(written.machine.next(written.facts, after: .verified(.different)) == .perform(.delta))
    }

    @Test func whereNothingIsToldADeltaComesBeforeEachVerification() {
        var world = World(.ready)
        world.isTold = false
        _ = world.run(8)
        #expect(Array(world.done.prefix(6)) == ["plan", "init", "copy", "delta", "verify", "gates"])
        world.done = []
        world.facts.receipt?.age = 800_000
        _ = world.run(20)
        #expect(Array(world.done.prefix(2)) == ["delta", "verify"])
        var alone = World(.verified, hasDeltas: false)
        alone.isTold = false
        #expect(alone.run() == .reached)
        #expect(alone.done == ["plan", "init", "copy", "verify"])
    }

    @Test func anInterruptedDeltaIsFinishedFirst() {
        var world = World(.ready)
        world.facts.isMade = true
        #expect(world.machine.next(world.facts, after: .looked) == .perform(.copy))
    }

    @Test func whatWasMadeIsNotMadeAgain() {
        var world = World(.ready)
        _ = world.run(10)
        world.facts.isMade = false
        #expect(world.run() == .undone(.initialise))
    }

    @Test func anErrorOfADeltaEndsItUntilItWasReady() {
        var world = World(.ready)
        #expect(
            world.machine.next(world.facts, after: .failed(.delta, passes: true, refused: false)) == .end(.failed))
        var ready = World(.ready)
        _ = ready.run(8)
        #expect(ready.machine.wasReady)
        guard case .wait = ready.machine.next(ready.facts, after: .failed(.delta, passes: true, refused: false)) else {
            Issue.record("it does not wait")
            return
        }
    }

    @Test func randomWorlds() {
        var random = Seeded(newSeed("runByCopies"))
        for _ in 0..<500 {
            var world = World(random.pick(RunMachine.Goal.allCases.filter { $0 != .replayed }))
            for _ in 0..<60 {
                let before = (world.facts, world.done.count)
                guard world.step() == nil else { break }
                if world.done.count > before.1, let last = world.done.last {
                    #expect(!["replay", "follow", "verify since"].contains(last))
                    #expect(last != "delta" || (before.0.isMade && !before.0.isCopyDue))
                    #expect(last != "verify" || before.0.sourceWrites.map { $0 == 0 } ?? true)
                    #expect(
                        last != "rollover"
                            || (before.0.receipt?.isEqual == true && before.0.sourceWrites.map { $0 == 0 } ?? true))
                }
                switch Int.random(in: 0..<10, using: &random) {
                case 0: world.rate = .random(in: 0..<100, using: &random)
                case 1: world.rate = 0
                case 2: world.facts.receipt = nil
                case 3: world.failing = [random.pick(Gate.Name.allCases)]
                case 4: world.failing = []
                case 5: world.facts.position = random.pick([.before, .partly, .unknown, .rolledBack])
                case 6: world.isTold.toggle()
                case 7: world.pass(.random(in: 0..<1_000_000, using: &random))
                default: break
                }
            }
        }
    }
}
