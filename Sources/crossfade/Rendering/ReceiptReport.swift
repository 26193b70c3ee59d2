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
    /// Whether the command that made the receipt has listed a repair, and whether that trusts the old side.
    var listsRepair = false
    var trustsSource = false
    /// A repair is refused where the old side is no reference any more.
    var mayRepair = true

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
            return receipt.since.map {
                "No command has named a document since receipt \($0), and nothing was open in it."
            } ?? "There was nothing to compare, and the recipe says that this is right."
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

    func meaning(_ kind: FindingKind) -> String {
        switch kind {
        case .missing: "the \(reference) has it, the new side has not"
        case .extra: "the new side has it, the \(reference) has not"
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
        // It writes all documents: what was found before says nothing afterwards.
        if receipt.needs.first == .copy, receipt.verdict != .equal { return needed + [verify] }
        switch receipt.verdict {
        case .equal, .empty: return []
        case .different where !mayRepair: return []
        case .different: return needed + (repairOptions.map { [verify + $0] } ?? [])
        case .settling: return needed + [receipt.openUnlisted == 0 ? verify + " --since \(receipt.id)" : verify]
        case .incomplete: return needed + [verify]
        }
    }

    /// What has to run before another verification can say more.
    private var needed: [String] {
        receipt.needs.filter { $0 != .indexer }.prefix(1).map { "crossfade \($0.rawValue) \(recipe)" }
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

    /// What a receipt has of a sampled document, by the side.
    static func columns(_ sample: SampledDocument) -> [(name: String, text: String)] {
        // It was read there. Only redaction keeps it out of the receipt.
        let hidden = "not shown: the recipe redacts fields, and their values may stand elsewhere in the old form"
        return [
            ("as the old side stores it", sample.source ?? hidden), ("as it is to be", sample.expected ?? "nothing"),
            ("as the new side has it", sample.found ?? "nothing"),
        ]
    }

    // MARK: Counts

    /// Fields that a search finds in other numbers of documents on the new side, or whose values it ignores. Where the
    /// commands that came meanwhile explain it, it is not among them.
    func unequal(_ fields: [Receipt.FieldCount]) -> [Receipt.FieldCount] {
        fields.filter { field in
            (field.ignored ?? 0) > 0 || field.source.map { !isExplained($0, field.target) } == true
        }
    }

    /// Whether two counts are alike, or as far apart as commands can have brought them that came while both sides were
    /// counted, one after the other.
    func isExplained(_ source: Int, _ target: Int) -> Bool {
        Int64(clamping: abs(source - target)) <= receipt.meanwhile
    }

    /// Why fewer or more documents were read than were counted before; nil: as many were.
    func countNote(_ index: Receipt.Index) -> String? {
        guard receipt.since == nil, receipt.verdict != .incomplete, receipt.meanwhile > 0,
            (receipt.basis == .source && index.sourceRead != index.sourceTotal) || index.targetRead != index.targetTotal
        else { return nil }
        return "counted before they were read; \(receipt.meanwhile) commands came meanwhile"
    }

    /// That an interrupted verification was gone on with; nil: it was not.
    var resumed: String? {
        guard receipt.since == nil, receipt.oldestRead < receipt.began else { return nil }
        return "it goes on with a verification that was interrupted, whose oldest part was read at "
            + Self.time(receipt.oldestRead)
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
