import JSONText

/// Reads whole numbers in every spelling: `5`, `5.0`, `5e0`, `50e-1`. It calculates with the digits as they stand, so
/// that no number is rounded, as a `Double` would do beyond 2^53.
public enum WholeNumber {
    /// The number that `text` spells; nil: it is no number, not whole, or beyond 64 bits.
    public static func parse(_ text: Bytes) -> Int64? {
        guard text.count > 0, text.count <= 18 else { return parseAny(text) }
        var number: Int64 = 0
        for byte in text {
            let digit = byte &- UInt8(ascii: "0")
            guard digit <= 9 else { return parseAny(text) }
            // 18 digits are less than 2^63.
            number = number &* 10 &+ Int64(digit)
        }
        return number
    }

    private static func parseAny(_ text: Bytes) -> Int64? {
        guard let spelling = DecimalSpelling(text) else { return nil }
        guard let digits = spelling.digits else { return 0 }
        let power = spelling.power
        guard power >= 0, power <= 18 else { return nil }
        var number: Int64 = 0
        func take(_ digit: Int64) -> Bool {
            let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
            // Below zero there is one number more.
            let (sum, overflowToo) = tens.subtractingReportingOverflow(digit)
            number = sum
            return !overflow && !overflowToo
        }
        for place in digits where place != spelling.point {
            guard take(Int64(text[place] &- UInt8(ascii: "0"))) else { return nil }
        }
        for _ in 0..<power { guard take(0) else { return nil } }
        if spelling.isNegative { return number }
        return number == .min ? nil : -number
    }
}
