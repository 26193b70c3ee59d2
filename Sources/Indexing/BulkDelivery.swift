/// Brings one bulk batch to its end: decides after each answer what is sent next, and when (promise P6 in
/// docs/architecture.md). It ends only when every item has its final outcome, or the work must stop.
///
/// The batch's items are a queue. Each request carries the first ``window`` of them.
public struct BulkDelivery: Sendable {
    /// Whether a batch may go out now.
    public enum Permission: Sendable, Equatable {
        case send
        /// Its partitions were given up: their next owner reads the records again.
        case drop
        /// It is not known whether they were given up.
        case wait(milliseconds: Int)
    }

    /// Items without a final outcome.
    public private(set) var items = 0
    private var bisection = PayloadBisection()
    private var backoff = Backoff()

    public init() {}

    /// Items at the front that the present request carries.
    public var window: Int { bisection.window }
    /// Attempts in a row that came to nothing, in part or as a whole.
    public var attempts: Int { backoff.attempts }
    /// Whether the present request carries everything that is left.
    public var carriesAll: Bool { window == items }

    /// To be asked before each request. `isOurs`: see ``OutcomeBook/isOurs(_:)``. `leaseIsValid`: whether this
    /// process is sure that it still owns its partitions.
    public static func permission(isOurs: Bool, leaseIsValid: Bool) -> Permission {
        guard isOurs else { return .drop }
        return leaseIsValid ? .send : .wait(milliseconds: 20)
    }

    public mutating func begin(items: Int) {
        self = BulkDelivery()
        self.items = items
        bisection.carryAll(items)
    }

    /// The request was answered with a verdict for each of its items. What is left are the items in
    /// ``ItemVerdicts/again``, then those that the request did not carry.
    public mutating func answered(
        _ verdicts: ItemVerdicts, using generator: inout some RandomNumberGenerator
    ) -> BulkStep {
        if let block = verdicts.block { return .stop(.blocked(block.block, detail: block.detail)) }
        items = verdicts.again.count + (items - window)
        guard items > 0 else { return .finish }
        guard verdicts.again.isEmpty else {
            bisection.carryAll(items)
            return .sendItemsAgain(afterMilliseconds: backoff.next(using: &generator))
        }
        backoff.reset()
        bisection.taken(left: items)
        return .send
    }

    /// No answer came, or none that can be understood: what the request did is not known.
    public mutating func failed(
        _ failure: BulkFailure, using generator: inout some RandomNumberGenerator
    ) -> BulkStep {
        .sendAgain(failure, afterMilliseconds: backoff.next(using: &generator))
    }

    /// The request was refused as a whole.
    public mutating func rejected(
        _ answer: BulkRejection, using generator: inout some RandomNumberGenerator
    ) -> BulkStep {
        switch answer.status {
        case 413, 400:
            guard let block = answer.block else { return bisect(tooLarge: answer.status == 413) }
            guard block.mayBeStarting else { return .stop(.blocked(block, detail: answer.reason ?? "")) }
            return failed(BulkFailure(.unavailable, because: answer.description), using: &generator)
        case 429, 500...599:
            let because = "the bulk request was answered with \(answer.status)"
            let kind: BulkFailure.Kind = answer.status == 429 ? .throttled : .unavailable
            return failed(BulkFailure(kind, isOverload: true, because: because), using: &generator)
        default:
            // A block on the whole cluster, or on the index in some versions, is lifted one day.
            guard answer.isPassing || answer.block?.mayBeStarting == true else { return .stop(.status(answer.status)) }
            return failed(BulkFailure(.unavailable, because: answer.description), using: &generator)
        }
    }

    private mutating func bisect(tooLarge: Bool) -> BulkStep {
        if bisection.halve(tooLarge: tooLarge) { return .sendHalf }
        return .buryFirst(reason: tooLarge ? "too_large" : "bad_request")
    }

    /// The first item became a dead letter.
    public mutating func firstBuried() -> BulkStep {
        items = max(0, items - 1)
        bisection.carryAll(items)
        return items == 0 ? .finish : .send
    }
}
