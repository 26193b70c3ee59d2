import JSONText

/// Which entry of the recipe a command belongs to.
///
/// What cannot be attributed is never skipped and never guessed. A whole document says all that it has, so a field
/// that it lacks is a fact. A delete or a partial update may lack the field although the document has it.
extension CommandDecoder {
    /// The place of an entry, or one of these.
    enum Attribution {
        /// No entry takes it.
        static let none = -1
        /// A delete that may belong to any entry.
        static let every = -2
    }

    /// The first entry whose selector matches, or an ``Attribution``. `event`: of a change event.
    @inline(__always) func attribute(
        _ view: DecoderLayout.View, _ text: Bytes, _ kind: OperationKind, _ key: Bytes? = nil
    ) throws(Reject) -> Int {
        guard layout.isSelective else { return 0 }
        let found = try find(view, text, isWhole: kind == .index, key)
        selectsNone = found == Attribution.none
        guard found == Self.unknown else { return found }
        return try unattributed(kind)
    }

    /// The selecting field is not there, or does not tell.
    static let unknown = -3

    /// What becomes of a command whose entry is not known.
    func unattributed(_ kind: OperationKind) throws(Reject) -> Int {
        if kind == .delete, format.rules.unattributed == .every { return Attribution.every }
        let fields = format.selectors.compactMap { $0.map { "\($0.field)" } }
        let names = fields.enumerated().filter { !fields[..<$0.offset].contains($0.element) }.map(\.element)
        let what =
            switch kind {
            case .delete: "a delete"
            case .merge, .leave: "a partial update"
            case .index, .keep: "a document"
            }
        throw Reject(
            reason: "no_entry",
            detail: "\(what) that does not say which of the recipe's indices it belongs to: it lacks a value of "
                + names.joined(separator: " or ")
                + (kind == .delete ? " (select.missing: every deletes its id in all of them)" : ""))
    }

    /// As ``attribute(_:_:_:_:)``, or ``unknown``. `isWhole`: the command brings the whole document. `key`: the
    /// record's key, where `before` may hold no more than that.
    func find(
        _ view: DecoderLayout.View, _ text: Bytes, isWhole: Bool, _ key: Bytes? = nil
    ) throws(Reject) -> Int {
        var entry = 0
        while entry < layout.selected.count {
            guard layout.selected.isThere(entry) else { return entry }
            let slice = extractor[layout.selectors[view.selectors &+ entry]]
            switch slice.kind {
            case .string, .number, .boolean:
                let value = try content(slice, text, scratch)
                if layout.shape == .debezium, isNoValue(value, slice, view, text, isWhole: isWhole, key) {
                    return Self.unknown
                }
                if layout.selected.isSame(entry, value, slice.kind) { return entry }
            case .absent, .null: if !isWhole { return Self.unknown }
            default: break
            }
            entry &+= 1
        }
        return Attribution.none
    }

    /// Whether a value of a row stands for one that Debezium did not get: the placeholder, or, where `before` holds
    /// only the key, what it fills columns with that may not be null.
    private func isNoValue(
        _ value: Bytes, _ slice: JSONSlice, _ view: DecoderLayout.View, _ text: Bytes, isWhole: Bool, _ key: Bytes?
    ) -> Bool {
        if slice.kind == .string, value.elementsEqual(format.rules.placeholder.utf8) { return true }
        if isWhole { return false }
        if value.count == 0 { return true }
        guard Self.isBlank(value, slice.kind) else { return false }
        return !isRow(view, text, beside: key)
    }

    private static func isBlank(_ value: Bytes, _ kind: JSONKind) -> Bool {
        switch kind {
        case .boolean: value.count == 5
        case .number: value.allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
        default: false
        }
    }

    /// Whether `before` has a value outside the record's key, so that it is the row and not only its key.
    private func isRow(_ view: DecoderLayout.View, _ text: Bytes, beside key: Bytes?) -> Bool {
        let row = extractor[view.row]
        guard row.kind == .object, let members = (try? JSONValue(parsing: row.bytes(of: text)))?.object else {
            return false
        }
        let parsed = key.flatMap { try? JSONValue(parsing: Self.withoutPrefix($0)) }
        let keys = (parsed?["payload"] ?? parsed)?.object
        return members.contains { member in
            guard keys?[member.key] == nil else { return false }
            switch member.value {
            case .null: return false
            case .string(let text): return !text.isEmpty
            case .number(let text): return !text.allSatisfy { $0 == "0" || $0 == "." }
            case .bool(let flag): return flag
            case .array(let items): return !items.isEmpty
            case .object(let members): return !members.isEmpty
            }
        }
    }
}
