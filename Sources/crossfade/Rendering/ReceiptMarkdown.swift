import Foundation
import Parity
import Telemetry

/// A receipt as Markdown (GitHub's, with tables).
extension ReceiptReport {
    var markdown: String {
        var parts = ["# \(Self.name(receipt.verdict)): \(receipt.migration)", meaning]
        if !receipt.remarks.isEmpty { parts.append(list(receipt.remarks)) }
        if !holding.isEmpty { parts.append(list(holding)) }
        parts.append(table(["", ""], facts.map { [$0.name, $0.value] }))
        parts.append("## Totals")
        let names = receipt.indices.map(\.name)
        let totals = receipt.indices.map(\.totals) + (names.count > 1 ? [receipt.totals] : [])
        let rows = Self.lines(receipt.totals).map(\.name).enumerated().map { place, name in
            [name] + totals.map { "\(Self.lines($0)[place].count)" }
        }
        let heads = [""] + names.map(Self.code) + (names.count > 1 ? ["together"] : [])
        parts.append(table(heads, rows + [["compared"] + totals.map { "\($0.compared)" }]))
        parts.append(
            table(
                ["index", "of the \(reference)", "read", "on the new side", "read", "tombstones", "not to be copied"],
                receipt.indices.map {
                    [$0.name]
                        + [receipt.basis == .source ? "\($0.sourceTotal)" : ""]
                        + [$0.sourceRead, $0.targetTotal, $0.targetRead, $0.tombstones, $0.uncopied].map(String.init)
                }))
        let notes = receipt.indices.compactMap { index in countNote(index).map { "\(index.name): \($0)" } }
        if !notes.isEmpty { parts.append(list(notes)) }
        parts += receipt.indices.flatMap(details)
        if !receipt.examples.isEmpty { parts += ["## Examples"] + findings }
        parts += repair
        if !receipt.sample.isEmpty { parts += ["## Samples"] + receipt.sample.map(sampled) }
        parts.append("## Positions")
        parts.append(
            table(
                ["partition", "verified up to", "application", "Crossfade", "end"],
                receipt.positions.map { position in
                    ["\(position.partition)", "\(position.verifiedUpTo)"]
                        + [position.application, position.crossfade].map { $0.map(String.init) ?? "unknown" }
                        + ["\(position.end)"]
                }))
        if !next.isEmpty { parts.append("Next: " + next.map(Self.code).joined(separator: ", ")) }
        return parts.joined(separator: "\n\n") + "\n"
    }

    /// What both forms for reading say at the top.
    var facts: [(name: String, value: String)] {
        var facts = [
            ("receipt", receipt.id),
            (
                "compared",
                receipt.basis == .source ? "the old side with the new one" : "the topic with the new side"
            ),
        ]
        if let since = receipt.since { facts.append(("goes on from", "receipt \(since)")) }
        if let source = receipt.source { facts.append(("old side", "\(source.name), \(source.uuid)")) }
        facts.append(("new side", "\(receipt.target.name), \(receipt.target.uuid)"))
        facts.append(("topic", receipt.topic + (receipt.topicID.map { ", \($0)" } ?? "")))
        facts.append(("began", Self.time(receipt.began)))
        facts.append(("ended", "\(Self.time(receipt.ended)), after \(duration)"))
        facts.append(("oldest part read", Self.time(receipt.oldestRead)))
        if let resumed { facts.append(("interrupted", resumed)) }
        if let words = receipt.rechecks.words { facts.append(("rechecks", words)) }
        facts.append(("recipe", "fingerprint \(receipt.fingerprint)"))
        facts.append(("crossfade", receipt.version))
        return facts
    }

