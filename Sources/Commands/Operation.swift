import JSONText

/// The kind of a write.
public enum OperationKind: UInt8, Sendable {
    /// Writes a whole document.
    case index
    /// Merges a part into the document that is there.
    case merge
    /// Deletes a document.
    case delete
    /// Writes a whole document but for some columns, whose values stay as they are in the one that is there.
    case keep
    /// A part of a document that no entry takes. If an entry has the document, it would move out of all of them.
    case leave

    /// Whether it needs the document that is there.
    @inlinable public var readsBase: Bool { self == .merge || self == .keep || self == .leave }
}

/// One write, from a record of the command topic or from a document of the copy.
///
/// It is a view: its bytes belong to the record and to the decoder. They are valid until the decoder's next call or the
/// release of the record, whichever comes first.
public struct Operation {
    public var kind: OperationKind
    /// The place of its entry in `indices` of the recipe.
    public var entry: Int
    /// The id of the document: unescaped, valid UTF-8, 1 to 512 bytes (the limit from Elasticsearch 5 on).
    public var id: Bytes
    /// The routing, unescaped UTF-8; nil when there is none.
    public var routing: Bytes?
    /// The external version of the write; see ``DocumentVersion``.
    public var version: Int64
    /// The document or the part to merge, as the valid JSON text of an object. It is empty for a delete.
    public var document: Bytes

    public init(
        kind: OperationKind, entry: Int, id: Bytes, routing: Bytes?, version: Int64, document: Bytes
    ) {
        self.kind = kind
        self.entry = entry
        self.id = id
        self.routing = routing
        self.version = version
        self.document = document
    }
}
