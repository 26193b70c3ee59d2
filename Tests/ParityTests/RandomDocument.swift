import JSONText
import Seeds

/// Random documents, in random spellings that mean the same.
struct RandomDocument {
    var random: Seeded

    indirect enum Value {
        case text(String)
        case number(digits: String, power: Int)
        case literal(String)
        case array([Value])
        case object([(String, Value)])
    }

    private static let names = [
        "a", "b", "ab", "id", "title", "titles", "customer_name", "customer_number", "customer_name_2", "tags",
        "über", "with\"quote", "with\\backslash", "line\nend", "", "a.b", "message", "e\u{301}", "\u{e9}",
    ]
    private static let texts = [
        "", "x", "text", "a longer text of more than sixteen bytes", "é", "e\u{301}", "\"", "\\", "😀", "/",
    ]

    mutating func value(_ depth: Int = 0) -> Value {
        switch random.below(depth > 4 ? 4 : 7) {
        case 0, 1: return .text(random.pick(Self.texts))
        case 2:
            let digits = (0..<random.below(22) + 1).map { _ in String(random.below(10)) }.joined()
            return .number(digits: random.chance(20) ? "0" : digits, power: random.below(9) - 4)
        case 3: return .literal(random.pick(["true", "false", "null"]))
        case 4: return .array((0..<random.below(5)).map { _ in value(depth + 1) })
        default: return object(depth)
        }
    }

    mutating func object(_ depth: Int = 0) -> Value {
        var names = Self.names.shuffled(using: &random)
        if random.chance(10) { names += (0..<60).map { "name \($0)" } }
        let count = random.chance(10) ? names.count : random.below(6)
        return .object(names.prefix(count).map { ($0, value(depth + 1)) })
    }

    // MARK: Spelling

    mutating func space() -> String { random.chance(85) ? "" : random.pick([" ", "\n", "\t ", "\r\n"]) }

    mutating func spell(_ value: Value) -> String {
        switch value {
        case .text(let text): return spell(text: text)
        case .literal(let word): return word
        case .number(let digits, let power): return spell(digits, power)
        case .array(let elements):
            return "[" + elements.map { space() + spell($0) + space() }.joined(separator: ",") + space() + "]"
        case .object(let members):
            var all = random.chance(70) ? members : members.shuffled(using: &random)
            // What comes later under the same name counts.
            if let first = all.first, random.chance(10) { all.insert((first.0, .text("replaced")), at: 0) }
            let texts = all.map { space() + spell(text: $0.0) + space() + ":" + space() + spell($0.1) + space() }
            return "{" + texts.joined(separator: ",") + space() + "}"
        }
    }

    private mutating func spell(text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" || scalar.value < 0x20 || random.chance(4) {
                if scalar == "/", random.chance(50) {
                    out += "\\/"
                    continue
                }
                for unit in String(scalar).utf16 {
                    let hex = String(unit, radix: 16, uppercase: random.chance(50))
                    out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                }
            } else {
                out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    /// One of the spellings of digits × 10^power.
    private mutating func spell(_ digits: String, _ power: Int) -> String {
        var bare = String(digits.drop { $0 == "0" })
        if bare.isEmpty { return random.pick(["0", "-0", "0.0", "0e5", "-0.00E-2"]) }
        var power = power
        for _ in 0..<random.below(3) {
            bare += "0"
            power -= 1
        }
        let mark = random.pick(["e", "E"])
        switch random.below(3) {
        case 0:
            if power == 0, random.chance(80) { return bare }
            return bare + mark + (power >= 0 ? random.pick(["", "+"]) : "") + "\(power)"
        case 1:
            // With a point behind the first digit.
            let rest = bare.dropFirst()
            return bare.prefix(1) + (rest.isEmpty ? "" : "." + rest) + mark + "\(power + rest.count)"
        default:
            if power >= 0 { return bare + String(repeating: "0", count: power) + random.pick(["", ".0", ".000"]) }
            let padded = String(repeating: "0", count: max(0, 1 - power - bare.count)) + bare
            return padded.dropLast(-power) + "." + padded.suffix(-power)
        }
    }

    // MARK: Change

    /// The same with one thing changed at a random place, which may come to the same.
    mutating func changed(_ value: Value) -> Value {
        switch value {
        case .array(var elements):
            guard !elements.isEmpty else { return .array([.literal("null")]) }
            let at = random.below(elements.count)
            switch random.below(4) {
            case 0: elements.remove(at: at)
            case 1: elements.swapAt(at, random.below(elements.count))
            default: elements[at] = changed(elements[at])
            }
            return .array(elements)
        case .object(var members):
            guard !members.isEmpty else { return .object([("new", .literal("null"))]) }
            let at = random.below(members.count)
            switch random.below(4) {
            case 0: members.remove(at: at)
            case 1: members[at].0 += "2"
            default: members[at].1 = changed(members[at].1)
            }
            return .object(members)
        case .text(let text): return random.chance(20) ? .text(text) : .text(text + "!")
        case .number(let digits, let power):
            if random.chance(50) { return .number(digits: digits, power: power + 1) }
            return .number(digits: digits + "1", power: power - 1)
        case .literal: return .literal(random.pick(["true", "false", "null"]))
        }
    }
}

/// The same question answered the plain way, over a tree.
enum Reference {
    /// A text that is the same for equal values only.
    static func canonical(_ value: JSONValue, ignoring: Set<[String]> = [], path: [String] = []) -> String {
        switch value {
        case .null: return "n"
        case .bool(let flag): return flag ? "t" : "f"
        case .string(let text): return "s\(Array(text.utf8))"
        case .number(let text): return number(text)
        case .array(let elements):
            return "[" + elements.map { canonical($0, ignoring: ignoring, path: path) }.joined(separator: ",") + "]"
        case .object(let object):
            let members = object.compactMap { member -> String? in
                let inside = path + [member.key]
                guard !ignoring.contains(inside) else { return nil }
                return "\(Array(member.key.utf8)):\(canonical(member.value, ignoring: ignoring, path: inside))"
            }
            return "{" + members.sorted().joined(separator: ",") + "}"
        }
    }

    /// Sign, digits without zeros at their ends, and the power of ten of the last one.
    static func number(_ text: String) -> String {
        let parts = text.lowercased().split(separator: "e")
        var mantissa = parts[0]
        let sign = mantissa.hasPrefix("-") ? "-" : ""
        if !sign.isEmpty { mantissa.removeFirst() }
        let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        var digits = Array(halves.joined())
        var power = (parts.count > 1 ? Int(parts[1]) ?? 0 : 0) - (halves.count > 1 ? halves[1].count : 0)
        while digits.last == "0" {
            digits.removeLast()
            power += 1
        }
        digits.removeFirst(digits.prefix { $0 == "0" }.count)
        return digits.isEmpty ? "0" : "\(sign)\(String(digits))e\(power)"
    }
}
