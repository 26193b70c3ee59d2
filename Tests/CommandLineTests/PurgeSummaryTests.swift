import Testing

@testable import Migration
@testable import crossfade

/// The text of `purge`.
@Suite struct PurgeSummaryTests {
    /// Found by a tester: the text said that dead letters were unresolved although all were resolved.
    @Test func aPurgeSaysWhyItKeepsAndUntilWhen() {
        var report = PurgeReport()
        (report.found, report.kept, report.redrivenUntil) = (3, ["redriven": 2, "younger": 1], 1_700_000_000_000)
        let said = PurgeSummary(report: report, age: 60_000, tombstoneAge: 3_600_000, recipe: "r.yaml", seconds: 1).text
        #expect(said.contains("1 kept until they are 1m old") || said.contains("1 kept until they are 60s old"))
        #expect(said.contains("2 kept until 2023-11-14T22:13:20"))
        #expect(!said.contains("unresolved") && !said.contains("next:"))
        report.kept = ["dead_letter": 1]
        let held = PurgeSummary(report: report, age: nil, tombstoneAge: 3_600_000, recipe: "r.yaml", seconds: 1).text
        #expect(held.contains("unresolved dead letters") && held.hasSuffix("next: crossfade dead-letters list r.yaml"))
    }
}
