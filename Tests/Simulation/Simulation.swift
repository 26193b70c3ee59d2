import Seeds

/// The simulation of a whole migration: schedules made from seeds, without server, thread or clock.
///
/// The simulated processes (``Engine``) perform what the product's own types decide. The log, both clusters, the
/// network, the group and the operator are simulated. docs/simulation.md says which is which, and what the simulation
/// leaves out.
///
/// A schedule ends by finishing everything without faults: copy, replay (if one was begun), follow and redrive. Deletes
/// are forgotten, late requests are delivered last, and the new cluster must hold what all commands of the log make of
/// what only the old cluster knew. A rail that refuses ends a schedule too, and is right to.
///
/// Each ``Check`` is a promise. Each ``Mechanism`` can be switched off and must then be missed.
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
            let isOld = Step.isOld(theme) && (theme != Step.moves || random.below(3) > 0)
            steps = isOld ? Step.beginning(theme, &random) : []
            if theme == Step.verification { steps = [.copyEnds, .catchUp].map { Step(kind: $0, a: 0, b: 0) } }
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