    private func details(_ index: Receipt.Index) -> [String] {
        var parts: [String] = []
        let unequal = unequal(index.fields)
        if !unequal.isEmpty {
            parts.append("Fields of \(Self.code(index.name)) that searches find in other numbers of documents:")
            parts.append(
                table(
                    ["field", "old side", "new side", "values ignored"],
                    unequal.map {
                        [
                            $0.field, $0.source.map(String.init) ?? "", "\($0.target)",
                            $0.ignored.map(String.init) ?? "",
                        ]
                    }))
        }
        if !index.ignored.isEmpty {
            parts.append("Documents of \(Self.code(index.name)) that are equal only because a field is not compared:")
            parts.append(
                table(
                    ["field", "documents"], index.ignored.sorted { $0.key < $1.key }.map { [$0.key, "\($0.value)"] }))
        }
        if !index.copies.isEmpty { parts.append(list(index.copies)) }
        let bars = index.histogram.filter { !isExplained($0.source, $0.target) }
        if !bars.isEmpty {
            parts.append("Periods in which \(Self.code(index.histogramField ?? "")) counts other numbers:")
            parts.append(
                table(
                    ["from", "old side", "new side"],
                    bars.map { [Self.time($0.from), "\($0.source)", "\($0.target)"] }))
        }
        return parts
    }

    private var findings: [String] {
        FindingKind.allCases.flatMap { kind -> [String] in
            let found = receipt.examples.filter { $0.kind == kind }
            guard !found.isEmpty else { return [] }
            let rows = found.flatMap { finding -> [[String]] in
                let (id, routing) = Self.title(finding.key)
                let name = [receipt.index(of: finding.key), id, routing ?? ""]
                let note = Self.note(finding) ?? ""
                if finding.paths.isEmpty { return [name + ["", "", "", note]] }
                return finding.paths.map { path in
                    name + [path.path, path.expected ?? "", path.found ?? "", note]
                }
            }
            let heads = ["index", "id", "routing", "field", "expected", "found", "note"]
            return [
                "### \(Self.name(kind)): \(receipt.totals.findings[kind] ?? 0), \(meaning(kind))",
                table(heads, rows),
            ]
        }
    }

    private var repair: [String] {
        guard let report = receipt.repair, let sentence = repairSentence else { return [] }
        var parts = ["## Repair", sentence]
        parts.append(table([""] + repairHeads, repairRows.map { [$0.name] + $0.counts.map(String.init) }))
        if !repairDoubts.isEmpty { parts.append(list(repairDoubts.map { "\($0.count) left as \($0.meaning)" })) }
        if !report.examples.isEmpty {
            parts.append(
                table(
                    ["index", "id", "routing", "was", "step", "version", "came of it"],
                    report.examples.map(repairCells)))
        }
        return parts
    }

    private func sampled(_ sample: SampledDocument) -> String {
        let (id, routing) = Self.title(sample.key)
        return table(
            [Self.code(id) + (routing.map { ", routing " + Self.code($0) } ?? ""), ""],
            Self.columns(sample).map { [$0.name, $0.text] })
    }

    private func list(_ lines: [String]) -> String { lines.map { "- " + Self.plain($0) }.joined(separator: "\n") }

    /// The heads are Markdown already; cells are not.
    private func table(_ heads: [String], _ rows: [[String]]) -> String {
        let lines = [heads, heads.map { _ in "---" }] + rows.map { $0.map(Self.cell) }
        return lines.map { "| " + $0.joined(separator: " | ") + " |" }.joined(separator: "\n")
    }

    private static func cell(_ text: String) -> String {
        let isPlain = text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || " -.,:%".contains($0)) }
        return text.isEmpty || isPlain ? text : code(text)
    }

    /// A span in which nothing is markup. A bar ends a cell even there.
    static func code(_ text: String) -> String {
        let text = VisibleText.line(text).replacing("|", with: "\\|")
        let longest = text.split(whereSeparator: { $0 != "`" }).map(\.count).max() ?? 0
        let fence = String(repeating: "`", count: longest + 1)
        let isBare = !text.hasPrefix("`") && !text.hasSuffix("`")
        return fence + (isBare ? text : " \(text) ") + fence
    }

    /// Text in which nothing is markup.
    private static func plain(_ text: String) -> String {
        var plain = ""
        for character in VisibleText.line(text) {
            if "\\`*_{}[]<>#|~&".contains(character) { plain.append("\\") }
            plain.append(character)
        }
        return plain
    }
}
