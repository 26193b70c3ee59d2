/// What a partition's log holds: `low` is its first offset, `high` the offset after its last record that may be read.
public struct LogExtent: Sendable, Equatable {
    public var low: Int64
    public var high: Int64

    public init(low: Int64, high: Int64) {
        (self.low, self.high) = (low, high)
    }
}

/// Why a partition must not be read from an offset (promise P9 in docs/architecture.md).
public enum LogRefusal: Sendable, Equatable {
    /// The log begins after the offset that is wanted: what lay between is lost.
    case startLost(wanted: Int64, log: LogExtent)
    /// The log ends before the offset that is wanted.
    case startBeyondEnd(wanted: Int64, log: LogExtent)
    /// Everything before `applied` was applied, but the log ends before it.
    case wentBackwards(applied: Int64, log: LogExtent)
    /// Reading would begin at `start`, but the old index is only sure to hold what lies before `recorded`.
    case reachesTooLate(start: Int64, recorded: Int64)
    /// A replay would begin at `start`, but the group has applied only what lies before `committed`. It may have
    /// applied a record after that too, so a copy cannot make up for what lies between.
    case skipsUnapplied(start: Int64, committed: Int64)
}

/// The rails about a partition's log, for a start and while it is read. Rails of the plan, the start of a replay or of
/// `follow`, and the simulation all ask these.
public enum LogRails {
    /// Rail `log_start`: the log still holds the offset that is read next.
    public static func start(_ wanted: Int64, log: LogExtent) -> LogRefusal? {
        wanted < log.low ? .startLost(wanted: wanted, log: log) : nil
    }

    /// Rail `log_end`: the log holds what is read next, and everything that was applied.
    /// - Parameter applied: up to where the partition has been applied; 0: nothing is known of that.
    public static func end(_ wanted: Int64, applied: Int64, log: LogExtent) -> LogRefusal? {
        if wanted > log.high { return .startBeyondEnd(wanted: wanted, log: log) }
        return applied > log.high ? .wentBackwards(applied: applied, log: log) : nil
    }

    /// Rail `log_reach`: with a copy, reading begins no later than at what the old index is sure to hold.
    /// - Parameter recorded: up to where the application's own group had applied the log when anything was first read;
    ///   nil: that is not known.
    public static func reach(_ start: Int64, recorded: Int64?) -> LogRefusal? {
        guard let recorded, start > recorded else { return nil }
        return .reachesTooLate(start: start, recorded: recorded)
    }

    /// A new replay leaves out nothing that the group has still to apply. If the log has lost what lies between, a
    /// replay from its present beginning would hide that.
    /// - Parameters:
    ///   - committed: the group's offset; nil: it has none.
    ///   - isTargetNew: the target index was made again, so nothing that the group applied is in it.
    public static func join(_ start: Int64, committed: Int64?, isTargetNew: Bool) -> LogRefusal? {
        guard let committed, !isTargetNew, start > committed else { return nil }
        return .skipsUnapplied(start: start, committed: committed)
    }

    /// While a partition is read: its log must not have gone back behind what was read, nor lost what is read next.
    /// - Parameters:
    ///   - next: the next offset to read.
    ///   - frozenEnd: the end that a bounded replay has to reach; nil: there is none.
    public static func reading(next: Int64, frozenEnd: Int64?, log: LogExtent) -> LogRefusal? {
        // A frozen end that is not there any more would be waited for in vain.
        let known = max(next, frozenEnd ?? 0)
        if known > log.high { return .wentBackwards(applied: known, log: log) }
        return start(next, log: log)
    }
}

/// Where `follow` begins on a partition.
public enum FollowOffset {
    /// The group's own offset where it has one, else where a finished replay ended, else where the recipe begins.
    public static func choose(committed: Int64?, replayedTo: Int64?, recipeStart: Int64?) -> Int64 {
        committed ?? replayedTo ?? recipeStart ?? 0
    }

    /// Why `follow` must not begin there; nil: it may.
    public static func refusal(_ offset: Int64, log: LogExtent) -> LogRefusal? {
        if offset > log.high { return .wentBackwards(applied: offset, log: log) }
        return LogRails.start(offset, log: log)
    }
}
