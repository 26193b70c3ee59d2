import Commands
import JSONText

/// The one spelling of a number, or of a literal, by which values are compared. Nothing is calculated with a `Double`.
enum CanonicalNumber {
    /// Whole numbers of at most so many digits stand there as they are; all else as digits and a power of ten.
    private static let plainDigits = 18

    /// Whether the text of a number or literal is its own canonical form.
    @inline(__always) static func isCanonical(_ text: Bytes) -> Bool {
        guard let start = text.baseAddress, text.count > 0 else { return true }
        // A literal has one spelling.
        guard start[0] <= UInt8(ascii: "9") else { return true }
        var at = start[0] == UInt8(ascii: "-") ? 1 : 0
        guard text.count &- at <= plainDigits else { return false }
        // A zero has no sign.
        guard at == 0 || start[1] != UInt8(ascii: "0") else { return false }
        while at < text.count {
            guard start[at] &- UInt8(ascii: "0") <= 9 else { return false }
            at &+= 1
        }
        return true
    }

    /// Appends the canonical form of a number. An exponent that no memory could hold the digits of is left as it is.
    @inline(never) static func append(_ text: Bytes, to out: ByteBuffer) {
        guard let spelling = DecimalSpelling(text), !spelling.isBeyondReach else { return out.append(text) }
        guard let digits = spelling.digits else { return out.append(UInt8(ascii: "0")) }
        if spelling.isNegative { out.append(UInt8(ascii: "-")) }
        let first = out.count
        for place in digits where place != spelling.point { out.append(text[place]) }
        let count = out.count &- first
        if spelling.power >= 0, spelling.power <= plainDigits, count &+ spelling.power <= plainDigits {
            for _ in 0..<spelling.power { out.append(UInt8(ascii: "0")) }
        } else {
            out.append(UInt8(ascii: "e"))
            out.append(decimal: Int64(spelling.power))
        }
    }
}
