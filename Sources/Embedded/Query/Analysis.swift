/// Splits text into terms: lower-case words, as Elasticsearch's `standard` analyzer finds them (the word boundaries
/// of Unicode's annex 29, without its rules for single scripts).
enum Analysis {
    static func words(_ text: String) -> [String] {
        let characters = Array(text.unicodeScalars)
        var words: [String] = []
        var word = String.UnicodeScalarView()
        func end() {
            if word.contains(where: { isLetter($0) || isDigit($0) }) { words.append(String(word).lowercased()) }
            word.removeAll()
        }
        for (index, scalar) in characters.enumerated() {
            let next = index + 1 < characters.count ? characters[index + 1] : nil
            if isLetter(scalar) || isDigit(scalar) || scalar == "_" || isMark(scalar) {
                word.append(scalar)
            } else if let last = word.last, let next, joins(scalar, last, next) {
                word.append(scalar)
            } else {
                end()
            }
        }
        end()
        return words
    }

    /// Whether a character between two others joins them: `can't`, `example.com`, `3,14`.
    private static func joins(_ sign: Unicode.Scalar, _ before: Unicode.Scalar, _ after: Unicode.Scalar) -> Bool {
        switch sign {
        case ".", "'", "\u{2019}", "\u{2018}", "\u{2024}":
            return isLetter(before) && isLetter(after) || isDigit(before) && isDigit(after)
        case ":", "\u{B7}": return isLetter(before) && isLetter(after)
        case ",", ";": return isDigit(before) && isDigit(after)
        default: return false
        }
    }

    private static func isLetter(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isAlphabetic }
    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .decimalNumber
    }

    private static func isMark(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: true
        default: false
        }
    }
}

/// A term with `*` (any characters), `?` (one character) and `\` before a literal character.
struct WildcardPattern: Sendable, Equatable {
    enum Piece: Sendable, Equatable {
        case character(Character)
        case one
        case many
    }

    var pieces: [Piece] = []

    init(_ text: String) {
        var isEscaped = false
        for character in text {
            if isEscaped {
                pieces.append(.character(character))
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character == "*" {
                if pieces.last != .many { pieces.append(.many) }
            } else {
                pieces.append(character == "?" ? .one : .character(character))
            }
        }
        if isEscaped { pieces.append(.character("\\")) }
    }

    /// Whether the pattern contains a wildcard and can match several field names.
    static func isPattern(_ text: String) -> Bool { text.contains { $0 == "*" || $0 == "?" } }

    func lowercased() -> WildcardPattern {
        var lower = self
        lower.pieces = pieces.flatMap { piece -> [Piece] in
            guard case .character(let character) = piece else { return [piece] }
            return character.lowercased().map { .character($0) }
        }
        return lower
    }

    /// Backtracks only to the last `*`, so the time is at most the pattern's length for each character of the text.
    func matches(_ text: String) -> Bool {
        let text = Array(text)
        var at = 0
        var piece = 0
        var star: (piece: Int, at: Int)?
        while at < text.count {
            if piece < pieces.count, pieces[piece] == .many {
                star = (piece, at)
                piece += 1
            } else if piece < pieces.count, pieces[piece] == .one || pieces[piece] == .character(text[at]) {
                piece += 1
                at += 1
            } else if let last = star {
                star = (last.piece, last.at + 1)
                piece = last.piece + 1
                at = last.at + 1
            } else {
                return false
            }
        }
        return pieces[piece...].allSatisfy { $0 == .many }
    }
}
