import JSONText

/// Merges a partial document into a whole one.
enum JSONMerge {
    static func merged(_ base: JSONValue, _ partial: JSONValue) -> JSONValue {
        guard case .object(var members) = base, case .object(let changes) = partial else { return partial }
        for (name, value) in changes {
            members[name] = members[name].map { merged($0, value) } ?? value
        }
        return .object(members)
    }
}

extension String {
    /// A document id in the form that servers generate: without dashes.
    var replacingDashes: String { String(filter { $0 != "-" }) }
}
