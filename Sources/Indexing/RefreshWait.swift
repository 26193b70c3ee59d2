/// One copy of a shard: a primary or a replica.
public struct ShardCopy: Sendable, Hashable {
    public var shard: String
    public var node: String

    public init(shard: String, node: String) { (self.shard, self.node) = (shard, node) }
}

/// Decides when a search shows everything that was written to an index before a certain moment, where the index cannot
/// be refreshed by request. It has no clock: times are milliseconds of a clock that never goes back.
///
/// A refresh that was under way at that moment may have begun before the last write. So each shard copy must end two,
/// or two intervals must pass: a copy that has nothing to show is not refreshed.
public struct RefreshWait: Sendable, Equatable {
    /// How much longer than two intervals it takes at most.
    public static let slack: Int64 = 1000

    private let ends: Int64
    /// How often each copy had been refreshed at the beginning; nil: that is not known.
    private let counts: [ShardCopy: Int64]?

    /// - Parameters:
    ///   - interval: how often the index is refreshed.
    ///   - counts: how often each copy had been refreshed; nil: that is not known.
    public init(interval: Int64, now: Int64, counts: [ShardCopy: Int64]?) {
        ends = now + 2 * min(interval, Int64.max / 4) + Self.slack
        self.counts = counts
    }

    /// Whether everything is visible. `counts`: how often each copy has been refreshed by now; nil: not known.
    public func isOver(now: Int64, counts present: [ShardCopy: Int64]?) -> Bool {
        if now >= ends { return true }
        guard let counts, let present, !present.isEmpty else { return false }
        return present.allSatisfy { copy, count in counts[copy].map { count >= $0 + 2 } ?? false }
    }

    /// How long it may still take.
    public func left(now: Int64) -> Int64 { max(0, ends - now) }
}
