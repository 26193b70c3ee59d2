import JSONText
import Telemetry

/// A value of a recipe after the schema's check: of the right type, short forms written out, defaults filled in.
package struct RecipeValue: Sendable {
    package enum Content: Sendable {
        case text(String)
        case integer(Int64)
        /// A size or a time: the number that is meant, and how it is shown.
        case quantity(Int64, text: String)
        case flag(Bool)
        case list([RecipeValue])
        case section([RecipeMember])
        /// JSON of any shape; `shown` is the same without what substitutions brought.
        case json(JSONValue, shown: JSONValue)
        /// There is something, but it is wrong and has been told of.
        case wrong
    }

    /// How the value may be shown.
    package enum Display: Sendable, Equatable {
        case open
        /// It came out of a substitution: only the text as it was written is shown.
        case reference(String)
        case secret
    }

    package var content: Content
    package var mark: SourceMark
    package var display: Display = .open
    /// Whether the recipe says it; otherwise it is the default.
    package var given = true

    package var text: String? {
        if case .text(let text) = content { return text }
        return nil
    }

    package var isWrong: Bool {
        if case .wrong = content { return true }
        return false
    }

    // Not inlined, here and in `flag`: in a chain of optionals that brings the optimizer of Swift 6.3.1 down
    // ("Found ownership error" in CopyPropagation).
    @inline(never) package var integer: Int64? {
        switch content {
        case .integer(let number), .quantity(let number, _): return number
        default: return nil
        }
    }

    @inline(never) package var flag: Bool? {
        if case .flag(let flag) = content { return flag }
        return nil
    }

    /// The values of a list; none for everything else.
    package var items: [RecipeValue] {
        if case .list(let items) = content { return items }
        return []
    }

    /// The members of a section; none for everything else.
    package var members: [RecipeMember] {
        if case .section(let members) = content { return members }
        return []
    }

    package func member(_ key: String) -> RecipeMember? { members.first { $0.key == key } }

    package subscript(_ key: String) -> RecipeValue? { member(key)?.value }

    /// For messages: the text in quotes, or what was written in its place.
    package var quoted: String {
        switch display {
        case .open: "\"\(text ?? "")\""
        case .reference(let written): "\"\(written)\""
        case .secret: Redactor.mark
        }
    }
}

package struct RecipeMember: Sendable {
    package var key: String
    /// Where the key is.
    package var mark: SourceMark
    package var value: RecipeValue
}
