/// A key that a recipe may have. Checker, JSON Schema and reference tables are made from these alone.
package struct RecipeKey: Sendable {
    package var name: String
    package var type: RecipeType
    package var required: Bool
    /// The value that stands where the recipe says nothing, as YAML would say it.
    package var standard: String?
    /// What the reference says in the default's place, where it is no constant.
    package var standardInWords: String?
    /// One line for the reference and for editors.
    package var doc: String
    /// The value is a secret wherever it came from.
    package var secret: Bool

    package init(
        _ name: String, _ type: RecipeType, required: Bool = false, standard: String? = nil,
        standardInWords: String? = nil, secret: Bool = false, _ doc: String
    ) {
        (self.name, self.type, self.required, self.standard) = (name, type, required, standard)
        (self.standardInWords, self.secret, self.doc) = (standardInWords, secret, doc)
    }
}

/// A mapping with known keys.
package struct RecipeSection: Sendable {
    /// For messages and for the reference: `commands.envelope`, `an entry of indices`.
    package var title: String
    package var keys: [RecipeKey]
    /// Exactly one of the keys is to be there.
    package var exactlyOne = false
    /// The key that is meant where a single value or a list stands in the section's place.
    package var shorthand: String?

    package func key(_ name: String) -> RecipeKey? { keys.first { $0.name == name } }
}

/// What a key's value may be.
package indirect enum RecipeType: Sendable {
    /// A single value that `Scalar` reads.
    case scalar(Scalar)
    case choice([String])
    case integer(ClosedRange<Int64>)
    case flag
    /// A list; with `orOne` a single value stands for a list of it.
    case list(RecipeType, orOne: Bool, allowsEmpty: Bool)
    case section(RecipeSection)
    /// One of the words, or else the other type.
    case words([String], or: RecipeType)
    /// Keys that Crossfade does not know, with single values.
    case properties
    /// Partition numbers and offsets.
    case offsets
    /// A file with a JSON object, or the object in YAML.
    case jsonObject
    /// Whatever JSON can say.
    case json

    package static func list(_ type: RecipeType, orOne: Bool = true) -> RecipeType {
        .list(type, orOne: orOne, allowsEmpty: false)
    }

    /// For messages: what a value of the type is.
    package var expected: String {
        switch self {
        case .scalar(let scalar): scalar.expected
        case .choice(let words): Self.either(words)
        case .integer(let range):
            range.upperBound == .max
                ? "a whole number of \(range.lowerBound) or more"
                : "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .flag: "true or false"
        case .list(let type, let orOne, _): orOne ? "\(type.expected), or a list of such" : "a list"
        case .section(let section): "a mapping with \(Self.either(section.keys.map(\.name), quote: false))"
        case .words(let words, let other): words.map { "\"\($0)\"" }.joined(separator: ", ") + " or \(other.expected)"
        case .properties: "a mapping of properties"
        case .offsets: "a mapping from partitions to offsets"
        case .jsonObject: "a JSON file's path or a mapping"
        case .json: "any value"
        }
    }

    /// Whether an empty text is a value of the type.
    package var takesEmpty: Bool {
        switch self {
        case .scalar(let scalar):
            if case .good = scalar.read("") { return true }
            return false
        case .choice(let words): return words.contains("")
        default: return false
        }
    }

    package static func either(_ words: [String], quote: Bool = true) -> String {
        let words = quote ? words.map { "\"\($0)\"" } : words
        guard let last = words.last, words.count > 1 else { return words.first ?? "" }
        return words.dropLast().joined(separator: ", ") + " or " + last
    }
}

/// How a single value is read.
package struct Scalar: Sendable {
    package enum Reading: Sendable {
        case good(RecipeValue.Content)
        /// What is wrong, as a clause that follows the value in quotes: `is not a size: ...`.
        case bad(String)
        /// It is none of the words: the nearest of them is named.
        case unknown(among: [String])
    }

    /// What it is, for messages and for the reference: `a size such as 256MiB`.
    package var expected: String
    /// The reference's word for the type.
    package var name: String
    /// Regular expression for editors.
    package var pattern: String?
    /// Plain YAML numbers and booleans are welcome too: they are texts here.
    package var read: @Sendable (String) -> Reading
}
