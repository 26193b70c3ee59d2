import Telemetry

/// Rows of cells as lines, one line each whatever the cells hold, with their columns under each other. All rows have as
/// many cells as the first.
enum TableText {
    static func lines(_ rows: [[String]]) -> [String] {
        let rows = rows.map { row in row.map { VisibleText.line($0) } }
        guard let first = rows.first else { return [] }
        let widths = first.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            var line = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
                .joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
