/// Durations as recipes and command lines write them: `90s`, `15m`, `1h`, `2d`.
package enum RecipeDuration {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// nil when it is none, or more than 100 years.
    package static func milliseconds(_ text: String) -> Int64? {
        let number = text.prefix { $0.isDecimalDigit || $0 == "." }
        var unit = text.dropFirst(number.count)
        if unit.first == " " { unit = unit.dropFirst() }
        guard let scale = units.first(where: { $0.name == unit })?.milliseconds, number.first != ".",
            number.last != ".", let count = Double(number)
        else { return nil }
        let milliseconds = (count * Double(scale)).rounded()
        return milliseconds <= 3.2e12 ? Int64(milliseconds) : nil
    }

    /// In the largest unit that says it exactly.
    package static func text(_ milliseconds: Int64) -> String {
        let unit = units.first { milliseconds > 0 && milliseconds % $0.milliseconds == 0 } ?? ("ms", 1)
        return "\(milliseconds / unit.milliseconds)\(unit.name)"
    }
}
