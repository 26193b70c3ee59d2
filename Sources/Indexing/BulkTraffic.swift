/// All bulk requests under way: how many there may be, how large a batch should be, and what keeps the target from
/// taking writes.
public struct BulkTraffic: Sendable {
    /// What an answer changed about the trouble with the target. Each change is reported once.
    public enum Change: Sendable, Equatable {
        case none
        /// The target takes no request.
        case refusesAll(because: String)
        /// The target keeps refusing some items.
        case refusesSome(because: String)
        /// The target takes writes again.
        case over
    }

    /// Items may be sent again this many times in a row before it is called a trouble: throttling passes by itself.
    public static let patience = 5

    private var limit: ConcurrencyLimit
    private var sizer = BatchSizer()
    /// Batches that were let in and did not leave yet.
    public private(set) var inFlight = 0
    /// Bytes of these batches.
    public private(set) var bytes = 0
    /// Bytes that batches may have together; a single larger one passes alone.
    private let byteLimit: Int
    /// What keeps the target from taking writes at present; nil: nothing does.
    public private(set) var trouble: String?
    private var throttled = 0

    public init(limit: ConcurrencyLimit, byteLimit: Int) {
        (self.limit, self.byteLimit) = (limit, byteLimit)
    }

    /// The size at which a batch should be handed over.
    public var batchLimits: BatchLimits { sizer.limits }

    public var load: BulkLoad {
        BulkLoad(
            limit: limit.limit, inFlight: inFlight, batchDocuments: sizer.documents, batchBytes: sizer.bytes,
            throttled: throttled)
    }

    /// Lets a batch of this size in. False: it must wait until another one has left.
    public mutating func enter(bytes size: Int) -> Bool {
        guard inFlight < limit.limit, inFlight == 0 || bytes + size <= byteLimit else { return false }
        inFlight += 1
        bytes += size
        return true
    }

    /// A batch of this size is done, or given up.
    public mutating func leave(bytes size: Int) {
        inFlight -= 1
        bytes -= size
    }

    /// A request of a batch begins.
    public mutating func began() -> ConcurrencyLimit.Ticket { limit.began(inFlight: inFlight) }

    /// A request was answered item by item. `delivery` as it was when it was sent; `bytes`: of the request's lines.
    public mutating func answered(
        _ ticket: ConcurrencyLimit.Ticket, _ delivery: BulkDelivery, _ verdicts: ItemVerdicts, bytes: Int,
        tookMilliseconds: Int
    ) -> Change {
        limit.ended(
            ticket, verdicts.isThrottled ? .throttled : .success, documents: delivery.window,
            tookMilliseconds: tookMilliseconds)
        if verdicts.isThrottled { throttled += 1 }
        if delivery.carriesAll {
            sizer.answered(documents: delivery.window, bytes: bytes, tookMilliseconds: tookMilliseconds)
        }
        guard let why = verdicts.why else {
            guard trouble != nil else { return .none }
            trouble = nil
            return .over
        }
        // Repeated without limit, but not without a word.
        let begins = trouble == nil && delivery.attempts >= Self.patience
        if begins || trouble != nil { trouble = why }
        return begins ? .refusesSome(because: why) : .none
    }

    /// A request of `documents` came to nothing.
    public mutating func failed(
        _ ticket: ConcurrencyLimit.Ticket, _ failure: BulkFailure, documents: Int
    ) -> Change {
        limit.ended(ticket, failure.isOverload ? .throttled : .failed, documents: documents, tookMilliseconds: 0)
        if failure.isOverload { throttled += 1 }
        defer { trouble = failure.because }
        return trouble == nil ? .refusesAll(because: failure.because) : .none
    }

    /// A request of this size was refused with 413.
    public mutating func tooLarge(bytes: Int) { sizer.tooLarge(bytes: bytes) }
}
