import JSONText

/// A stored document. It never changes.
final class StoredDocument: Sendable {
    let id: String
    /// Nil in an index without types.
    let type: String?
    let routing: String?
    let parent: String?
    let version: Int64
    let sequence: Int64
    /// The bytes that the client sent; empty when the index does not store sources.
    let source: [UInt8]

    init(
        id: String, type: String?, routing: String?, parent: String?, version: Int64, sequence: Int64, source: [UInt8]
    ) {
        self.id = id
        self.type = type
        self.routing = routing
        self.parent = parent
        self.version = version
        self.sequence = sequence
        self.source = source
    }

    /// The approximate memory: the source, the id twice, the object, its table entries.
    var bytes: Int { source.count + 2 * id.utf8.count + 200 }

    var tree: JSONValue {
        source.withUnsafeBufferPointer { bytes in (try? JSONValue(parsing: bytes)) ?? .object(JSONObject()) }
    }
}

/// A document for queries. Its source is parsed once for the whole query.
final class SeenDocument: SearchableDocument {
    /// What a range and a sort call the sequence number.
    static let sequenceField = "_seq_no"

    let document: StoredDocument
    let index: String
    private lazy var tree = document.tree

    init(_ document: StoredDocument, index: String) {
        self.document = document
        self.index = index
    }

    var id: String { document.id }
    var type: String? { document.type }
    var routing: String? { document.routing }
    func values(_ path: String) -> [JSONValue] {
        path == Self.sequenceField ? [.number(document.sequence)] : SourcePaths.values(in: tree, at: path)
    }
    func objects(_ path: String) -> [JSONObject] { SourcePaths.objects(in: tree, at: path) }
}
