import Simulation
import Seeds
import Testing

/// The longer run is `scripts/simulate`.
@Suite struct SimulationTests {
    @Test func keepsEveryPromise() {
        let seed = newSeed("the simulation")
        let failure = Simulation().search(seed: seed, schedules: 800)
        #expect(failure == nil, "\(failure?.text ?? "")")
    }

    /// Each mechanism is needed: without it a promise is broken, soon, by a short schedule.
    @Test(arguments: Mechanism.allCases) func isMissed(_ mechanism: Mechanism) throws {
        let failure = try #require(
            Simulation().search(seed: 1, schedules: 4_000, off: mechanism, theme: mechanism.theme),
            "nobody missed \(mechanism)")
        #expect(failure.steps.count <= 20, "\(failure.text)")
    }

    /// A check that never says anything checks nothing.
    @Test func makesEveryCheck() {
        let simulation = Simulation()
        var made = [Int](repeating: 0, count: Check.allCases.count)
        for number in 0..<600 {
            let schedule = Simulation.Schedule(seed: Simulation.seed(number, of: 1))
            let result = simulation.run(schedule.setup, schedule.steps)
            for check in made.indices { made[check] += result.checks[check] }
        }
        for check in Check.allCases { #expect(made[check.rawValue] > 0, "\(check) was never made") }
    }

    @Test func repeatsItself() {
        let simulation = Simulation()
        for number in 0..<50 {
            let schedule = Simulation.Schedule(seed: Simulation.seed(number, of: 2))
            let again = Simulation.Schedule(seed: schedule.seed)
            #expect(schedule.steps == again.steps)
            let one = simulation.run(schedule.setup, schedule.steps)
            let other = Simulation().run(again.setup, again.steps)
            #expect(one.checks == other.checks && one.refused == other.refused && one.violation == other.violation)
        }
    }
}
