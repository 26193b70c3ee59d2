/// What is next for a bulk batch.
public enum BulkStep: Sendable, Equatable {
    /// Every item has its final outcome.
    case finish
    /// The next request goes out now.
    case send
    /// The request was refused as a whole; one with half of its items goes out now.
    case sendHalf
    /// Some items have no outcome yet: what is left goes out after this time.
    case sendItemsAgain(afterMilliseconds: Int)
    /// The request came to nothing: it goes out again after this time.
    case sendAgain(BulkFailure, afterMilliseconds: Int)
    /// The first item alone was refused: it becomes a dead letter, then ``BulkDelivery/firstBuried()`` is asked.
    case buryFirst(reason: String)
    /// The work cannot go on until somebody acts. The items keep no outcome, so that nothing after them is committed.
    case stop(BulkRefusal)
}

/// Why a bulk request came to nothing, and is sent again for as long as it takes.
public struct BulkFailure: Sendable, Equatable {
    public enum Kind: Sendable {
        /// The target has too much to do.
        case throttled
        /// No answer came.
        case connection
        /// An answer came that is none, for example one with items missing.
        case malformed
        /// A block, or an index that is not there at the moment.
        case unavailable
    }

    public let kind: Kind
    /// Whether fewer requests should be under way.
    public let isOverload: Bool
    /// In words for the operator.
    public let because: String

    public init(_ kind: Kind, isOverload: Bool = false, because: String) {
        (self.kind, self.isOverload, self.because) = (kind, isOverload, because)
    }
}

/// Why the work must stop.
public enum BulkRefusal: Sendable, Equatable {
    /// With the server's words.
    case blocked(WriteBlock, detail: String)
    /// The whole request was refused with this status, and no other request would fare better.
    case status(Int)
}

/// An answer to a bulk request that is not 200.
public struct BulkRejection: Sendable {
    public var status: Int
    /// The error's type as the server names it.
    public var errorType: String?
    /// The server's words.
    public var reason: String?
    /// Whether the error is known as one that passes by itself: a block on the cluster or on the index.
    public var isPassing: Bool
    /// The error in words for the operator.
    public var description: String

    public init(status: Int, errorType: String?, reason: String?, isPassing: Bool, description: String) {
        (self.status, self.errorType, self.reason, self.isPassing) = (status, errorType, reason, isPassing)
        self.description = description
    }

    /// The block that the answer tells of. Some servers refuse the whole request where an alias is closed.
    var block: WriteBlock? {
        let verdict = ItemClass.classify(kind: .index, status: status, errorType: errorType, reason: reason)
        guard case .stop(let block) = verdict else { return nil }
        return block
    }
}
