/// Whether a compacted log may have forgotten deletes that were never read (promise P5 in docs/architecture.md).
///
/// Compaction removes a delete when it is older than `delete.retention.ms`. Who has read the log up to some time misses
/// none as long as that time is younger. After that, a gap in what was not read may have been a delete. It may also
/// have been an older command of a document, or the marker of a transaction in a part that was compacted: nothing tells
/// them apart.
///
/// Times are milliseconds since 1970.
public struct ForgottenDeletes: Sendable, Equatable {
    /// Up to when everything is known to have been read.
    public enum Since: Sendable, Equatable {
        /// The log had been read to its end at this time, by the clock of the member that noted it.
        case commit(Int64)
        /// The source was read at this time, and nothing of the log since.
        case snapshot(Int64)
        /// Something was applied, but it is not known when.
        case unknown

        public var time: Int64? {
            switch self {
            case .commit(let time), .snapshot(let time): time
            case .unknown: nil
            }
        }
    }

    /// Offsets at which there is no record.
    public struct Gap: Sendable, Equatable {
        public var offsets: Range<Int64>
        /// When the record before it was written; nil: that is not known.
        public var after: Int64?

        public init(offsets: Range<Int64>, after: Int64?) { (self.offsets, self.after) = (offsets, after) }
    }

    /// What is not read yet of a partition, and how much of it was looked at.
    public struct Stretch: Sendable, Equatable {
        public var partition: Int32
        public var offsets: Range<Int64>
        public var since: Since
        public var gaps: [Gap] = []
        public var looked: Int64 = 0
        /// Compaction never came as far as this.
        public var isUncompacted = false

        public init(partition: Int32, offsets: Range<Int64>, since: Since) {
            (self.partition, self.offsets, self.since) = (partition, offsets, since)
        }

        /// Whether its gaps matter at all.
        public func isLate(now: Int64, retention: Int64) -> Bool {
            guard !offsets.isEmpty else { return false }
            return since.time.map { now - $0 > retention } ?? true
        }
    }

    public enum Verdict: Sendable, Equatable {
        case fine
        /// A delete may be missing here.
        case refused(Stretch, Gap)
        /// The same, but it is not known when the log was last read.
        case unknown(Stretch, Gap)
        /// Nothing was found in what was looked at, which is not all.
        case partly(looked: Int64, of: Int64)
    }

    public static func judge(_ stretches: [Stretch], now: Int64, retention: Int64) -> Verdict {
        let late = stretches.filter { $0.isLate(now: now, retention: retention) }
        var doubt: Verdict?
        for stretch in late {
            // A delete in a gap is younger than the record before it.
            let old = stretch.gaps.first { gap in
                gap.after.map { $0 < now && now - max(0, $0) > retention } ?? true
            }
            guard let gap = old else { continue }
            guard stretch.since == .unknown else { return .refused(stretch, gap) }
            doubt = doubt ?? .unknown(stretch, gap)
        }
        if let doubt { return doubt }
        let (looked, all) = (late.reduce(0) { $0 + $1.looked }, late.reduce(0) { $0 + Int64($1.offsets.count) })
        return looked < all ? .partly(looked: looked, of: all) : .fine
    }

    /// Finds the gaps in one piece of a partition that is read from its beginning.
    ///
    /// Compaction goes over a log from its beginning to some offset, and of the records of one key before that offset
    /// it leaves only the last. So where two records of one key are still there, it never came as far as the second of
    /// them. A gap from there on is the marker of a transaction, or a transaction that was aborted.
    public struct Reader: Sendable, Equatable {
        private var next: Int64
        private let from: Int64
        private var last: Int64?
        private var keys: Set<UInt64> = []
        public private(set) var gaps: [Gap] = []
        /// Compaction never came as far as the last record that was read.
        public private(set) var isUncompacted: Bool
        /// Enough to judge by.
        private static let most = 100

        /// - Parameters:
        ///   - offset: where the piece begins.
        ///   - from: gaps before this offset do not matter; nil: all do.
        ///   - last: when the record before `offset` was written; nil: that is not known.
        ///   - isUncompacted: an earlier piece has shown that compaction never came as far as this one.
        public init(
            at offset: Int64, from: Int64? = nil, after last: Int64? = nil, isUncompacted: Bool = false
        ) {
            (next, self.from, self.last, self.isUncompacted) = (offset, from ?? offset, last, isUncompacted)
        }

        /// `key`: a hash of the record's key; nil: it has none.
        public mutating func read(_ offset: Int64, timestamp: Int64, key: UInt64?) {
            let missing = max(next, from)
            if offset > missing, !isUncompacted, gaps.count < Self.most {
                gaps.append(Gap(offsets: missing..<offset, after: last))
            }
            next = max(next, offset + 1)
            last = timestamp >= 0 ? timestamp : nil
            guard !isUncompacted, let key, !keys.insert(key).inserted else { return }
            isUncompacted = true
            keys = []
        }
    }
}
