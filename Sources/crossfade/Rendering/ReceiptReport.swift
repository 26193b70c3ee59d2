import DeadLetters
import Foundation
import JSONText
import Migration
import Parity
import Recipe

/// A receipt for people and for programs. What several forms of it say is worded here.
struct ReceiptReport: Sendable {
    let receipt: Receipt
    /// How a command line names the recipe.
    let recipe: String
    /// Whether the command that made the receipt has listed a repair.
    var listsRepair = false

    init(_ receipt: Receipt, recipe: Recipe) { self.init(receipt, typed: recipe.typed) }

    init(_ receipt: Receipt, typed recipe: String) { (self.receipt, self.recipe) = (receipt, recipe) }

    /// The receipt as it is stored, and what to type next.
    var json: JSONValue {
        var object = receipt.json.object ?? JSONObject()
        object["next"] = .array(next.map { .string($0) })
        return .object(object)
    }

    // MARK: Words

    /// What the verdict means here, in one sentence.
    var meaning: String {
        let totals = receipt.totals
        switch receipt.verdict {
        case .equal where totals.compared == 0:
            return "There was nothing to compare, and the recipe says that this is right."
        case .equal:
            return receipt.since == nil
                ? "Every document of both sides was compared, and all are alike."
                : "All that the topic has named since receipt \(receipt.since ?? "") was compared, and is alike."
        case .different:
            return
                "\(HTML.grouped(Int64(totals.wrong))) of \(HTML.grouped(Int64(totals.compared))) documents are not as "
                + "they should be."
        case .settling:
            return "No document differs for good, but \(HTML.grouped(Int64(totals.settling))) of "
                + "\(HTML.grouped(Int64(totals.compared))) could not be judged yet."
        case .incomplete: return "Not everything could be read, so nothing is proved."
        case .empty: return "There was nothing to compare, so nothing is proved."
        }
    }

    static func name(_ verdict: Verdict) -> String {
        verdict == .settling ? "STILL SETTLING" : verdict.rawValue.uppercased()
    }

    static func name(_ kind: FindingKind) -> String { kind.rawValue.replacing("_", with: " ") }

    static func meaning(_ kind: FindingKind) -> String {
        switch kind {
        case .missing: "the old side has it, the new one has not"
        case .extra: "the new side has it, the old one has not"
        case .different: "both have it, with other contents"
        case .stale: "the new side has the content of an earlier state of the log"
        case .twoRoutings: "the same id is there under two routings"
        case .twin: "it is missing, and the new side has its id in another spelling"
        }
    }

    /// What each line of the totals counts, in their order; all of them sum to `compared`.
    static func lines(_ totals: ParityTotals) -> [(name: String, count: Int)] {
        [("equal", totals.equal)] + FindingKind.allCases.map { (name($0), totals.findings[$0] ?? 0) }
            + [("settling", totals.settling)]
    }

    /// The name of the side that the new one is compared with.
    var reference: String { receipt.basis == .source ? "old side" : "log" }

    /// Command lines to type next; empty: there is nothing to do.
    var next: [String] {
        let verify = "crossfade verify \(recipe)" + (receipt.basis == .log ? " --against log" : "")
        switch receipt.verdict {
        case .equal, .empty: return []
        case .different: return [verify + " --repair" + (listsRepair ? " --yes" : "")]
        case .settling: return receipt.openUnlisted == 0 ? [verify + " --since \(receipt.id)"] : [verify]
        case .incomplete: return [verify]
        }
    }

    /// What keeps open documents from being judged, in sentences.
    var holding: [String] {
        guard receipt.totals.settling > 0 else { return [] }
        return receipt.positions.compactMap { position in
            let late = [("the application's group", position.application), ("Crossfade", position.crossfade)]
                .compactMap { name, at in at.flatMap { $0 < position.end ? "\(name) stands at \($0)" : nil } }
            guard !late.isEmpty else { return nil }
            return "partition \(position.partition) ends at \(position.end): " + late.joined(separator: ", ")
        }
    }

    /// Fields that a search finds in other numbers of documents on the new side, or whose values it ignores.
    static func unequal(_ fields: [Receipt.FieldCount]) -> [Receipt.FieldCount] {
        fields.filter { field in field.source.map { $0 != field.target } == true || (field.ignored ?? 0) > 0 }
    }

    static func time(_ milliseconds: Int64) -> String {
        // Whole seconds: a receipt is no log.
        DeadLetterTime.text(milliseconds).prefix(19).replacing("T", with: " ") + " UTC"
    }

    var duration: String { Summary.duration(Double(max(0, receipt.ended &- receipt.began)) / 1000) }

    static func title(_ key: DocumentKey) -> (id: String, routing: String?) {
        (String(decoding: key.id, as: UTF8.self), key.routing.map { String(decoding: $0, as: UTF8.self) })
    }

    /// What a note of a finding says.
    static func note(_ finding: Finding) -> String? {
        finding.note.map { note in
            finding.kind == .stale ? "as of \(note)" : note
        }
    }
}
