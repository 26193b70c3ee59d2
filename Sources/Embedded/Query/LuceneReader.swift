import JSONText

/// Parses Lucene's classic syntax: `field:value`, quotes, `AND OR NOT && || ! + -`, parentheses, wildcards, ranges.
struct LuceneReader {
    private let whole: String
    private let text: [Character]
    private var at = 0
    private let isAndDefault: Bool
    private var depth = 0

    init(_ text: String, isAndDefault: Bool) {
        whole = text
        self.text = Array(text)
        self.isAndDefault = isAndDefault
    }

    mutating func read() throws(LuceneError) -> LuceneClause {
        let clause = try clauses()
        guard at >= text.count else { throw unexpected() }
        return clause
    }

    private enum Connective { case none, and, or }

    /// Lucene's rule: AND turns the clause before it into a must. With AND as default, OR turns that clause into a
    /// should.
    private mutating func clauses() throws(LuceneError) -> LuceneClause {
        depth += 1
        defer { depth -= 1 }
        guard depth < 64 else { throw LuceneError(reason: "too deep", isUnsupported: true) }
        var parts: [LuceneClause.Part] = []
        while true {
            space()
            guard at < text.count, text[at] != ")" else { break }
            let connective = connective()
            if connective != .none, parts.isEmpty { throw unexpected() }
            space()
            let sign = sign()
            space()
            guard at < text.count, text[at] != ")" else { throw unexpected() }
            let clause = try clause()
            if let last = parts.indices.last {
                if connective == .and, parts[last].occur == .should { parts[last].occur = .must }
                if isAndDefault, connective == .or, parts[last].occur == .must { parts[last].occur = .should }
            }
            let occur: LuceneClause.Part.Occur
            if sign == "-" {
                occur = .mustNot
            } else if isAndDefault {
                occur = connective == .or && sign == nil ? .should : .must
            } else {
                occur = sign == "+" || connective == .and ? .must : .should
            }
            parts.append(.init(occur: occur, clause: clause))
        }
        if parts.count == 1, parts[0].occur != .mustNot { return parts[0].clause }
        return .parts(parts)
    }

    private mutating func space() {
        while at < text.count, text[at].isWhitespace { at += 1 }
    }

    private mutating func accept(_ word: String) -> Bool {
        let end = at + word.count
        guard end <= text.count, String(text[at..<end]) == word else { return false }
        let isWord = word.allSatisfy(\.isLetter)
        if isWord, end < text.count, !text[end].isWhitespace, text[end] != "(", text[end] != ")" { return false }
        at = end
        return true
    }

    private mutating func connective() -> Connective {
        if accept("AND") || accept("&&") { return .and }
        return accept("OR") || accept("||") ? .or : .none
    }

    private mutating func sign() -> Character? {
        if accept("NOT") || accept("!") || accept("-") { return "-" }
        return accept("+") ? "+" : nil
    }

    private mutating func clause() throws(LuceneError) -> LuceneClause {
        if accept("*:*") { return .everything }
        let start = at
        if let field = field() {
            space()
            if at < text.count, text[at] == "(" { return .inField(field, try primary(field)) }
            guard at < text.count else { throw unexpected() }
            return try primary(field)
        }
        at = start
        return try primary(nil)
    }

    /// The name before a `:`; nil when there is none.
    private mutating func field() -> String? {
        var name = ""
        while at < text.count {
            let character = text[at]
            if character == "\\", at + 1 < text.count {
                name.append(text[at + 1])
                at += 2
                continue
            }
            if character == ":" {
                at += 1
                return name.isEmpty ? nil : name
            }
            if character.isWhitespace || "()[]{}\"^~/".contains(character) { return nil }
            name.append(character)
            at += 1
        }
        return nil
    }

    private mutating func primary(_ field: String?) throws(LuceneError) -> LuceneClause {
        let clause: LuceneClause
        switch text[at] {
        case "(":
            at += 1
            clause = try clauses()
            guard at < text.count, text[at] == ")" else { throw unexpected() }
            at += 1
        case "\"":
            let content = try quoted()
            return try suffix(.phrase(field: field, text: content, slop: try slop()))
        case "[", "{": clause = try bracketed(field)
        case "/": throw LuceneError(reason: "regular expressions", isUnsupported: true)
        case ">", "<": clause = try compared(field)
        default: clause = try word(field)
        }
        return try suffix(clause)
    }

