/// Which slices of a copy are still to be read, are being read, or are recorded as done (promise P2 in
/// docs/architecture.md: a slice is recorded only when everything it holds has its final outcome).
///
/// Slices are named by their number. Whether a slice was read to its end and has all its outcomes is what
/// ``OutcomeBook`` knows; see ``PartitionOwnership/isFinished``.
public struct CopyProgress: Sendable, Equatable {
    public enum Slice: Sendable, Equatable {
        /// No reader has it yet.
        case waiting
        /// A reader has it, or had it when the work was told to stop.
        case reading
        /// An earlier run recorded it. It is not read again.
        case recordedBefore
        /// This run recorded it.
        case recorded
    }

    public private(set) var slices: [Slice]
    /// Documents that the source returned in this run, by slice.
    private var returnedBySlice: [Int]
    private var nextWaiting = 0

    /// - Parameter recorded: for every slice, whether an earlier run recorded it as done.
    public init(recorded: [Bool]) {
        slices = recorded.map { $0 ? .recordedBefore : .waiting }
        returnedBySlice = Array(repeating: 0, count: recorded.count)
    }

    /// The slices that this run has to read.
    public var unfinished: [Int] { slices.indices.filter { slices[$0] == .waiting || slices[$0] == .reading } }

    /// The next slice for a reader that is free, in their order; nil: none waits.
    public mutating func take() -> Int? {
        while nextWaiting < slices.count {
            defer { nextWaiting += 1 }
            guard slices[nextWaiting] == .waiting else { continue }
            slices[nextWaiting] = .reading
            return nextWaiting
        }
        return nil
    }

    /// The source returned a page of the slice. Gives the place of its first document within the slice; nil: the slice
    /// is not being read.
    public mutating func returned(_ documents: Int, of slice: Int) -> Int? {
        guard documents >= 0, isReading(slice) else { return nil }
        defer { returnedBySlice[slice] += documents }
        return returnedBySlice[slice]
    }

    /// The slice is read again from its start.
    public mutating func readAgain(_ slice: Int) {
        guard isReading(slice) else { return }
        returnedBySlice[slice] = 0
    }

    /// Slices that can be recorded as done now.
    /// - Parameter isFinished: whether a slice was read to its end and every document of it has its final outcome.
    public func recordable(isFinished: (Int) -> Bool) -> [Int] {
        slices.indices.filter { slices[$0] == .reading && isFinished($0) }
    }

    /// The state holds these slices as done. Others than those being read are left alone.
    public mutating func recorded(_ done: [Int]) {
        for slice in done where isReading(slice) { slices[slice] = .recorded }
    }

    /// Documents that the source returned of a slice in this run.
    public func returned(of slice: Int) -> Int { returnedBySlice.indices.contains(slice) ? returnedBySlice[slice] : 0 }

    /// Documents that the source returned in this run.
    public var returned: Int { returnedBySlice.reduce(0, +) }

    /// Slices that this run recorded.
    public var recordedCount: Int { slices.reduce(0) { $0 + ($1 == .recorded ? 1 : 0) } }

    /// Whether every slice is recorded as done: the copy can be closed.
    public var isComplete: Bool { slices.allSatisfy { $0 == .recorded || $0 == .recordedBefore } }

    private func isReading(_ slice: Int) -> Bool { slices.indices.contains(slice) && slices[slice] == .reading }
}
