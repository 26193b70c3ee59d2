import Commands

/// Judges the items of one bulk answer that the status alone does not call applied, and remembers what has to be sent
/// again (promise P6 in docs/architecture.md).
///
/// The driver asks ``ItemClass/isApplied(status:)`` first: nearly every item ends there.
public struct ItemVerdicts: Sendable {
    /// What the driver does with an item.
    public enum Verdict: Sendable, Equatable {
        case settle(ItemClass.Done)
        /// The item becomes a dead letter for this reason, a stable code.
        case bury(reason: String)
        /// The item has no outcome yet.
        case keep
    }

    /// Places of the items that are to be sent again, ascending.
    public private(set) var again: [Int] = []
    /// Whether an item was refused because the target has too much to do.
    public private(set) var isThrottled = false
    /// Why items are sent again, in words for the operator; nil when none is.
    public private(set) var why: String?
    /// Items that the target refused for good.
    public private(set) var buried = 0
    /// Why no item can succeed at present, with the server's words; nil when some may. The blocked items keep no
    /// outcome, so that nothing after them is ever committed.
    public private(set) var block: (block: WriteBlock, detail: String)?

    public init() {}

    /// Judges the item at `place`; see ``ItemClass/classify(kind:status:errorType:reason:)`` for the rest.
    public mutating func judge(_ place: Int, status: Int, errorType: String?, reason: String?) -> Verdict {
        // Whatever the operation was, it is sent as an index action.
        switch ItemClass.classify(kind: .index, status: status, errorType: errorType, reason: reason) {
        case .done(let done): return .settle(done)
        case .dead(let reason):
            buried += 1
            return .bury(reason: reason)
        case .again(let throttled):
            isThrottled = isThrottled || throttled
            keep(place, status, errorType)
        case .stop(let found):
            if found.mayBeStarting {
                keep(place, status, errorType)
            } else if block == nil {
                block = (found, reason ?? "status \(status)")
            }
        }
        return .keep
    }

    private mutating func keep(_ place: Int, _ status: Int, _ errorType: String?) {
        again.append(place)
        if why == nil { why = Self.words(status, errorType ?? "") }
    }

    /// What the server says of an item, without the document's content.
    private static func words(_ status: Int, _ type: String) -> String {
        if type.hasPrefix("index_closed_exception") || type.hasPrefix("IndexClosedException") {
            return "the target index is closed: open it"
        }
        return "items are answered with \(status)\(type.isEmpty ? "" : " \(type.prefix(100))")"
    }
}
