import Parity

/// The table of a repair.
extension ReceiptReport {
    var repairSection: HTML {
        guard let report = receipt.repair, let sentence = repairSentence else { return "" }
        let heads: [HTML] = repairHeads.map { "<th>\($0)</th>" }
        let rows: [HTML] = repairRows.map { row in
            let cells: [HTML] = row.counts.map { "<td>\($0)</td>" }
            return "<tr><th>\(row.name)</th>\(cells)</tr>"
        }
        let doubts: [HTML] = repairDoubts.map { "<li>\($0.count) left as \($0.meaning)</li>" }
        let why: HTML = doubts.isEmpty ? "" : "<ul class=\"notes\">\(doubts)</ul>"
        let examples: [HTML] = report.examples.map { example in
            let cells: [HTML] = repairCells(example).enumerated().map { place, cell in
                place == 1 ? "<td><code>\(cell)</code></td>" : "<td>\(cell)</td>"
            }
            return "<tr>\(cells)</tr>"
        }
        let list: HTML =
            examples.isEmpty
            ? ""
            : """
            <div class="scroll"><table class="wide"><thead><tr><th>index</th><th>id</th><th>routing</th><th>was</th>\
            <th>step</th><th>version</th><th>came of it</th></tr></thead><tbody>\(examples)</tbody></table></div>
            """
        return """
            <section><h2>\(report.isPerformed ? "Repair" : "What a repair would do")</h2>
            <p>\(sentence)</p>
            <div class="scroll"><table class="wide"><thead><tr><th></th>\(heads)</tr></thead>\
            <tbody>\(rows)</tbody></table></div>\(why)\(list)</section>
            """
    }
}
