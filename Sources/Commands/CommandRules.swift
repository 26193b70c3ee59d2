/// What is done with commands that do not say everything, as the recipe has it.
public struct CommandRules: Sendable, Equatable {
    /// A delete that lacks the field by which an entry is selected (`select.missing`).
    public enum Unattributed: String, CaseIterable, Sendable {
        case reject
        /// It deletes its id in every entry.
        case every
    }

    /// What becomes of the document that another entry, or another routing, had before (`select.moves`).
    public enum Moves: String, CaseIterable, Sendable {
        case tombstone, never
    }

    /// A record without a value (`envelope.tombstone`, `document.tombstone`).
    public enum NullValue: String, CaseIterable, Sendable {
        case reject, ignore, delete
    }

    /// A column whose value Debezium did not get (`debezium.unavailable`).
    public enum Unavailable: String, CaseIterable, Sendable {
        case reject
        /// The document keeps the value that it has.
        case keep
    }

    /// A change event of a truncated table (`debezium.truncate`).
    public enum Truncate: String, CaseIterable, Sendable {
        case stop, ignore
    }

    public var unattributed = Unattributed.reject
    /// nil: the recipe does not say; see ``CommandFormat/tombstonesMoves``.
    public var moves: Moves?
    /// nil: the recipe does not say; see ``CommandFormat/nullValue``.
    public var nullValue: NullValue?
    public var unavailable = Unavailable.reject
    public var placeholder = CommandRules.placeholder
    public var truncate = Truncate.stop
    /// Whether `before` tells where the document was. Not in a compacted log, which may lack the events between.
    public var beforeIsProof = true

    public init() {}

    /// What Debezium writes by default in place of a value that it did not get.
    public static let placeholder = "__debezium_unavailable_value"
}

extension CommandFormat.IDSource {
    /// Whether a record without a value has the id, too.
    var isOutsideValue: Bool {
        switch self {
        case .key, .header: true
        case .field: false
        case .template(let template):
            template.parts.allSatisfy { part in
                if case .field = part { return false }
                return true
            }
        }
    }
}

extension CommandFormat {
    /// What a record without a value means. In the format document there is no other delete.
    var nullValue: CommandRules.NullValue {
        if case .document = shape { return rules.nullValue ?? .delete }
        return rules.nullValue ?? .reject
    }

    /// Whether some entry takes only what its `select` names.
    public var isSelective: Bool { selectors.contains { $0 != nil } }

    /// Whether the selecting field lies inside the row or the document, so that it can change.
    public func liesInDocument(_ selector: Selector) -> Bool {
        switch shape {
        case .document: true
        case .envelope: inDocument(selector.field) != nil
        case .debezium: ["after", "before"].contains(selector.field.names.first)
        }
    }

    /// Whether a document that an operation puts into one entry is deleted in the others. Where the recipe does not
    /// say: if a selecting field lies inside the document. One outside names the kind of the command, and two kinds may
    /// use the same id.
    public var tombstonesMoves: Bool {
        guard isSelective else { return false }
        return rules.moves.map { $0 == .tombstone } ?? selectors.contains { $0.map(liesInDocument) ?? false }
    }

    /// Whether a record can ask for tombstones beside its own operation.
    var writesCompanions: Bool {
        if tombstonesMoves || (isSelective && rules.unattributed == .every) { return true }
        if case .debezium = shape { return routing != nil }
        return false
    }
}
