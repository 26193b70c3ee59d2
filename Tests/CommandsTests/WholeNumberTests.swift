import Commands
import JSONText
import Seeds
import Testing

@Suite struct WholeNumberTests {
    private func parse(_ text: String) -> Int64? {
        Array(text.utf8).withUnsafeBufferPointer { WholeNumber.parse($0) }
    }

    @Test func everySpellingIsTheNumber() {
        let five = [
            "5", "5.0", "5.", "5e0", "5E0", "50e-1", "0.5e1", ".5e+1", "+5", "005", "5.000000000000000000000000000",
            "5e-0", "500000000000000000000000000000e-29", "0.000000000000000000000000000005e30",
        ]
        for text in five { #expect(parse(text) == 5, "\(text)") }
        for text in ["0", "-0", "0.0", "0e999999999999999999999999", "00", "-0.0e-7"] {
            #expect(parse(text) == 0, "\(text)")
        }
        let others: [(String, Int64)] = [
            ("9007199254740993.0", 9_007_199_254_740_993), ("9223372036854775807", .max),
            ("9223372036854775807.000", .max), ("9.223372036854775807e18", .max), ("922337203685477580.7e1", .max),
            ("-9223372036854775808", .min), ("-1", -1), ("1e18", 1_000_000_000_000_000_000),
            ("1700000000000000001e0", 1_700_000_000_000_000_001), ("999999999999999999", 999_999_999_999_999_999),
        ]
        for (text, number) in others { #expect(parse(text) == number, "\(text)") }
    }

    @Test func whatIsNoWholeNumberIsNone() {
        let texts = [
            "", "5.5", "5e-1", "0.1", "9223372036854775808", "9223372036854775807.5", "-9223372036854775809", "1e19",
            "1e999999999999999999999999", "1e-999999999999999999999999", "99999999999999999999999999", "NaN",
            "Infinity", "-", "+", ".", "e", "e5", ".e5", "5e", "5e+", "5 ", " 5", "5,0", "0x5", "5_0", "--5", "5.0.0",
            "1.2.3", "5e1e1", "5-", "٥", "\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{0}\u{5}",
        ]
        for text in texts { #expect(parse(text) == nil, "\(text)") }
    }

    /// Writes the number out digit by digit, as one would on paper.
    private func onPaper(_ negative: Bool, _ whole: String, _ fraction: String, _ exponent: Int) -> Int64? {
        var digits = Array(whole + fraction)
        var point = whole.count + exponent
        while point > digits.count { digits.append("0") }
        while point < 0 {
            digits.insert("0", at: 0)
            point += 1
        }
        guard digits[point...].allSatisfy({ $0 == "0" }) else { return nil }
        let text = String(digits[..<point].drop { $0 == "0" })
        let most = negative ? "9223372036854775808" : "9223372036854775807"
        guard text.count < most.count || text.count == most.count && text <= most else { return nil }
        return text.isEmpty ? 0 : Int64((negative ? "-" : "") + text)
    }

    @Test func agreesWithWritingItOut() {
        let seed = newSeed("agreesWithWritingItOut")
        var random = Seeded(seed)
        func digits(_ limit: Int) -> String {
            let zeros = random.chance(50)
            let count = random.below(limit)
            return (0..<count).map { _ in "\(zeros && random.chance(70) ? 0 : random.below(10))" }.joined()
        }
        for _ in 0..<200_000 {
            let negative = random.chance(20)
            var whole = digits(24)
            if random.chance(10) { whole = "92233720368547758" + digits(4) }
            let fraction = random.chance(50) ? digits(12) : ""
            let exponent = random.chance(50) ? random.below(41) - 20 : 0
            guard !(whole + fraction).isEmpty else { continue }
            var text = (negative ? "-" : "") + whole
            if !fraction.isEmpty || random.chance(10) { text += "." + fraction }
            if exponent != 0 || random.chance(10) { text += (random.chance(50) ? "e" : "E") + "\(exponent)" }
            #expect(parse(text) == onPaper(negative, whole, fraction, exponent), "\(text), seed \(seed)")
        }
    }
}
