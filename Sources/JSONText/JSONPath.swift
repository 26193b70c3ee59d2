/// A dotted path to a field: `message.org`. A dot in a name is written `\.`, a backslash `\\`.
///
/// A path goes through arrays: `events.tags` names the field `tags` of every object in the array `events`.
public struct JSONPath: Hashable, Sendable, CustomStringConvertible {
    /// The names, outermost first; never empty, and no name is empty.
    public let names: [String]

    /// Throws when the path or one of its names is empty, or it ends in a lone backslash.
    public init(parsing text: String) throws(JSONPathError) {
        var names: [String] = []
        var name = ""
        var escaped = false
        for character in text {
            if escaped {
                name.append(character)
                escaped = false
            } else if character == "\\" {
                escaped = true
            } else if character == "." {
                guard !name.isEmpty else { throw JSONPathError(text: text, reason: "it has an empty name") }
                names.append(name)
                name = ""
            } else {
                name.append(character)
            }
        }
        guard !escaped else { throw JSONPathError(text: text, reason: "it ends in a lone backslash") }
        guard !name.isEmpty else { throw JSONPathError(text: text, reason: "it has an empty name") }
        self.names = names + [name]
    }

    public init(names: [String]) {
        precondition(!names.isEmpty)
        self.names = names
    }

    public var description: String {
        names.map { name in
            var text = ""
            for character in name {
                if character == "." || character == "\\" { text.append("\\") }
                text.append(character)
            }
            return text
        }.joined(separator: ".")
    }
}

/// A text that is not a path.
public struct JSONPathError: Error, Sendable, CustomStringConvertible {
    public let text: String
    public let reason: String
    public var description: String { "\"\(text)\" is not a field path: \(reason)" }
}
