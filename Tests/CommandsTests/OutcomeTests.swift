import Commands
import Testing

@Suite struct OutcomeTests {
    /// Batches keep a number for each outcome, in the order of their raw values.
    @Test func theyAreCountedAsTheyAre() {
        #expect(Outcome.count == Outcome.allCases.count)
        #expect(Outcome.allCases.map(\.rawValue) == Array(0..<Outcome.count))
    }
}
