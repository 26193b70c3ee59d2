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

    /// A number in parts: sign, digits with or without a point between them, exponent.
    private struct Spelling {
        var isNegative = false
        /// Where the digits begin and end. There may be a point among them.
        var mantissa = 0..<0
        /// The place of the point, or the end of the digits.
        var point = 0
        var exponent = 0

        init?(_ text: Bytes) {
            var at = 0
            func digits() -> Int {
                let start = at
                while at < text.count, text[at] &- UInt8(ascii: "0") <= 9 { at += 1 }
                return at - start
            }
            if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") {
                isNegative = text[at] == UInt8(ascii: "-")
                at += 1
            }
            let start = at
            var count = digits()
            point = at
            if at < text.count, text[at] == UInt8(ascii: ".") {
                at += 1
                count += digits()
            }
            guard count > 0 else { return nil }
            mantissa = start..<at
            if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
                at += 1
                guard let number = Self.exponent(text, from: &at) else { return nil }
                exponent = number
            }
            guard at == text.count else { return nil }
        }

        /// More than any text can make up for by its digits.
        private static let huge = 1 << 56

        private static func exponent(_ text: Bytes, from at: inout Int) -> Int? {
            var isNegative = false
            if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") {
                isNegative = text[at] == UInt8(ascii: "-")
                at += 1
            }
            let start = at
            var number = 0
            while at < text.count, text[at] &- UInt8(ascii: "0") <= 9 {
                number = min(huge, number * 10 + Int(text[at] &- UInt8(ascii: "0")))
                at += 1
            }
            guard at > start else { return nil }
            return isNegative ? -number : number
        }
    }

    private static func parseAny(_ text: Bytes) -> Int64? {
        guard let spelling = Spelling(text) else { return nil }
        let zero = UInt8(ascii: "0")
        func counts(_ place: Int) -> Bool { place != spelling.point && text[place] != zero }
        // The zeros at both ends say only how large the digits between them are.
        guard let first = spelling.mantissa.first(where: counts),
            let last = spelling.mantissa.last(where: counts)
        else { return 0 }
        // The power of ten of the last digit that is not zero.
        let power = (last < spelling.point ? spelling.point - 1 - last : spelling.point - last) + spelling.exponent
        guard power >= 0, power <= 18 else { return nil }
        var number: Int64 = 0
        func take(_ digit: Int64) -> Bool {
            let (tens, overflow) = number.multipliedReportingOverflow(by: 10)
            // Below zero there is one number more.
            let (sum, overflowToo) = tens.subtractingReportingOverflow(digit)
            number = sum
            return !overflow && !overflowToo
        }
        for place in first...last where place != spelling.point {
            guard take(Int64(text[place] &- zero)) else { return nil }
        }
        for _ in 0..<power { guard take(0) else { return nil } }
        if spelling.isNegative { return number }
        return number == .min ? nil : -number
    }
}
