import Foundation
import Parity

/// A receipt as one HTML page that needs nothing else: no script, no font, no image from elsewhere.
extension ReceiptReport {
    var html: String {
        let title: HTML = "\(Self.name(receipt.verdict).capitalized): \(receipt.migration)"
        let page: HTML = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>\(title)</title>
            <style>\(ReceiptStyle.css)</style>
            </head>
            <body>
            <main>
            \(head)
            \(notes)
            <section class="ledger" aria-label="Totals">\(receipt.indices.map(ledger))\(together)</section>
            \(receipt.indices.map(histogram))
            \(receipt.indices.map(fields))
            \(findings)
            \(repairSection)
            \(samples)
            \(factSection)
            \(positions)
            \(foot)
            </main>
            </body>
            </html>
            """
        return page.text + "\n"
    }

    private var head: HTML {
        """
        <header class="\(receipt.verdict.rawValue)">
        <p class="brand">\(ReceiptStyle.logo) Crossfade receipt</p>
        <h1>\(Self.name(receipt.verdict))</h1>
        <p class="meaning">\(meaning)</p>
        <p class="what">\(receipt.migration), \(Self.time(receipt.ended))</p>
        </header>
        """
    }

    private var notes: HTML {
        let notes = receipt.remarks + holding
        guard !notes.isEmpty else { return "" }
        return """
            <section><h2>What to know</h2>
            <ul class="notes">\(notes.map { "<li>\(Self.marked($0))</li>" as HTML })</ul></section>
            """
    }

    /// What stands between backticks is code.
    private static func marked(_ text: String) -> HTML {
        let parts: [HTML] = text.split(separator: "`", omittingEmptySubsequences: false).enumerated().map {
            place, part in
            place % 2 == 0 ? "\(String(part))" : "<code>\(String(part))</code>"
        }
        return "\(parts)"
    }

    private static func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

    // MARK: Totals

    /// The lines of an index that sum, as on a bill.
    private func ledger(_ index: Receipt.Index) -> HTML {
        let from: HTML = index.from.isEmpty ? "" : "<p class=\"soft\">from \(index.from.joined(separator: ", "))</p>"
        let more: [(String, Int)] = [
            ("tombstones", index.tombstones), ("cannot be copied", index.uncopied),
        ].filter { $0.1 > 0 }
        let note: HTML = countNote(index).map { "<p class=\"soft\">\($0)</p>" } ?? ""
        let copies: [HTML] = index.copies.map { "<p class=\"warn\">\($0)</p>" }
        return """
            <div class="bill"><h2>\(index.name)</h2>\(from)
            <table>\(rows(index.totals))</table>
            <table class="soft">
            \(coverage(reference, index.sourceRead, receipt.basis == .source ? index.sourceTotal : nil))
            \(coverage("new side", index.targetRead, index.targetTotal))
            \(more.map { "<tr><th>\($0.0)</th><td>\($0.1)</td></tr>" as HTML })
            </table>
            \(note)\(copies)</div>
            """
    }

    private var together: HTML {
        guard receipt.indices.count > 1 else { return "" }
        return "<div class=\"bill\"><h2>Together</h2><table>\(rows(receipt.totals))</table></div>"
    }

    private func rows(_ totals: ParityTotals) -> HTML {
        let lines: [HTML] = Self.lines(totals).map { line in
            let kind = line.count == 0 ? "none" : line.name == "equal" ? "good" : "bad"
            return "<tr class=\"\(kind)\"><th>\(line.name)</th><td>\(line.count)</td></tr>"
        }
        return "\(lines)<tr class=\"sum\"><th>compared</th><td>\(totals.compared)</td></tr>"
    }

    /// `total`: nil: nobody has counted them.
    private func coverage(_ side: String, _ read: Int, _ total: Int?) -> HTML {
        guard let total else { return "<tr><th>\(side)</th><td>\(read) read</td></tr>" }
        // A verification that goes on from a receipt reads only what the topic has named since.
        if receipt.since != nil { return "<tr><th>\(side)</th><td>holds \(total)</td></tr>" }
        if read == total { return "<tr><th>\(side)</th><td>all \(total) read</td></tr>" }
        let isBad = receipt.verdict == .incomplete || receipt.meanwhile == 0
        return "<tr class=\"\(isBad ? "bad" : "none")\"><th>\(side)</th><td>\(read) of \(total) read</td></tr>"
    }

    // MARK: What differs

    private func fields(_ index: Receipt.Index) -> HTML {
        let unequal = unequal(index.fields)
        let counted: [HTML] = unequal.map { field in
            """
            <tr><th>\(field.field)</th><td>\(field.source.map { HTML.grouped(Int64($0)) } ?? "-")</td>\
            <td>\(field.target)</td><td>\(field.ignored.map { HTML.grouped(Int64($0)) } ?? "-")</td></tr>
            """
        }
        let same = index.fields.count - unequal.count
        let others: HTML = same > 0 ? " \(same) other fields are found equally often." : ""
        let ignored: [HTML] = index.ignored.sorted { $0.key < $1.key }.map {
            "<tr><th>\($0.key)</th><td>\($0.value)</td></tr>"
        }
        var parts: [HTML] = []
        if !counted.isEmpty {
            parts.append(
                """
                <section><h2>What searches find: \(index.name)</h2>
                <p>These fields are found in other numbers of documents on the new side, or it ignores values of them. \
                Documents can be equal all the same, because an ignored value stays in them.\(others)</p>
                <div class="scroll"><table class="wide"><thead><tr><th>field</th><th>old side</th><th>new side</th>\
                <th>ignored</th></tr>\
                </thead><tbody>\(counted)</tbody></table></div></section>
                """)
        }
        if !ignored.isEmpty {
            parts.append(
                """
                <section><h2>Not compared: \(index.name)</h2>
                <p>So many documents are equal only because the recipe leaves a field out.</p>
                <div class="scroll"><table class="wide"><tbody>\(ignored)</tbody></table></div></section>
                """)
        }
        return "\(parts)"
    }

    private var findings: HTML {
        let parts: [HTML] = FindingKind.allCases.compactMap { kind in
            let found = receipt.examples.filter { $0.kind == kind }
            guard !found.isEmpty else { return nil }
            let total = receipt.totals.findings[kind] ?? 0
            let shown: HTML = found.count < total ? ", \(found.count) of them here" : ""
            return """
                <section><h2>\(Self.sentence(Self.name(kind))): \(total)</h2>
                <p>\(Self.sentence(meaning(kind)))\(shown).</p>
                \(found.map(finding))</section>
                """
        }
        return "\(parts)"
    }

    private func finding(_ finding: Finding) -> HTML {
        let (id, routing) = Self.title(finding.key)
        let place: HTML = receipt.indices.count > 1 ? " <span>in \(receipt.index(of: finding.key))</span>" : ""
        let under: HTML = routing.map { " <span>routing <code>\($0)</code></span>" } ?? ""
        let note: HTML = Self.note(finding).map { " <span>\($0)</span>" } ?? ""
        let versions: HTML =
            finding.targetVersion.map { target in
                let source: HTML = finding.sourceVersion.map { "; the old side counts its own: \(String($0))" } ?? ""
                return " <span>version \(String(target))\(source)</span>"
            } ?? ""
        let paths: [HTML] = finding.paths.map { path in
            """
            <dt>\(path.path)</dt><dd class="old">\(value(path.expected))</dd><dd class="new">\(value(path.found))</dd>
            """
        }
        let table: HTML =
            paths.isEmpty
            ? ""
            : """
            <dl><dt class="top">field</dt><dd class="top">expected</dd><dd class="top">found</dd>\(paths)</dl>
            """
        return """
            <article class="\(paths.isEmpty ? "bare" : "full")"><h3><code>\(id)</code>\(place)\(under)\(note)\
            \(versions)</h3>\(table)</article>
            """
    }

    private func value(_ value: String?) -> HTML { value.map { "<code>\($0)</code>" } ?? "<i>nothing</i>" }

    private var samples: HTML {
        guard !receipt.sample.isEmpty else { return "" }
        let parts: [HTML] = receipt.sample.map { sample in
            let (id, routing) = Self.title(sample.key)
            let under: HTML = routing.map { " <span>routing <code>\($0)</code></span>" } ?? ""
            let columns: [HTML] = Self.columns(sample).map { "<div><h4>\($0.name)</h4><pre>\($0.text)</pre></div>" }
            return "<article><h3><code>\(id)</code>\(under)</h3><div class=\"sample\">\(columns)</div></article>"
        }
        return "<section><h2>Whole documents, to read</h2>\(parts)</section>"
    }

    // MARK: Where it comes from

    private var factSection: HTML {
        let rows: [HTML] = facts.map { "<tr><th>\($0.name)</th><td>\($0.value)</td></tr>" }
        return "<section><h2>Where it comes from</h2><table class=\"facts\"><tbody>\(rows)</tbody></table></section>"
    }

    private var positions: HTML {
        guard !receipt.positions.isEmpty else { return "" }
        let rows: [HTML] = receipt.positions.map { position in
            let others: [HTML] = [position.application, position.crossfade].map { number in
                number.map { "<td>\($0)</td>" } ?? "<td><i>unknown</i></td>"
            }
            return """
                <tr><th>\(String(position.partition))</th><td>\(position.verifiedUpTo)</td>\(others)\
                <td>\(position.end)</td></tr>
                """
        }
        return """
            <section><h2>Verified up to</h2>
            <p>Every command before these offsets is in what was compared. The other columns say where both consumer \
            groups stood at the end, and where the topic ended.</p>
            <div class="scroll"><table class="wide"><thead><tr><th>partition</th><th>verified up to</th>\
            <th>application</th>\
            <th>Crossfade</th><th>end</th></tr></thead><tbody>\(rows)</tbody></table></div></section>
            """
    }

    private var foot: HTML {
        let next: HTML = self.next.isEmpty ? "" : "<p>Next: \(self.next.map { "<code>\($0)</code>" as HTML })</p>"
        return """
            <footer>\(next)<p>To find out whether this receipt was changed: \
            <code>crossfade receipts check \(recipe) \(receipt.id)</code></p></footer>
            """
    }
}
