import Commands
import Foundation
import Indexing
import JSONText
import Migration
import State
import Telemetry

/// The output of work that has finished or was interrupted.
extension Summary {
    var json: JSONValue {
        var object: JSONObject = [
            "command": .string(command), "complete": .bool(complete), "read": .number(read),
            "outcomes": .object(JSONObject(outcomes.map { ($0.0.name, .number($0.1)) })),
            "seconds": .number(String(format: "%.3f", seconds)),
            "records_per_second": .number(String(format: "%.0f", Double(read) / max(seconds, 0.001))),
        ]
        if let returned { object["returned"] = .number(returned) }
        if let expected { object["expected"] = .number(expected) }
        if let copy { object["copy"] = Self.json(copy) }
        if !notes.isEmpty { object["notes"] = .array(notes.map { .string($0) }) }
        if replayDue { object["replay_due"] = true }
        if !partitions.isEmpty {
            object["in_flight"] = .number(inFlight)
            object["partitions"] = .array(partitions.map(\.json))
        }
        if let concurrency { object["concurrency"] = concurrency.json }
        object["alarms"] = .array(alarms.map(\.json))
        if !reasons.isEmpty {
            object["dead_letter_reasons"] = .object(
                JSONObject(reasons.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) }))
        }
        object["accepted"] = AcceptanceReport.json(accepted)
        object["next"] = .array(next.map { .string($0) })
        return .object(object)
    }

    private static func json(_ copy: MigrationState.Copy) -> JSONValue {
        let totals = copy.totals
        return [
            "number": .number(copy.round), "since": copy.part.map { .string($0.words) } ?? .null,
            "returned": .number(totals.returned), "created": .number(totals.created),
            "updated": .number(totals.updated), "conflicts": .number(totals.conflicts),
            "others": .number(totals.others),
            "conflicts_from": copy.conflictsFrom.map { .number($0) } ?? .null,
        ]
    }

    /// The account of a copy: its numbers add up to what the source returned.
    private static func lines(_ copy: MigrationState.Copy) -> [String] {
        let totals = copy.totals
        var text = "  created \(totals.created) + updated \(totals.updated) + conflicts \(totals.conflicts)"
        if totals.others > 0 { text += " + others \(totals.others)" }
        var lines = [text + " = \(totals.returned)" + (copy.part.map { ", since \($0.words)" } ?? "")]
        if let from = copy.conflictsFrom {
            lines.append("  the first conflict came after \(from) of \(copy.expected) documents")
        }
        return lines
    }

    var text: String {
        let rate = Int(Double(read) / max(seconds, 0.001))
        var lines = [
            "\(command) \(complete ? "done" : "interrupted"): \(read) read in \(Self.duration(seconds)), \(rate)/s"
        ]
        if let returned, let expected {
            lines.append("  source returned \(returned) documents, of \(expected) counted when the copy began")
        }
        if let copy { lines += Self.lines(copy) }
        lines += notes.map { "  " + $0 }
        let parts = outcomes.filter { $0.1 > 0 }.map { "\($0.0.name) \($0.1)" }
        lines.append("  outcomes: " + (parts.isEmpty ? "none" : parts.joined(separator: ", ")))
        if !reasons.isEmpty {
            let why = reasons.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
            lines.append("  dead letters: " + why.joined(separator: ", "))
        }
        if replayDue { lines.append("  a replay is due: the target index was made again") }
        lines += partitions.map { "  " + $0.text }
        if let concurrency { lines.append("  " + concurrency.text) }
        lines += alarms.map { "  ALARM \($0.name): \($0.text)" }
        lines += AcceptanceReport.lines(accepted).map { "  " + $0 }
        lines += next.map { "next: \($0)" }
        return VisibleText.joined(lines)
    }
}

extension BulkLoad {
    var text: String {
        "bulk requests: \(inFlight) of at most \(limit), batches of \(batchDocuments) documents or \(batchBytes) "
            + "bytes, "
            + "throttled \(throttled) times"
    }
}

extension PartitionReport {
    var text: String {
        func shown(_ value: Int64?) -> String { value.map { "\($0)" } ?? "-" }
        let parts = zip(Outcome.allCases, outcomes).filter { $1 > 0 }.map { "\($0.name) \($1)" }
        return "partition \(partition): \(shown(start)) to \(shown(committed)), end \(shown(end)), read \(read), "
            + "in flight \(inFlight)" + (parts.isEmpty ? "" : ": " + parts.joined(separator: ", "))
    }
}
