/// What ids look like: the kinds of their characters, and their lengths.
package struct IDShape: Sendable, Equatable {
    package private(set) var count = 0
    private var digits = false
    private var small = false
    private var large = false
    /// Characters that are neither letters nor digits, and whether there are others than ASCII.
    private var marks: Set<UInt8> = []
    private var other = false
    private var shortest = Int.max
    private var longest = 0

    package init(_ ids: some Sequence<String>) { for id in ids { add(id) } }

    private mutating func add(_ id: String) {
        count += 1
        for byte in id.utf8 {
            switch byte {
            case 0x30...0x39: digits = true
            case 0x61...0x7A: small = true
            case 0x41...0x5A: large = true
            case 0x80...: other = true
            default: marks.insert(byte)
            }
        }
        let length = id.utf8.count
        (shortest, longest) = (min(shortest, length), max(longest, length))
    }

    /// Whether no id of one can be an id of the other: other kinds of characters, or lengths that do not meet.
    package func isUnlike(_ them: IDShape) -> Bool {
        guard count > 0, them.count > 0 else { return false }
        if shortest > them.longest || longest < them.shortest { return true }
        return (digits, small || large, other) != (them.digits, them.small || them.large, them.other)
            || marks != them.marks
    }

    package var words: String {
        let lengths = shortest == longest ? "\(longest)" : "\(shortest) to \(longest)"
        return "\(kinds), \(lengths) bytes long"
    }

    /// The kinds of their characters, in words.
    package var kinds: String {
        var kinds: [String] = []
        if digits { kinds.append("digits") }
        if small, large {
            kinds.append("letters")
        } else if small || large {
            kinds.append(small ? "small letters" : "large letters")
        }
        for mark in marks.sorted() {
            kinds.append(mark < 0x21 || mark == 0x7F ? "byte \(mark)" : "\"\(Character(UnicodeScalar(mark)))\"")
        }
        if other { kinds.append("other characters") }
        return kinds.joined(separator: ", ")
    }

    /// The lengths of numbers among some ids, in bytes; at most three.
    package static func lengthsOfNumbers(_ ids: some Sequence<String>) -> [Int] {
        Array(Set(ids.lazy.filter { $0.utf8.allSatisfy { 0x30...0x39 ~= $0 } }.map(\.utf8.count)).sorted().suffix(3))
    }
}
