import Basics
import JSONText
import LogGuard
import State
import Testing

/// What others can write must not trap the process: it is brought into bounds where it is read.
@Suite struct OutsideNumberTests {
    private static let extremes = ["9223372036854775807", "-9223372036854775808", "0", "-1"]

    @Test(arguments: extremes) func aMembersReportIsShown(_ number: String) throws {
        let partition = """
            {"partition":\(number),"read":\(number),"in_flight":\(number),"start":\(number),"position":\(number),\
            "committed":\(number),"end":9223372036854775807,"outcomes":{"indexed":\(number)},"owned":true}
            """
        let text = """
            {"member":"m","command":"follow","host":"h","pid":\(number),"started":\(number),"updated":\(number),\
            "partitions":[\(partition),\(partition)]}
            """
        let report = try #require(MemberReport(json: JSONValue(parsing: text)))
        #expect(report.age(now: 1_800_000_000_000) >= 0)
        _ = report.isStale(now: 1_800_000_000_000)
        #expect(report.read <= 2 << 50 && report.inFlight <= 2 << 50)
        _ = report.outcomes
        _ = report.partitions.map(\.lag)
        _ = report.json.text()
    }

    @Test(arguments: extremes) func theNoteOfACommitIsRead(_ number: String) {
        let note = CommitNote(text: "crossfade \(number) \(number):\(number):ff @\(number)")
        #expect(note != nil)
        if let fingerprint = note?.fingerprint { #expect(fingerprint.offset + 1 > 0 && fingerprint.words != "") }
    }

    @Test(arguments: extremes) func aSliceOfTheStateIsRead(_ number: String) throws {
        let slice = """
            {"entry":\(number),"index":"i","spec":"whole 0/1","done":true,"returned":\(number),\
            "outcomes":{"indexed":\(number)}}
            """
        let copy = """
            {"round":\(number),"expected":\(number),"started":\(number),"slices":[\(slice),\(slice)]}
            """
        let read = try #require(MigrationState.Copy(json: JSONValue(parsing: copy)))
        #expect(read.slices.count == 2 && read.slices.reduce(0) { $0 + $1.returned } <= 2 << 50)
    }

    @Test func boundsAreKept() {
        #expect(OutsideNumber.count(.max) == 1 << 50 && OutsideNumber.count(.min) == -1)
        #expect(OutsideNumber.offset(.max) == nil && OutsideNumber.offset(-1) == nil && OutsideNumber.offset(7) == 7)
        #expect(OutsideNumber.time(.max) + 35_000 > 0)
    }
}
