/// Numbers that others can write come in through `OutsideNumber` only, which brings them into bounds.
extension TidyRules {
    /// The rooms that read what others can write: answers, headers, notes of commits, documents of the state index.
    static let readers: Set<String> = [
        "State", "Migration", "Verification", "Cutover", "CutoverWork", "Planning", "Operations", "DeadLetters",
        "LogGuard", "SearchCluster", "CommandLog", "Parity", "Pipeline",
    ]

    /// Files that index with the `entry` of things that they made themselves from the plan.
    private static let ownEntries: Set<String> = [
        "Sources/Verification/LogScan.swift", "Sources/Verification/LogFold.swift",
        "Sources/Verification/ParityScan.swift", "Sources/Verification/Settling.swift",
    ]

    static func numbersAreInBounds(_ source: SourceText, target: String) -> [String] {
        guard readers.contains(target) || target == "crossfade" else { return [] }
        // What the operator types is judged where it is typed.
        let texts = readers.contains(target) ? source.words.indices.filter { isOfText($0, source) } : []
        let raw = source.words.filter { isRaw($0, source.code) }
        return raw.map {
            "\(source.path):\(source.line(at: $0.start)): .int of JSON, use count, size, time or compared"
        }
            + texts.map {
                let word = source.words[$0]
                return "\(source.path):\(source.line(at: word.start)): \(word.word) of a text, use OutsideNumber"
            } + entriesAreAsked(source, target: target)
    }

    /// `.int` of a JSON value, also as a key path; not the case `.int(...)` or `.int` as a value of its own.
    private static func isRaw(_ word: (word: String, start: Int, end: Int), _ code: [UInt8]) -> Bool {
        guard word.word == "int", word.start > 1, code[word.start - 1] == UInt8(ascii: ".") else { return false }
        let before = code[word.start - 2]
        return SourceText.isWord(before) || ["?", ")", "]", "\\"].contains { $0 == UnicodeScalar(before) }
    }

    /// An `Int` or `Int64` that may be nil, so it is made of a text: bound in a condition, in a `flatMap`, or with a
    /// way out behind it.
    private static func isOfText(_ index: Int, _ source: SourceText) -> Bool {
        let (words, code) = (source.words, source.code)
        let word = words[index]
        guard ["Int", "Int64"].contains(word.word), word.end < code.count, code[word.end] == UInt8(ascii: "(") else {
            return false
        }
        let label = index + 1 < words.count ? words[index + 1] : word
        let labels = ["exactly", "clamping", "truncatingIfNeeded", "bitPattern"]
        if label.start == word.end + 1, labels.contains(label.word) { return false }
        let head = String(decoding: code[..<word.start].suffix(60), as: UTF8.self)
        if head.contains(/(if|guard|while|,)\s+let\s+\w+\s*=\s*$/) { return true }
        if head.contains(/(flatMap|compactMap)\s*\(?\s*\{\s*$/) { return true }
        var (depth, end) = (0, word.end)
        while end < code.count {
            if code[end] == UInt8(ascii: "(") { depth += 1 }
            if code[end] == UInt8(ascii: ")") { depth -= 1 }
            end += 1
            if depth == 0 { break }
        }
        let tail = String(decoding: code[end...].prefix(20), as: UTF8.self)
        return tail.contains(/^(\s*\?\?|\s*[!=]=\s*nil|\?\.|\.(map|flatMap)\b)/)
    }

    /// The place of an entry comes from slices, letters and receipts: it is asked for before it is a subscript.
    private static func entriesAreAsked(_ source: SourceText, target: String) -> [String] {
        guard target != "Pipeline", !ownEntries.contains(source.path) else { return [] }
        let text = String(decoding: source.code, as: UTF8.self)
        return text.matches(of: /[\w\])]\[([\w.$]+\.entry)\]/).compactMap { match in
            let place = String(match.output.1)
            guard !text.contains("indices.contains(\(place))") else { return nil }
            let line = source.line(at: text.utf8.distance(from: text.startIndex, to: match.range.lowerBound))
            return "\(source.path):\(line): a subscript with \(place), ask first whether indices.contains(\(place))"
        }
    }
}
