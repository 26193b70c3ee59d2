/// A Swift source with its comments and the contents of its string literals blanked out, line ends kept, so that what
/// is left can be searched as code. Code inside `\(...)` stays.
struct SourceText {
    let path: String
    let lines: [Substring]
    let code: [UInt8]
    /// Words (identifiers and keywords) with their offsets.
    let words: [(word: String, start: Int, end: Int)]
    private let lineEnds: [Int]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        var masker = Masker(Array(text.utf8))
        masker.code(until: nil)
        code = masker.output
        words = Self.words(code)
        lineEnds = code.indices.filter { masker.output[$0] == UInt8(ascii: "\n") }
    }

    /// The file's lines; the end of the last line begins no new one.
    var lineCount: Int { lines.last == "" ? lines.count - 1 : lines.count }

    /// Line number of an offset, from 1.
    func line(at offset: Int) -> Int {
        var low = 0
        var high = lineEnds.count
        while low < high {
            let middle = (low + high) / 2
            if lineEnds[middle] < offset { low = middle + 1 } else { high = middle }
        }
        return low + 1
    }

    private static func words(_ code: [UInt8]) -> [(word: String, start: Int, end: Int)] {
        var words: [(String, Int, Int)] = []
        var at = 0
        while at < code.count {
            guard isWord(code[at]) else {
                at += 1
                continue
            }
            let start = at
            while at < code.count, isWord(code[at]) { at += 1 }
            words.append((String(decoding: code[start..<at], as: UTF8.self), start, at))
        }
        return words
    }

    static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
            true
        default: false
        }
    }
}

/// Copies source text, blanking comments and strings.
private struct Masker {
    let input: [UInt8]
    var output: [UInt8] = []
    var at = 0

    init(_ input: [UInt8]) { self.input = input }

    func starts(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard at + count <= input.count else { return false }
        for index in 0..<count where input[at + index] != text.utf8Start[index] { return false }
        return true
    }

    mutating func keep() {
        output.append(input[at])
        at += 1
    }

    mutating func blank(_ count: Int = 1) {
        for _ in 0..<count where at < input.count {
            output.append(input[at] == UInt8(ascii: "\n") ? input[at] : UInt8(ascii: " "))
            at += 1
        }
    }

    /// Copies code until the closing parenthesis of an interpolation, or the end.
    mutating func code(until close: UInt8?) {
        var depth = 0
        while at < input.count {
            if starts("//") {
                while at < input.count, input[at] != UInt8(ascii: "\n") { blank() }
            } else if starts("/*") {
                comment()
            } else if let hashes = openingHashes() {
                string(hashes)
            } else {
                if input[at] == UInt8(ascii: "(") { depth += 1 }
                if input[at] == UInt8(ascii: ")") {
                    if close != nil, depth == 0 { return keep() }
                    depth -= 1
                }
                keep()
            }
        }
    }

    private mutating func comment() {
        var depth = 0
        repeat {
            if starts("/*") {
                depth += 1
                blank(2)
            } else if starts("*/") {
                depth -= 1
                blank(2)
            } else {
                blank()
            }
        } while depth > 0 && at < input.count
    }

    /// The number of `#` before a quote that begins here; nil when no string begins here.
    private func openingHashes() -> Int? {
        var probe = at
        while probe < input.count, input[probe] == UInt8(ascii: "#") { probe += 1 }
        return probe < input.count && input[probe] == UInt8(ascii: "\"") ? probe - at : nil
    }

    private mutating func string(_ hashes: Int) {
        for _ in 0..<hashes { keep() }
        let quotes = starts("\"\"\"") ? 3 : 1
        for _ in 0..<quotes { keep() }
        while at < input.count {
            if input[at] == UInt8(ascii: "\\"), follow(at + 1, hashes) {
                blank(1 + hashes)
                if at < input.count, input[at] == UInt8(ascii: "(") {
                    keep()
                    code(until: UInt8(ascii: ")"))
                } else {
                    blank()
                }
            } else if closes(quotes, hashes) {
                for _ in 0..<quotes + hashes { keep() }
                return
            } else if quotes == 1, input[at] == UInt8(ascii: "\n") {
                return
            } else {
                blank()
            }
        }
    }

    private func follow(_ start: Int, _ hashes: Int) -> Bool {
        for index in 0..<hashes {
            guard start + index < input.count, input[start + index] == UInt8(ascii: "#") else { return false }
        }
        return true
    }

    private func closes(_ quotes: Int, _ hashes: Int) -> Bool {
        for index in 0..<quotes {
            guard at + index < input.count, input[at + index] == UInt8(ascii: "\"") else { return false }
        }
        return follow(at + quotes, hashes)
    }
}
