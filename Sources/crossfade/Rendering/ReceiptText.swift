import Foundation
import Parity
import State
import Telemetry

/// A receipt on a terminal.
extension ReceiptReport {
    /// Examples of one kind that are printed; the receipt has more.
    private static let printed = 10
    private static let printedPaths = 4

    var text: String {
        let totals = receipt.totals
        var lines = ["\(receipt.migration): \(Self.name(receipt.verdict))", "  \(meaning)"]
        lines += remarkLines
        lines.append("  compared  \(totals.compared): " + Self.sum(totals))
        lines += receipt.indices.flatMap(indexLines)
        lines += receipt.indices.flatMap(fieldLines)
        for index in receipt.indices {
            lines += index.ignored.sorted { $0.key < $1.key }.map { path, count in
                "  ignored   \(VisibleText.line(index.name)): \(count) documents are equal only because "
                    + "\(VisibleText.line(path)) is "
                    + "not compared"
            }
            lines += index.copies.map { "  copies    \(VisibleText.line(index.name)): \(VisibleText.line($0))" }
        }
        lines.append(
            "  read      from \(Self.time(receipt.began)), \(duration); the oldest part at "
                + Self.time(receipt.oldestRead))
        if let resumed { lines.append("            \(resumed)") }
        lines.append("  verified up to  " + upTo)
        if let words = receipt.rechecks.words { lines.append("  rechecks  " + words) }
        lines += examples
        lines += repair
        lines += holding.map { "  waits     \($0)" }
        lines.append("  receipt   \(receipt.id), kept in the migration's state")
        lines += advice
        return lines.joined(separator: "\n")
    }

    private var advice: [String] {
        if receipt.verdict == .empty {
            let names = receipt.indices.filter { $0.verdict == .empty }.map(\.name)
            guard receipt.totals.compared > 0, !names.isEmpty else {
                return ["next: if that is right, say `verify: { empty: accept }` in the recipe"]
            }
            return ["next: if that is right, say `empty: accept` in the entry of \(names.joined(separator: ", "))"]
        }
        if next.isEmpty, receipt.repair?.sum.onlyLogAgrees == true {
            return ["next: \(ReceiptEntry.oldSideDiffersAdvice)"]
        }
        if next.isEmpty, receipt.verdict == .different {
            return ["next: look at the documents that are left as they are; a repair does not change them"]
        }
        if next.isEmpty {
            return ["next: to keep or print it: crossfade receipts show \(recipe) \(receipt.id) --report receipt.html"]
        }
        let indexer = receipt.needs.contains(.indexer) ? ["next: start the application's indexer, and then:"] : []
        return indexer + next.map { "next: \($0)" }
    }

    private var remarkLines: [String] { receipt.remarks.map { "  note      \(VisibleText.line($0))" } }

    private var upTo: String {
        guard !receipt.positions.isEmpty else { return "unknown" }
        return receipt.positions.map { "\($0.partition):\($0.verifiedUpTo)" }.joined(separator: " ")
    }

    private func indexLines(_ index: Receipt.Index) -> [String] {
        let from = index.from.isEmpty ? "" : " from " + index.from.map { VisibleText.line($0) }.joined(separator: ", ")
        var lines = ["  index     \(VisibleText.line(index.name))\(from): \(Self.name(index.verdict).lowercased())"]
        if receipt.since == nil {
            // Nobody has counted the documents of a topic.
            let ofTotal = receipt.basis == .source ? " of \(index.sourceTotal)" : ""
            lines.append(
                "            read \(index.sourceRead)\(ofTotal) documents of the \(reference), "
                    + "\(index.targetRead) of \(index.targetTotal) of the new side")
            if let note = countNote(index) { lines.append("            \(note)") }
        }
        if index.uncopied > 0 { lines.append("            \(index.uncopied) documents cannot be copied") }
        if receipt.indices.count > 1 {
            lines.append("            compared \(index.totals.compared): " + Self.sum(index.totals))
        }
        return lines
    }

    private func fieldLines(_ index: Receipt.Index) -> [String] {
        unequal(index.fields).map { field in
            let ignored = field.ignored.map { $0 > 0 ? ", which ignores \($0) values of it" : "" } ?? ""
            return "  search    \(VisibleText.line(index.name)): \(VisibleText.line(field.field)) is found in "
                + "\(field.source.map(String.init) ?? "-") documents of the old side, "
                + "\(field.target) of the new side\(ignored)"
        }
    }

    private var examples: [String] {
        var lines: [String] = []
        for kind in FindingKind.allCases {
            let all = receipt.examples.filter { $0.kind == kind }
            let total = receipt.totals.findings[kind] ?? 0
            guard !all.isEmpty else { continue }
            lines.append("  \(Self.name(kind)): \(total), \(meaning(kind))")
            for finding in all.prefix(Self.printed) { lines += self.lines(finding) }
            let left = total - min(all.count, Self.printed)
            if left > 0 {
                lines.append("    and \(left) more; the receipt has \(all.count) of them")
            }
        }
        return lines
    }

    private var repair: [String] {
        guard let report = receipt.repair, let sentence = repairSentence else { return [] }
        var lines = ["  repair    " + sentence]
        lines += repairRows.map { row in
            let counts = zip(repairHeads, row.counts).filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
            return "    \(VisibleText.line(row.name)): " + counts.joined(separator: ", ")
        }
        lines += repairDoubts.map { "    left \($0.count) as \($0.meaning)" }
        for example in report.examples.prefix(2 * Self.printed) {
            let cells = repairCells(example)
            var line = "    \(cells[4]) \(VisibleText.line(cells[0])) \(Self.quoted(cells[1]))"
            if !cells[2].isEmpty { line += ", routing \(Self.quoted(cells[2]))" }
            if !cells[5].isEmpty { line += ", at version \(cells[5])" }
            lines.append(line + ", which was \(cells[3])" + (cells[6].isEmpty ? "" : ": \(cells[6])"))
        }
        let left = report.examples.count - 2 * Self.printed
        if left > 0 { lines.append("    and \(left) more examples in the receipt") }
        return lines
    }

    private func lines(_ finding: Finding) -> [String] {
        let (id, routing) = Self.title(finding.key)
        var line = "    \(VisibleText.line(receipt.index(of: finding.key))) \(Self.quoted(id))"
        if let routing { line += ", routing \(Self.quoted(routing))" }
        if let note = Self.note(finding) { line += "; \(VisibleText.line(note))" }
        return [line]
            + finding.paths.prefix(Self.printedPaths).map { path in
                "      \(VisibleText.line(path.path)): expected \(Self.value(path.expected)), found "
                    + Self.value(path.found)
            }
            + (finding.paths.count > Self.printedPaths
                ? ["      and \(finding.paths.count - Self.printedPaths) more fields in the receipt"] : [])
    }

    /// `equal 10, missing 1`: what is not 0, or all of it when nothing was compared.
    private static func sum(_ totals: ParityTotals) -> String {
        let parts = lines(totals).filter { $0.count > 0 || $0.name == "equal" }
        return parts.map { "\($0.name) \($0.count)" }.joined(separator: ", ")
    }

    private static func value(_ value: String?) -> String { value.map { VisibleText.line($0) } ?? "nothing" }
    private static func quoted(_ text: String) -> String { "\"\(VisibleText.line(text))\"" }
}