    private mutating func slop() throws(LuceneError) -> Int {
        guard at < text.count, text[at] == "~" else { return 0 }
        at += 1
        let digits = text[at...].prefix { $0.isASCII && $0.isNumber }
        at += digits.count
        return Int(String(digits)) ?? 0
    }

    /// Skips a boost. The node does not score.
    private mutating func suffix(_ clause: LuceneClause) throws(LuceneError) -> LuceneClause {
        if at < text.count, text[at] == "~" { throw LuceneError(reason: "fuzzy search", isUnsupported: true) }
        if at < text.count, text[at] == "^" {
            at += 1
            let number = text[at...].prefix { $0.isASCII && $0.isNumber || $0 == "." }
            guard !number.isEmpty else { throw unexpected() }
            at += number.count
        }
        return clause
    }

    private mutating func quoted() throws(LuceneError) -> String {
        var content = ""
        at += 1
        while at < text.count, text[at] != "\"" {
            if text[at] == "\\", at + 1 < text.count { at += 1 }
            content.append(text[at])
            at += 1
        }
        guard at < text.count else {
            throw LuceneError(
                reason: "Cannot parse '\(whole)': Lexical error at line 1, column \(text.count + 1).  "
                    + "Encountered: <EOF> after : \"\"")
        }
        at += 1
        return content
    }

    private mutating func bracketed(_ field: String?) throws(LuceneError) -> LuceneClause {
        let includesLower = text[at] == "["
        at += 1
        let lower = try bound()
        space()
        guard accept("TO") else { throw unexpected() }
        let upper = try bound()
        space()
        guard at < text.count, text[at] == "]" || text[at] == "}" else { throw unexpected() }
        let includesUpper = text[at] == "]"
        at += 1
        return .range(
            field: field, lower: lower, upper: upper, includesLower: includesLower, includesUpper: includesUpper)
    }

    private mutating func bound() throws(LuceneError) -> String? {
        space()
        guard at < text.count else { throw unexpected() }
        if text[at] == "\"" { return try quoted() }
        var bound = ""
        while at < text.count, !text[at].isWhitespace, text[at] != "]", text[at] != "}" {
            if text[at] == "\\", at + 1 < text.count { at += 1 }
            bound.append(text[at])
            at += 1
        }
        guard !bound.isEmpty else { throw unexpected() }
        return bound == "*" ? nil : bound
    }

    private mutating func compared(_ field: String?) throws(LuceneError) -> LuceneClause {
        let isLower = text[at] == ">"
        at += 1
        var includes = false
        if at < text.count, text[at] == "=" {
            includes = true
            at += 1
        }
        space()
        guard at < text.count else { throw unexpected() }
        let bound: String
        if text[at] == "\"" {
            bound = try quoted()
        } else {
            bound = Self.plain(try rawWord())
        }
        return .range(
            field: field, lower: isLower ? bound : nil, upper: isLower ? nil : bound,
            includesLower: isLower ? includes : true, includesUpper: isLower ? true : includes)
    }

    private mutating func rawWord() throws(LuceneError) -> String {
        var word = ""
        while at < text.count, !text[at].isWhitespace, !"()[]{}\"^~:".contains(text[at]) {
            if text[at] == "\\", at + 1 < text.count {
                word.append(text[at])
                at += 1
            }
            word.append(text[at])
            at += 1
        }
        guard !word.isEmpty else { throw unexpected() }
        return word
    }

    private mutating func word(_ field: String?) throws(LuceneError) -> LuceneClause {
        let raw = try rawWord()
        if raw == "AND" || raw == "OR" || raw == "NOT" { throw unexpected() }
        if raw == "*", field == nil || field == "*" { return .everything }
        var isEscaped = false
        for character in raw {
            if !isEscaped, character == "*" || character == "?" { return .wildcard(field: field, text: raw) }
            isEscaped = !isEscaped && character == "\\"
        }
        return .term(field: field, text: Self.plain(raw))
    }

    /// The text without its escapes.
    private static func plain(_ raw: String) -> String {
        var plain = ""
        var isEscaped = false
        for character in raw {
            if !isEscaped, character == "\\" {
                isEscaped = true
            } else {
                plain.append(character)
                isEscaped = false
            }
        }
        return plain
    }

    private func unexpected() -> LuceneError {
        let what = at < text.count ? " \"\(text[at])\" \"\(text[at]) \"" : "\"<EOF>\""
        return LuceneError(reason: "Cannot parse '\(whole)': Encountered \(what) at line 1, column \(at).")
    }
}
