/// Why no tombstone may be purged at present.
public enum PurgeRefusal: Sendable, Equatable {
    /// A page that comes after the tombstone of its document is gone would bring the document back.
    case copyUnfinished
    /// A replay may write something older than a delete whose tombstone would be gone.
    case replayUnfinished
    /// The target index was made again, and the log was not replayed into it yet.
    case replayDue
    /// A repair may write a document of the old side over a delete whose tombstone would be gone.
    case repairUnfinished
}

/// What a migration's state says that decides whether tombstones may be purged (promise P5 in docs/architecture.md).
///
/// All times are milliseconds of one clock. The purge itself may be late; that is what ``PurgeRecord`` is for.
public struct PurgeConditions: Sendable, Equatable {
    /// When a copy or a replay ended.
    public enum Work: Sendable, Equatable {
        /// There never was one, and none is needed.
        case none
        case unfinished
        case finished(Int64)

        var end: Int64? { if case .finished(let time) = self { time } else { nil } }
    }

    public var copy: Work
    public var replay: Work
    public var repair: Work
    public var replayDue: Bool

    public init(copy: Work, replay: Work, repair: Work = .none, replayDue: Bool) {
        (self.copy, self.replay, self.repair, self.replayDue) = (copy, replay, repair, replayDue)
    }

    /// Why nothing may be purged; nil: the state allows it.
    public var refusal: PurgeRefusal? {
        if copy == .unfinished { return .copyUnfinished }
        if replay == .unfinished { return .replayUnfinished }
        if repair == .unfinished { return .repairUnfinished }
        return replayDue ? .replayDue : nil
    }

    /// When the last copy, replay or repair ended; nil: there was none.
    public var lastEnd: Int64? { [copy.end, replay.end, repair.end].compactMap { $0 }.max() }

    /// Whether the last of them ended long enough ago for a purge of tombstones written before `before`. A
    /// member may not have noticed yet that it ended, and requests of it may still be on their way.
    public func isQuiet(before: Int64) -> Bool { lastEnd.map { $0 < before } ?? true }
}

/// Why the tombstone of a document with dead letters must stay: a redrive of an older command would bring the document
/// back.
public enum TombstoneHold: Sendable, Equatable {
    /// A dead letter that may be redriven at any time.
    case unresolved
    /// A dead letter was redriven. A redrive of it that was killed may be late until then, in milliseconds.
    case redriven(until: Int64)

    /// What one dead letter holds; nil: it was resolved so long ago that it holds nothing any more.
    /// - Parameters:
    ///   - resolvedAt: when it was resolved; nil: it is not.
    ///   - tombstoneAge: longer than any request can be late.
    public init?(resolvedAt: Int64?, now: Int64, tombstoneAge: Int64) {
        guard let resolvedAt else {
            self = .unresolved
            return
        }
        let (until, overflow) = resolvedAt.addingReportingOverflow(tombstoneAge)
        guard overflow || until >= now else { return nil }
        self = .redriven(until: overflow ? .max : until)
    }

    /// The one that lasts longer.
    public func or(_ other: TombstoneHold?) -> TombstoneHold {
        switch (self, other) {
        case (_, nil), (.unresolved, _): self
        case (_, .unresolved): .unresolved
        case (.redriven(let one), .redriven(let other)): .redriven(until: max(one, other))
        }
    }
}

/// What the state remembers of purges for the copies and replays to come.
public struct PurgeRecord: Sendable, Equatable {
    /// One page of one purge that is under way.
    public struct Claim: Sendable, Equatable {
        let since: Int64
        /// Whether no other request was under way when it began.
        let isAlone: Bool
    }

    /// Tombstones are gone that a copy or a replay would miss. It must write the deletes of the log again first.
    public private(set) var mustRestore: Bool
    /// Since when a request of a purge may be on its way, in milliseconds; nil: none is.
    public private(set) var underWaySince: Int64?

    public init(mustRestore: Bool = false, underWaySince: Int64? = nil) {
        (self.mustRestore, self.underWaySince) = (mustRestore, underWaySince)
    }

    /// A page of tombstones is about to be deleted. To be recorded before the request leaves.
    /// - Parameter longest: milliseconds that a request can be under way at most.
    public mutating func begin(now: Int64, longest: Int64) -> Claim {
        let isAlone = !mayArrive(now: now, longest: longest)
        let since = isAlone ? now : max(now, (underWaySince ?? now) &+ 1)
        mustRestore = true
        underWaySince = since
        return Claim(since: since, isAlone: isAlone)
    }

    /// The page has its answers. Where several processes purge at once, the record stays until it is too old: it has
    /// room for one claim only, and another request may still be under way.
    public mutating func answered(_ claim: Claim) {
        if claim.isAlone, underWaySince == claim.since { underWaySince = nil }
    }

    /// The deletes of the log were all written again.
    public mutating func restored() { mustRestore = false }

    /// Whether a partial update whose document is not in the target takes the source's. It must not while deletes are
    /// to be written again: the document may be one that was deleted, and whose delete the old index has not applied
    /// yet.
    public func sourceIsBase(copyUnfinished: Bool) -> Bool { copyUnfinished && !mustRestore }

    /// Whether a request may still arrive. It would take a tombstone that is written now.
    /// - Parameter longest: milliseconds that a request can be under way at most.
    public func mayArrive(now: Int64, longest: Int64) -> Bool {
        underWaySince.map { now &- $0 < longest } ?? false
    }
}
