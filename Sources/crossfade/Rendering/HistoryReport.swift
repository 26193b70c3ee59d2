import Basics
import JSONText
import State
import Telemetry

/// The output of `history`.
struct HistoryReport: Sendable {
    let migration: String
    let history: MigrationHistory
    /// Of the work as it is confirmed now.
    let fingerprint: String

    var json: JSONValue {
        [
            "migration": .string(migration), "fingerprint": .string(fingerprint), "dropped": .number(history.dropped),
            "events": .array(history.events.map(\.json)),
        ]
    }

    var text: String {
        guard !history.events.isEmpty else {
            return "nothing is known of migration \(migration): an earlier version of crossfade wrote no history"
        }
        var lines: [String] = []
        if history.dropped > 0 { lines.append("\(history.dropped) older events are not kept") }
        let rows =
            [["TIME", "WHAT", "BY", "WORK", ""]]
            + history.events.map { event in
                [
                    ISOTime.text(event.time), event.what.rawValue, "\(event.by.user)@\(event.by.host)",
                    event.fingerprint == fingerprint ? "present" : String(event.fingerprint.prefix(8)),
                    VisibleText.line(event.detail),
                ]
            }
        return (lines + TableText.lines(rows)).joined(separator: "\n")
    }
}
