import JSONText

/// The value that each entry's `select` asks for.
struct SelectedValues {
    private let values: NameList
    /// Whether one of them can be read as a number.
    private let hasNumbers: Bool
    var count: Int { values.count }

    init(_ selectors: [CommandFormat.Selector?]) {
        values = NameList(selectors.map { ($0?.equals, 0) })
        hasNumbers = selectors.contains { selector in
            var text = selector?.equals ?? ""
            return text.withUTF8 { DecimalSpelling($0) != nil }
        }
    }

    /// Whether the entry takes only one value.
    func isThere(_ entry: Int) -> Bool { values.isThere(entry) }

    /// `content`: of a string, or the text of another scalar. Numbers are compared by their values.
    func isSame(_ entry: Int, _ content: Bytes, _ kind: JSONKind) -> Bool {
        if values.isSame(entry, content) { return true }
        guard kind == .number, hasNumbers else { return false }
        return DecimalSpelling.areEqual(values.bytes(entry), content)
    }
}

extension DecimalSpelling {
    /// Whether two texts are spellings of one number.
    static func areEqual(_ one: Bytes, _ other: Bytes) -> Bool {
        guard let first = DecimalSpelling(one), let second = DecimalSpelling(other), !first.isBeyondReach,
            !second.isBeyondReach
        else { return false }
        guard let mine = first.digits, let theirs = second.digits else { return first.digits == second.digits }
        guard first.isNegative == second.isNegative, first.power == second.power else { return false }
        return mine.lazy.filter { $0 != first.point }.map { one[$0] }
            .elementsEqual(theirs.lazy.filter { $0 != second.point }.map { other[$0] })
    }
}
