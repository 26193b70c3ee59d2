/// A place in a text file. Lines and columns count from 1; columns count characters.
package struct SourceMark: Sendable, Hashable, Comparable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        (self.line, self.column) = (line, column)
    }

    package static func < (a: SourceMark, b: SourceMark) -> Bool { (a.line, a.column) < (b.line, b.column) }

    /// Where byte `offset` of `text` is.
    package init(offset: Int, in text: [UInt8]) {
        line = 1
        column = 1
        for byte in text.prefix(max(offset, 0)) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
    }
}

/// One value of a YAML document, with its place.
package final class YAMLNode: Sendable {
    package enum Content: Sendable {
        case scalar(YAMLScalar)
        case sequence([YAMLNode])
        case mapping([YAMLPair])
    }

    package let mark: SourceMark
    package let content: Content
    /// Nodes below and including this one, each counted as often as aliases repeat it.
    package let weight: Int
    /// Bytes of the texts below and including this one, each counted as often as aliases repeat it.
    package let bytes: Int
    /// Levels below and including this one.
    package let height: Int

    package init(_ content: Content, mark: SourceMark) {
        (self.mark, self.content) = (mark, content)
        let below: [YAMLNode]
        let own: Int
        switch content {
        case .scalar(let scalar): (below, own) = ([], scalar.text.utf8.count)
        case .sequence(let items): (below, own) = (items, 0)
        case .mapping(let pairs):
            (below, own) = (pairs.map(\.value), pairs.reduce(0) { $0 + $1.key.utf8.count })
        }
        bytes = below.reduce(own) { $0 + $1.bytes }
        weight = below.reduce(1) { $0 + $1.weight }
        height = 1 + (below.lazy.map(\.height).max() ?? 0)
    }

    /// Whether a variable or a file has given its text, or a part of it.
    package var isSubstituted: Bool {
        if case .scalar(let scalar) = content { return scalar.reference != nil }
        return false
    }

    /// What it is, in words for messages.
    package var kindName: String {
        switch content {
        case .sequence: "a list"
        case .mapping: "a mapping"
        case .scalar(let scalar): scalar.isNull ? "empty" : "a single value"
        }
    }
}

/// A key of a mapping and its value.
package struct YAMLPair: Sendable {
    package var key: String
    package var mark: SourceMark
    package var value: YAMLNode
}

/// A single value, still text: what type it is to have is said by the schema.
package struct YAMLScalar: Sendable {
    package var text: String
    /// Written without quotes and not as a block.
    package var plain: Bool
    /// The text as it was written, where `text` came out of a substitution.
    package var reference: String?
    /// A substitution in it failed, so that `text` means nothing.
    package var isBroken = false

    /// `null`, `~` or nothing at all.
    package var isNull: Bool {
        plain && reference == nil && (text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL")
    }

    /// `true` or `false`; the other words of YAML 1.1 (yes, on) are texts.
    package var flag: Bool? {
        guard plain else { return nil }
        switch text {
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        default: return nil
        }
    }

    /// Whether it is a number as JSON writes numbers.
    package var isNumber: Bool {
        guard plain else { return false }
        var rest = Substring(text)
        if rest.first == "-" { rest = rest.dropFirst() }
        let whole = rest.prefix(while: \.isDecimalDigit)
        guard !whole.isEmpty, whole.count == 1 || whole.first != "0" else { return false }
        rest = rest.dropFirst(whole.count)
        if rest.first == "." {
            let fraction = rest.dropFirst().prefix(while: \.isDecimalDigit)
            guard !fraction.isEmpty else { return false }
            rest = rest.dropFirst(1 + fraction.count)
        }
        if rest.first == "e" || rest.first == "E" {
            rest = rest.dropFirst()
            if rest.first == "+" || rest.first == "-" { rest = rest.dropFirst() }
            guard !rest.isEmpty, rest.allSatisfy(\.isDecimalDigit) else { return false }
            return true
        }
        return rest.isEmpty
    }
}

extension Character {
    /// 0 to 9 and no other script's digits.
    package var isDecimalDigit: Bool { ("0"..."9").contains(self) }
}

/// Something wrong in a YAML text, and where.
package struct YAMLProblem: Error, Sendable, Equatable {
    package var mark: SourceMark
    package var message: String
}
