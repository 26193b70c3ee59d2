import Foundation
import Parity

/// The histogram of both sides, as a drawing inside the page.
extension ReceiptReport {
    /// Units of the drawing. It is stretched to the width of the page, so it holds no text.
    private static let (width, height) = (1000.0, 200.0)

    func histogram(_ index: Receipt.Index) -> HTML {
        let bars = index.histogram
        guard let first = bars.first, let last = bars.last, let field = index.histogramField else { return "" }
        let most = max(1, bars.map { max($0.source, $0.target) }.max() ?? 1)
        let unequal = bars.filter { !isExplained($0.source, $0.target) }
        let isSame = bars.allSatisfy { $0.source == $0.target }
        let words =
            unequal.isEmpty
            ? isSame
                ? "Both sides count the same in all \(bars.count) periods."
                : "Both sides count the same, but for the \(receipt.meanwhile) commands that came meanwhile."
            : "\(unequal.count) of \(bars.count) periods differ; they are marked below the line."
        let rows: [HTML] = unequal.prefix(50).map {
            "<tr><th>\(Self.time($0.from))</th><td>\($0.source)</td><td>\($0.target)</td></tr>"
        }
        let left: HTML = unequal.count > 50 ? "<p class=\"soft\">and \(unequal.count - 50) more</p>" : ""
        let table: HTML =
            unequal.isEmpty
            ? ""
            : """
            <div class="scroll"><table class="wide"><thead><tr><th>period from</th><th>old side</th>\
            <th>new side</th></tr></thead>\
            <tbody>\(rows)</tbody></table></div>\(left)
            """
        return """
            <section><h2>By <code>\(field)</code>: \(index.name)</h2>
            <p>\(words)</p>
            <p class="key"><span class="old"></span>old side <span class="new"></span>new side \
            <b>highest bar: \(most) documents</b></p>
            <svg viewBox="0 0 1000 214" preserveAspectRatio="none" role="img" aria-label="\(words)">
            \(bars.enumerated().map { bar($0, $1, of: bars.count, most: most) })
            <path class="base" d="M0 200H1000"/></svg>
            <p class="axis"><span>\(Self.time(first.from))</span><span>\(Self.time(last.from))</span></p>
            \(table)</section>
            """
    }

    /// Both sides of one period, side by side; below the line a mark where they differ.
    private func bar(_ place: Int, _ bar: Receipt.Bar, of count: Int, most: Int) -> HTML {
        let step = Self.width / Double(count)
        let gap = count > 200 ? 0 : step * 0.12
        let half = (step - gap) / 2
        let left = Double(place) * step + gap / 2
        let mark: HTML =
            isExplained(bar.source, bar.target)
            ? ""
            : """
            <rect class="mark" x="\(Self.coordinate(left))" y="204" \
            width="\(Self.coordinate(max(half * 2, 2)))" height="10"/>
            """
        return """
            \(rect("old", left, half, bar.source, most))\(rect("new", left + half, half, bar.target, most))\(mark)
            """
    }

    private func rect(_ side: String, _ left: Double, _ width: Double, _ count: Int, _ most: Int) -> HTML {
        guard count > 0 else { return "" }
        // A bar of one document is still seen.
        let height = max(1, Self.height * Double(count) / Double(most))
        return """
            <rect class="\(side)" x="\(Self.coordinate(left))" y="\(Self.coordinate(Self.height - height))" \
            width="\(Self.coordinate(width))" height="\(Self.coordinate(height))"/>
            """
    }

    private static func coordinate(_ number: Double) -> String { String(format: "%.2f", number) }
}
