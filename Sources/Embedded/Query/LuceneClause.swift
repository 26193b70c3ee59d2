import JSONText

/// A parsed text of Lucene's query syntax.
indirect enum LuceneClause: Equatable {
    struct Part: Equatable {
        enum Occur { case must, should, mustNot }
        var occur: Occur
        var clause: LuceneClause
    }

    case parts([Part])
    case term(field: String?, text: String)
    case phrase(field: String?, text: String, slop: Int)
    /// The text contains `*` or `?`; its escapes are kept.
    case wildcard(field: String?, text: String)
    case range(field: String?, lower: String?, upper: String?, includesLower: Bool, includesUpper: Bool)
    case inField(String, LuceneClause)
    case everything
}

/// Why a text cannot be parsed.
struct LuceneError: Error {
    var reason: String
    var isUnsupported = false
}
