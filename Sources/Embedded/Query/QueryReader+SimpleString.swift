import JSONText

/// `simple_query_string`: `+` and, `|` or, `-` not, quotes, `*` at the end, parentheses. No text is an error.
extension QueryReader {
    func simpleQueryString(_ body: JSONObject) throws(QueryError) -> Predicate {
        guard let text = body["query"]?.string else {
            throw .parsing(
                major < 5
                    ? "[simple_query_string] query text missing" : "[simple_query_string] query text missing")
        }
        var options = QueryStringOptions()
        options.fields = (body["fields"]?.array ?? []).compactMap(\.string)
        options.match.isLenient = options.fields.isEmpty || body["lenient"].map { FieldValues.text(of: $0) } == "true"
        options.isAndDefault = body["default_operator"]?.string?.lowercased() == "and"
        options.match.needsAll = options.isAndDefault
        if options.fields == ["*"] { options.fields = [] }
        var parser = SimpleSyntax(text, isAndDefault: options.isAndDefault)
        guard let clause = parser.read() else { return .none }
        return try predicate(clause, options)
    }
}

/// As in Lucene's SimpleQueryParser, a change of the operator wraps everything that was read so far.
struct SimpleSyntax {
    private let text: [Character]
    private var at = 0
    private let isAndDefault: Bool
    private var depth = 0

    init(_ text: String, isAndDefault: Bool) {
        self.text = Array(text)
        self.isAndDefault = isAndDefault
    }

    /// Nil when the text has no condition.
    mutating func read() -> LuceneClause? {
        var clause: LuceneClause?
        var isAnd: Bool?
        var given: Bool?
        var isNot = false
        while at < text.count {
            switch text[at] {
            case "(" where depth < 64:
                at += 1
                depth += 1
                let inner = read()
                depth -= 1
                add(inner, isNot, &given, &isAnd, to: &clause)
                isNot = false
            case ")":
                at += 1
                if depth > 0 { return clause }
            case "\"":
                let quoted = text[(at + 1)...].prefix { $0 != "\"" }
                at = min(text.count, at + quoted.count + 2)
                add(.phrase(field: nil, text: String(quoted), slop: 0), isNot, &given, &isAnd, to: &clause)
                isNot = false
            case "+":
                at += 1
                if given == nil, clause != nil { given = true }
            case "|":
                at += 1
                if given == nil, clause != nil { given = false }
            case "-":
                at += 1
                isNot.toggle()
            case let character where character.isWhitespace:
                at += 1
                isNot = false
            default:
                add(word(), isNot, &given, &isAnd, to: &clause)
                isNot = false
            }
        }
        return clause
    }

    private mutating func word() -> LuceneClause {
        var word = ""
        while at < text.count, !text[at].isWhitespace, !"+|\"()".contains(text[at]) {
            if text[at] == "\\", at + 1 < text.count { at += 1 }
            word.append(text[at])
            at += 1
        }
        if word.isEmpty { at += 1 }
        if word == "*" { return .everything }
        return word.hasSuffix("*") ? .wildcard(field: nil, text: word) : .term(field: nil, text: word)
    }

    private func add(
        _ inner: LuceneClause?, _ isNot: Bool, _ given: inout Bool?, _ isAnd: inout Bool?,
        to clause: inout LuceneClause?
    ) {
        defer { given = nil }
        guard var inner else { return }
        if isNot {
            inner = .parts([.init(occur: .mustNot, clause: inner), .init(occur: .must, clause: .everything)])
        }
        guard let before = clause else {
            clause = inner
            return
        }
        let operation = given ?? isAndDefault
        let occur: LuceneClause.Part.Occur = operation ? .must : .should
        if isAnd == operation, case .parts(let parts) = before {
            clause = .parts(parts + [.init(occur: occur, clause: inner)])
        } else {
            clause = .parts([.init(occur: occur, clause: before), .init(occur: occur, clause: inner)])
        }
        isAnd = operation
    }
}
