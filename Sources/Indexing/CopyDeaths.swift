/// Whether the documents of a copy mostly become dead letters, so that it has to stop.
///
/// It judges each index of the source by itself: its documents page by page, or several pages at once where these are
/// settled faster than it is looked; and all of them when the copy has ended. It is told what is settled so far, by
/// slice, in whole pages: within a page dead letters may be settled before the documents that are written.
public struct CopyDeaths: Sendable, Equatable {
    /// From when on it is too many.
    public struct Limit: Sendable, Equatable {
        /// The part of the documents that die, in hundredths of a percent.
        public var share: Int
        /// Fewer dead letters than this never stop a copy, unless they are all the documents that there are.
        public var count: Int

        public init(share: Int, count: Int) {
            (self.share, self.count) = (min(max(1, share), 10_000), max(1, count))
        }

        /// Whether of these documents, or records, too many are dead, and not only a few.
        public func isReached(dead: Int, of all: Int) -> Bool {
            dead >= count && isReached(Tally(documents: all, dead: dead))
        }

        func isReached(_ tally: Tally) -> Bool {
            tally.dead > 0 && tally.dead * 10_000 >= tally.documents * share
        }
    }

    /// Documents that have their outcome, and how many of these are dead letters.
    public struct Tally: Sendable, Equatable {
        public var documents: Int
        public var dead: Int

        public init(documents: Int = 0, dead: Int = 0) { (self.documents, self.dead) = (documents, dead) }

        /// What is settled of a slice, up to the end of a page.
        public init(_ slice: PartitionOwnership) {
            self.init(
                documents: Int(clamping: slice.tracker.committable ?? 0), dead: slice.tracker.committableDead)
        }

        static func + (one: Tally, other: Tally) -> Tally {
            Tally(documents: one.documents + other.documents, dead: one.dead + other.dead)
        }

        static func - (one: Tally, other: Tally) -> Tally {
            Tally(documents: one.documents - other.documents, dead: one.dead - other.dead)
        }
    }

    /// The index whose documents mostly die, by its place, and what was judged of it.
    public struct Finding: Sendable, Equatable {
        public var index: Int
        public var tally: Tally

        public init(index: Int, tally: Tally) { (self.index, self.tally) = (index, tally) }
    }

    private let limit: Limit
    /// Documents that are judged together at least.
    private let window: Int
    /// The index of each slice.
    private let indexOfSlice: [Int]
    /// By index: what was settled when it was last judged, what is settled now, and what earlier runs have settled.
    private var judged: [Tally]
    private var settled: [Tally]
    private var earlier: [Tally]

    /// - Parameters:
    ///   - page: documents of a page.
    ///   - indexOfSlice: for every slice the index that it is a part of, counted from 0.
    ///   - earlier: for every slice what earlier runs have recorded of it.
    public init(limit: Limit, page: Int, indexOfSlice: [Int], earlier: [Tally]) {
        (self.limit, self.indexOfSlice) = (limit, indexOfSlice)
        window = max(1, page, limit.count)
        let none = Array(repeating: Tally(), count: (indexOfSlice.max() ?? -1) + 1)
        (judged, settled, self.earlier) = (none, none, none)
        for (slice, tally) in earlier.enumerated() where indexOfSlice.indices.contains(slice) {
            self.earlier[indexOfSlice[slice]] = self.earlier[indexOfSlice[slice]] + tally
        }
    }

    /// What this run has settled so far, by slice. Gives the first index whose last page or pages mostly died.
    public mutating func look(_ slices: [Tally]) -> Finding? {
        var now = Array(repeating: Tally(), count: settled.count)
        for (slice, tally) in slices.enumerated() where indexOfSlice.indices.contains(slice) {
            now[indexOfSlice[slice]] = now[indexOfSlice[slice]] + tally
        }
        settled = now
        for index in now.indices {
            let fresh = now[index] - judged[index]
            // A slice is read again from its start.
            if fresh.documents < 0 { judged[index] = now[index] }
            guard fresh.documents >= window else { continue }
            judged[index] = now[index]
            if limit.isReached(dead: fresh.dead, of: fresh.documents) { return Finding(index: index, tally: fresh) }
        }
        return nil
    }

    /// Judges every index as a whole, with what earlier runs have settled: the copy has ended.
    public func atEnd() -> Finding? {
        for index in settled.indices {
            let whole = settled[index] + earlier[index]
            guard limit.isReached(whole), whole.dead >= limit.count || whole.dead == whole.documents else { continue }
            return Finding(index: index, tally: whole)
        }
        return nil
    }
}
