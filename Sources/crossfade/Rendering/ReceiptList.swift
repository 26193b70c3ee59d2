import JSONText
import Migration
import Parity
import State

/// The output of `receipts list`.
struct ReceiptList: Sendable {
    let migration: String
    let recipe: String
    /// Of the work as it is confirmed now.
    let fingerprint: String
    /// The newest first.
    let receipts: [ReceiptEntry]
    let now: Int64

    var json: JSONValue {
        [
            "migration": .string(migration),
            "receipts": .array(receipts.map { $0.shown(fingerprint: fingerprint, now: now) }),
        ]
    }

    var text: String {
        guard !receipts.isEmpty else {
            return "migration \(migration) has no receipt: nothing was verified\nnext: crossfade verify \(recipe)"
        }
        let rows =
            [["RECEIPT", "VERDICT", "AGE", "COMPARED", "WRONG", "SETTLING", "NOTE"]]
            + receipts.map { entry in
                [
                    entry.id, entry.verdict.rawValue, Summary.duration(Double(entry.age(now: now))),
                    "\(entry.totals.compared)", "\(entry.totals.wrong)", "\(entry.totals.settling)", note(entry),
                ]
            }
        return TableText.lines(rows).joined(separator: "\n")
    }

    private func note(_ entry: ReceiptEntry) -> String {
        var notes: [String] = entry.voided == nil ? [] : ["VOID"]
        if entry.fingerprint != fingerprint { notes.append("of other work than is confirmed now") }
        if entry.basis == .log { notes.append("against the log") }
        if let since = entry.since { notes.append("since \(since)") }
        return notes.joined(separator: ", ")
    }
}
