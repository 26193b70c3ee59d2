import Seeds

/// The simulation of the whole protocol (docs/simulation.md): schedules made from seeds, no server, no thread, no clock.
///
/// **What is real**: `CommandDecoder` on the records' JSON, `Transformer` (keyToValue, merge; scanned ahead as the workers do), `KeyLanes`,
/// `RunTracker`. **What is mirrored**, in short (`Engine`, `Reading`): what Worker, MergeDesk, BulkSink, Ledger, LogFeed, FollowWork, ReplayWork and CopyWork
/// decide. **What is simulated**: the log (partitions, retention, transactions, compaction gaps, unclean elections), the old cluster fed by
/// its own lagging, crashing indexer, the new cluster (external versions, forgotten deletes, the copy's alias), the network (every request and
/// answer is a `Wire`, delivered in any order, badly, or after its sender has died), the group (generations, revokes with a drain, members
/// that lost their partitions and do not know it), and the operator (copy, replay, follow, redrive, purge, at any time).
///
/// **Time**: `shortTime` is longer than gc_deletes and shorter than requests can be late; `longTime` is longer than tombstone_age, and
/// nothing that was sent before is delivered after it. With `sendLease`, a process that held something for too long
/// is taken to have noticed and begun again from what it had committed.
///
/// **The end of a schedule**: copy, replay (if one was begun), follow and redrive are finished without faults, deletes are
/// forgotten, the late requests are delivered, and the new cluster must equal the model: all commands of the log over what only the old cluster knew.
/// A rail that refuses ends a schedule too, and is right to.
///
/// Each ``Check`` is a promise, each ``Mechanism`` can be switched off and must then be missed.
public final class Simulation {
    public struct Result: Sendable {
        public var violation: Violation?
        public var refused: String?
        /// How often each check was made, by its number.
        public var checks: [Int]
    }

    /// A schedule: made from its seed alone.
    public struct Schedule: Sendable {
        public var seed: UInt64
        public var setup: Setup
        public var steps: [Step]

        /// `theme`: of the steps; nil: any.
        public init(seed: UInt64, theme: Int? = nil) {
            self.seed = seed
            var random = Seeded(seed)
            setup = .random(&random, theme)
            let theme = setup.theme
            let isOld = theme >= Step.oldThemes
            steps = isOld ? Step.beginning(theme, &random) : []
            let count = isOld ? steps.count + random.below(7) : 20 + random.below(41)
            while steps.count < count { steps.append(.random(theme, &random)) }
        }
    }

    /// A broken promise, and the shortest schedule that was found for it.
    public struct Failure: Sendable {
        public var schedule: Schedule
        public var steps: [Step]
        public var violation: Violation
        /// Schedules run until it was found.
        public var tried: Int
        /// The steps, and what each meant.
        public var told: [String]

        public var text: String {
            """
            \(violation.check): \(violation.text)
            schedule \(schedule.seed), found after \(tried) schedules, \(steps.count) of \(schedule.steps.count) steps:
            \(schedule.setup)
            \(told.map { "  \($0)" }.joined(separator: "\n"))
            """
        }
    }

    private let tools = Tools()

    public init() {}

    public func run(_ setup: Setup, _ steps: [Step], off: Mechanism? = nil) -> Result {
        let world = World(setup, off: off, tools: tools)
        perform(steps, world)
        return Result(violation: world.violation, refused: world.refused, checks: world.checks)
    }

    private func perform(_ steps: [Step], _ world: World) {
        for step in steps {
            world.perform(step)
            if !world.goesOn { return }
        }
        world.tell { "rest: everything is finished and delivered, late requests last" }
        world.comeToRest()
    }

    /// The steps of a schedule in words, each with what it did.
    private func tell(_ setup: Setup, _ steps: [Step], off: Mechanism?) -> [String] {
        let world = World(setup, off: off, tools: tools)
        world.told = []
        perform(steps, world)
        return world.told ?? []
    }

    /// Leaves steps out as long as the same promise is still broken.
    public func shrink(_ schedule: Schedule, _ violation: Violation, off: Mechanism?, tried: Int) -> Failure {
        var failure = Failure(schedule: schedule, steps: schedule.steps, violation: violation, tried: tried, told: [])
        var size = max(1, failure.steps.count / 2)
        while true {
            var at = 0
            var isShorter = false
            while at < failure.steps.count {
                var fewer = failure.steps
                fewer.removeSubrange(at..<min(at + size, fewer.count))
                if let same = run(schedule.setup, fewer, off: off).violation, same.check == violation.check {
                    failure.steps = fewer
                    failure.violation = same
                    isShorter = true
                } else {
                    at += size
                }
            }
            if size == 1, !isShorter {
                failure.told = tell(schedule.setup, failure.steps, off: off)
                return failure
            }
            size = max(1, size / 2)
        }
    }

    /// The seeds of a run: the n-th schedule of a seed is the same everywhere.
    public static func seed(_ number: Int, of seed: UInt64) -> UInt64 {
        var random = Seeded(seed ^ (UInt64(truncatingIfNeeded: number) &* 0xD6E8_FEB8_6659_FD93))
        return random.next()
    }

    /// Runs schedules until one breaks a promise; nil: none did.
    public func search(seed: UInt64, schedules: Int, off: Mechanism? = nil, theme: Int? = nil) -> Failure? {
        for number in 0..<schedules {
            let schedule = Schedule(seed: Self.seed(number, of: seed), theme: theme)
            guard let violation = run(schedule.setup, schedule.steps, off: off).violation else { continue }
            return shrink(schedule, violation, off: off, tried: number + 1)
        }
        return nil
    }
}
