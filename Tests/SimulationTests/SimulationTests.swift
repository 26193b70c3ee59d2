import Simulation
import Testing

@Suite struct SimulationTests {
    @Test func keepsEveryPromise() {
        let seed = UInt64.random(in: 1...UInt64.max)
        print("seed of the simulation: \(seed)")
        let failure = Simulation().search(seed: seed, schedules: 3_000)
        #expect(failure == nil, "\(failure?.text ?? "")")
    }

    /// Each mechanism is needed: without it a promise is broken, soon, by a short schedule.
    @Test(arguments: Mechanism.allCases) func isMissed(_ mechanism: Mechanism) throws {
        let failure = try #require(
            Simulation().search(seed: 1, schedules: 20_000, off: mechanism), "nobody missed \(mechanism)")
        print("without \(mechanism): \(failure.text)")
    }
}
