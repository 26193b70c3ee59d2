import JSONText

/// A tombstone that a record writes beside its own operation, under the same id: in another entry, or under the routing
/// that the document had before. See ``CommandDecoder/companions``.
public struct Companion {
    /// The place of its entry in `indices` of the recipe.
    public var entry: Int
    public var routing: Bytes?
    public var version: Int64

    public init(entry: Int, routing: Bytes?, version: Int64) {
        (self.entry, self.routing, self.version) = (entry, routing, version)
    }

    /// The tombstone as an operation of the record whose operation is `operation`.
    public func tombstone(of operation: Operation) -> Operation {
        Operation(
            kind: .delete, entry: entry, id: operation.id, routing: routing, version: version,
            document: Bytes(start: nil, count: 0))
    }
}
