import State
import Testing
@testable import Migration

/// The line about work that reads two sides.
@Suite struct ProgressTests {
    @Test func eachPartHasItsRateAndTheSlowestSaysHowLong() {
        let parts = [
            Progress.Part("old side", done: 300, total: 1000), Progress.Part("new side", done: 900, total: 1000),
        ]
        #expect(
            StagedProgress.line("comparing", parts, since: nil, now: 5000)
                == "comparing: old side 300 of 1000; new side 900 of 1000; - left")
        let before = StagedProgress(stage: "comparing", at: 3000, done: [100, 100])
        #expect(
            StagedProgress.line("comparing", parts, since: before, now: 5000)
                == "comparing: old side 300 of 1000, 100/s; new side 900 of 1000, 400/s; 7.0 s left")
        // What is done needs no time, and what stands still has no end.
        let done = [Progress.Part("old side", done: 1000, total: 1000), Progress.Part("new side", done: 5, total: nil)]
        let last = StagedProgress(stage: "comparing", at: 3000, done: [1000, 5])
        #expect(
            StagedProgress.line("comparing", done, since: last, now: 5000)
                == "comparing: old side 1000 of 1000; new side 5; 0.0 s left")
        let still = StagedProgress(stage: "comparing", at: 3000, done: [300, 100])
        #expect(StagedProgress.line("comparing", parts, since: still, now: 5000).hasSuffix("; - left"))
    }

    @Test func theTimeLeftIsThatOfTheSlowestPart() throws {
        let began = StagedProgress(stage: "comparing", at: 1000, done: [100, 0])
        let parts = [Progress.Part("old side", done: 300, total: 700), Progress.Part("new side", done: 50, total: 70)]
        let report = began.report(parts, waiting: nil, now: 3000)
        #expect(report.parts.map(\.rate) == [100, 25])
        #expect(report.secondsLeft == 4)
        #expect(StageReport(json: report.json) == report)
        #expect(began.report(parts, waiting: nil, now: 1500).secondsLeft == nil, "it has just begun")
        let open = [Progress.Part("new side", done: 50, total: nil)]
        #expect(StagedProgress(stage: "s", at: 0, done: [0]).report(open, waiting: "w", now: 5000).secondsLeft == nil)
    }
}
