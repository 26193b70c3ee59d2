import JSONText

/// The parts of a number's spelling. Nothing is calculated with a `Double`, so nothing is rounded.
public struct DecimalSpelling: Sendable, Equatable {
    public private(set) var isNegative = false
    /// The places of the first and the last digit that is not zero; nil: the number is zero.
    public private(set) var digits: ClosedRange<Int>?
    /// The place of the decimal point. It may lie among ``digits``, and is no digit.
    public private(set) var point = 0
    /// The power of ten that the last of ``digits`` counts.
    public private(set) var power = 0
    /// Whether the exponent is so large that ``power`` says no more than its sign.
    public private(set) var isBeyondReach = false

    /// More than any text can make up for by its digits.
    private static let huge = 1 << 56

    /// nil: the text is no number. Leading zeros and a plus sign are taken, which JSON does not allow.
    public init?(_ text: Bytes) {
        var at = 0
        if at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "+") {
            isNegative = text[at] == UInt8(ascii: "-")
            at += 1
        }
        let start = at
        var count = Self.skipDigits(text, &at)
        point = at
        if at < text.count, text[at] == UInt8(ascii: ".") {
            at += 1
            count += Self.skipDigits(text, &at)
        }
        guard count > 0 else { return nil }
        let mantissa = start..<at
        var exponent = 0
        if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            guard let number = Self.exponent(text, from: &at) else { return nil }
            exponent = number
        }
        guard at == text.count else { return nil }
        find(text, mantissa, exponent)
    }

    private mutating func find(_ text: Bytes, _ mantissa: Range<Int>, _ exponent: Int) {
        let point = point
        func counts(_ place: Int) -> Bool { place != point && text[place] != UInt8(ascii: "0") }
        // The zeros at both ends say only how large the digits between them are.
        guard let first = mantissa.first(where: counts), let last = mantissa.last(where: counts) else { return }
        digits = first...last
        power = (last < point ? point - 1 - last : point - last) + exponent
        isBeyondReach = exponent.magnitude == Self.huge
    }

    private static func skipDigits(_ text: Bytes, _ at: inout Int) -> Int {
        let start = at
        while at < text.count, text[at] &- UInt8(ascii: "0") <= 9 { at += 1 }
        return at - start
    }

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
