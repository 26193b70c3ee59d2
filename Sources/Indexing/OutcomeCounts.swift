import Commands

/// How many records had which final outcome.
public struct OutcomeCounts: Sendable, Equatable {
    private var counts: [Int]

    public init() { counts = Array(repeating: 0, count: Outcome.allCases.count) }

    public subscript(_ outcome: Outcome) -> Int {
        get { counts[outcome.rawValue] }
        set { counts[outcome.rawValue] = newValue }
    }

    public var total: Int { counts.reduce(0, +) }

    public static func += (one: inout OutcomeCounts, other: OutcomeCounts) {
        for index in one.counts.indices { one.counts[index] += other.counts[index] }
    }
}

/// What is known of a partition, or of a slice of the copy, in this process.
public struct PartitionCounts: Sendable, Equatable {
    public var partition: Int32
    /// Records read. Of ownerships that ended only those that got an outcome count: the next owner reads the others
    /// again.
    public var read = 0
    /// Records read that have no final outcome yet.
    public var inFlight = 0
    public var outcomes = OutcomeCounts()
    /// The first offset read.
    public var start: Int64?
    /// The next offset to read.
    public var position: Int64?
    /// Every record before this offset has its final outcome.
    public var committed: Int64?
    public var owned = false

    public init(partition: Int32) { self.partition = partition }
}
