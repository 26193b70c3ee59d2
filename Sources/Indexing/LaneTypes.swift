import Commands

/// An operation in a key lane. It owns its bytes, because it outlives the record that it came from.
public struct LaneOperation: Sendable {
    public var kind: OperationKind
    public var version: Int64
    /// The routing value, unescaped UTF-8.
    public var routing: [UInt8]?
    /// The document or its part in SOURCE form, as the command had it; empty for a delete.
    public var document: [UInt8]
    /// The driver's name for the record.
    public var token: UInt64
    /// Serial of a batch under way that writes this key. The lane does not read its base before
    /// ``KeyLanes/batchFinished(_:)`` was called with it, so that call must be still to come.
    public var waitFor: Int?
    /// What the driver keeps of the record meanwhile, in bytes.
    public var recordBytes: Int

    public init(
        kind: OperationKind, version: Int64, routing: [UInt8]? = nil, document: [UInt8], token: UInt64,
        waitFor: Int? = nil, recordBytes: Int = 0
    ) {
        (self.kind, self.version, self.routing, self.document, self.token) = (kind, version, routing, document, token)
        (self.waitFor, self.recordBytes) = (waitFor, recordBytes)
    }

    /// Bytes it holds, with its record and an allowance for its own storage.
    var heldBytes: Int { document.count + (routing?.count ?? 0) + recordBytes + 96 }
}

/// Names a lane for the driver. A call with the name of a lane that is gone changes nothing.
public struct LaneKey: Hashable, Sendable {
    let slot: Int
    let serial: UInt64
}

/// A document to be read before the lane can go on.
public struct LaneFetch: Sendable {
    public let key: LaneKey
    public let entry: Int
    public let id: [UInt8]
    public let routing: [UInt8]?
}

/// An operation that can never succeed.
public struct LaneReject: Sendable, Equatable {
    public let token: UInt64
    /// Stable code for the dead letter.
    public let reason: String
    public let detail: String
}

/// A record's final outcome.
public struct LaneOutcome: Sendable, Equatable {
    public let token: UInt64
    public let outcome: Outcome
    /// The version in the target that made it stale; nil: it is not stale, or that is not known.
    public var newer: Int64?
}

/// The final outcomes of some operations. The driver settles all of them.
public struct LaneResult: Sendable, Equatable {
    public var outcomes: [LaneOutcome] = []
    /// These go to the dead letters, each with its reason.
    public var rejects: [LaneReject] = []

    public init() {}

    public var isEmpty: Bool { outcomes.isEmpty && rejects.isEmpty }
}

/// The outcome of folding a lane's operations onto its base.
public struct LaneWrite: Sendable {
    public enum Body: Sendable, Equatable {
        /// The whole document in TARGET form.
        case document([UInt8])
        case tombstone
        /// Nothing is to be written. The lane goes on by itself; do not call ``KeyLanes/written(_:_:)``.
        case nothing
    }

    public let key: LaneKey
    public let entry: Int
    public let id: [UInt8]
    public let routing: [UInt8]?
    public let body: Body
    /// The external version of the write: that of the last operation in it.
    public let version: Int64
    /// Operations that the write settles when it is acknowledged.
    public let operations: Int
    /// Operations older than the base, and those that cannot be applied: final, whatever becomes of the write.
    public let settled: LaneResult
}

/// What became of a ``LaneWrite``.
public enum LaneWriteResult: Sendable, Equatable {
    case applied
    /// 409: the index holds this version or a newer one, which is `newer` where the server says it.
    case stale(newer: Int64?)
    case dead(reason: String, detail: String)
}

/// What a partial update does whose document is neither in the target nor in the source.
public enum MissingDocument: String, CaseIterable, Sendable {
    /// The part becomes the document.
    case create
    /// Nothing happens, as in an application that passes over the update API's 404.
    case ignore
    case reject
}

/// Why an operation cannot be applied.
public struct LaneError: Error, Sendable, Equatable {
    /// Stable code for the dead letter.
    public var reason: String
    public var detail: String

    public init(reason: String, detail: String) {
        (self.reason, self.detail) = (reason, detail)
    }

    static let moves = LaneError(
        reason: "moves",
        detail:
            "a part of a document that another index has, or that no index is to have any more: what the part lacks "
            + "would be lost with the move")
}

/// The transform of each entry, in the form that the lanes call.
public protocol LaneTransform: AnyObject {
    /// A document in SOURCE form becomes one in TARGET form.
    func apply(entry: Int, document: [UInt8]) throws(LaneError) -> [UInt8]
    /// A part in SOURCE form is merged into `base`, which is in TARGET form; nil when there is no document.
    func merge(entry: Int, base: [UInt8]?, partial: [UInt8]) throws(LaneError) -> [UInt8]
    /// A row in SOURCE form replaces `base`, which is in TARGET form, but for the columns whose value did not come.
    func keep(entry: Int, base: [UInt8], row: [UInt8]) throws(LaneError) -> [UInt8]
}

extension LaneTransform {
    public func keep(entry: Int, base: [UInt8], row: [UInt8]) throws(LaneError) -> [UInt8] {
        throw LaneError(reason: "unavailable_value", detail: "no column can be kept")
    }
}
