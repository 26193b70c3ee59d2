/// Notices when many records come out stale that no process can have applied before. Then the target holds versions
/// that this log never gave: a restored snapshot, a topic that was made again under the same epoch, somebody else's
/// writes.
///
/// It judges the last outcomes of such records, at least `window` of them and at most a tenth more. It must be told
/// only outcomes that say something about versions: written or stale, neither skipped nor dead.
public struct StaleAlarm: Sendable {
    /// Outcomes that are judged together.
    public let window: Int
    /// The part of them that may be stale, in percent.
    public let percent: Int
    /// Outcomes told so far.
    public private(set) var told = 0
    /// Whether more of the last window is stale than can be right.
    public private(set) var isRaised = false
    /// The worst window that raised it: outcomes and how many of them were stale; nil: it was never raised.
    public private(set) var worst: (outcomes: Int, stale: Int)?

    /// Parts of the window, the oldest first.
    private var parts: [(outcomes: Int, stale: Int)] = []
    private var outcomes = 0
    private var stale = 0

    public init(window: Int = 1_000, percent: Int = 20) {
        self.window = max(1, window)
        self.percent = min(max(0, percent), 100)
    }

    /// `outcomes` more records have their outcome, `stale` of them stale. True when this raised the alarm.
    public mutating func tell(outcomes count: Int, stale staleCount: Int) -> Bool {
        guard count > 0, staleCount >= 0, staleCount <= count else { return false }
        told += count
        if let last = parts.last, last.outcomes < max(1, window / 10) {
            parts[parts.count - 1] = (last.outcomes + count, last.stale + staleCount)
        } else {
            parts.append((count, staleCount))
        }
        outcomes += count
        stale += staleCount
        while parts.count > 1, outcomes - parts[0].outcomes >= window {
            outcomes -= parts[0].outcomes
            stale -= parts[0].stale
            parts.removeFirst()
        }
        guard outcomes >= window else { return false }
        let beyond = stale * 100 > outcomes * percent
        defer { isRaised = beyond }
        guard beyond else { return false }
        // Compared as fractions.
        if let known = worst, known.stale * outcomes >= stale * known.outcomes { return !isRaised }
        worst = (outcomes, stale)
        return !isRaised
    }
}
