import JSONText

/// What an application's command asks of the index.
public enum OperationKind: UInt8, Sendable {
    /// The whole document as it is to be.
    case index
    /// A part of the document, to be merged into what is there.
    case merge
    /// The document is to be gone.
    case delete
}

/// One write, wherever it came from: a record of the command topic or a document of the copy.
///
/// A view: its bytes lie in the record it was decoded from and in the decoder's scratch space, and are valid until
/// the decoder's next call or the record's release, whichever is first.
public struct Operation {
    public var kind: OperationKind
    /// Which entry of the recipe's `indices` it belongs to.
    public var entry: Int
    /// The document id: unescaped, valid UTF-8, 1 to 512 bytes (the limit of Elasticsearch 5 and later).
    public var id: Bytes
    /// The routing value, unescaped UTF-8; nil when there is none.
    public var routing: Bytes?
    /// The external version of the write; see ``DocumentVersion``.
    public var version: Int64
    /// The document, or the part of it, as valid JSON text of an object; empty for a delete.
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

/// The final outcomes of a record, exactly one each (design 6.2).
public enum Outcome: Int, CaseIterable, Sendable {
    case indexed, deleted, merged, stale, superseded, skipped, deadLettered

    /// The name in every summary, metric and status.
    public var name: String {
        switch self {
        case .indexed: "indexed"
        case .deleted: "deleted"
        case .merged: "merged"
        case .stale: "stale"
        case .superseded: "superseded"
        case .skipped: "skipped"
        case .deadLettered: "dead_lettered"
        }
    }
}

/// The one version space (design 6.1): every write and delete is `version_type: external` with such a number.
public enum DocumentVersion {
    /// Offsets take the low 44 bits; the epoch, raised when a topic is recreated, the bits above (at most 2^18 - 1).
    public static let epochShift: Int64 = 44

    /// `epoch << 44 | offset + 2`: below it lies the floor of copied documents.
    public static func offset(_ offset: Int64, epoch: Int64) -> Int64 { epoch << epochShift | (offset &+ 2) }

    /// What a copied document carries that has no version of its own: older than every command of its epoch.
    public static func floor(epoch: Int64) -> Int64 { epoch << epochShift | 1 }

    /// `milliseconds << 20 | low 20 bits of the offset`: commands of one millisecond keep their order.
    public static func timestamp(_ milliseconds: Int64, offset: Int64) -> Int64 {
        milliseconds << 20 | (offset & 0xF_FFFF)
    }
}
