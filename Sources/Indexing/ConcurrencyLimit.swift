/// How many bulk requests may be under way: additive increase, multiplicative decrease.
///
/// It rises by one per round trip while it is reached and the server does not slow down. It falls to 0.7 of itself when
/// items were throttled, a request failed, or the server's time per document (`took`) has risen to a multiple of its
/// best. A request that began before the last decrease never causes another one: one overload is one decrease.
public struct ConcurrencyLimit: Sendable {
    public enum Result: Sendable {
        /// Every item has its final outcome.
        case success
        /// Some items were refused because the server has too much to do.
        case throttled
        /// No valid answer.
        case failed
    }

    /// ``began(inFlight:)`` gives it, and ``ended(_:_:documents:tookMilliseconds:)`` takes it back.
    public struct Ticket: Sendable {
        let number: Int
        let limitReached: Bool
    }

    /// At most this many, whatever happens.
    public let maximum: Int
    /// Decreases so far, for the status.
    public private(set) var decreases = 0
    /// Smoothed server time per document, in microseconds; 0 before the first answer.
    public private(set) var microsecondsPerDocument = 0.0

    private var value: Double
    private var numbers = 0
    private var fence = 0
    private var best = 0.0

    /// Smaller batches say little about the time per document.
    private static let smallestSample = 100

    public init(maximum: Int, start: Int = 2) {
        self.maximum = max(1, maximum)
        value = Double(min(max(1, start), self.maximum))
    }

    /// Requests that may be under way now, at least 1.
    public var limit: Int { Int(value) }

    /// A request begins; `inFlight` counts it.
    public mutating func began(inFlight: Int) -> Ticket {
        numbers += 1
        return Ticket(number: numbers, limitReached: inFlight >= limit)
    }

    /// A request ended. `tookMilliseconds` is what the server says, or the round trip.
    public mutating func ended(_ ticket: Ticket, _ result: Result, documents: Int, tookMilliseconds: Int) {
        guard result == .success else {
            decrease(ticket)
            return
        }
        guard documents >= Self.smallestSample, tookMilliseconds >= 0 else {
            if ticket.limitReached { increase() }
            return
        }
        let cost = Double(tookMilliseconds) * 1_000 / Double(documents)
        if microsecondsPerDocument == 0 {
            microsecondsPerDocument = cost
            best = cost
        } else {
            microsecondsPerDocument += 0.3 * (cost - microsecondsPerDocument)
        }
        best = max(1, min(best, microsecondsPerDocument))
        // With hardly anything under way, the time is the server's own. If the server has become slower for good
        // (merges, larger documents), the best time follows, so that the limit can rise again.
        if limit <= 2 { best += 0.1 * (microsecondsPerDocument - best) }
        if microsecondsPerDocument > 3 * best {
            decrease(ticket)
        } else if ticket.limitReached, microsecondsPerDocument <= 2 * best {
            increase()
        }
    }

    private mutating func increase() { value = min(Double(maximum), value + 1 / value) }

    private mutating func decrease(_ ticket: Ticket) {
        guard ticket.number > fence else { return }
        fence = numbers
        decreases += 1
        value = max(1, value * 0.7)
    }
}
