import Indexing

/// What the looks at a topic come to, one after the other (promise P9 in docs/architecture.md): whether it is still
/// there with its partitions, whether it went backwards, and which records are to be looked for next.
///
/// It asks nothing and has no clock. Times are milliseconds of a clock that never goes back.
struct LogObservation: Sendable {
    /// What a look at the topic's partitions comes to.
    enum Partitions: Sendable, Equatable {
        case same
        /// There are more, which does no harm where versions are not offsets.
        case grown(from: Int)
        /// Keys have moved, so that offsets do not order the commands of an id any more.
        case changed(from: Int)
    }

    /// A partition whose log ends before what was read.
    struct Backwards: Sendable, Equatable {
        var partition: Int32
        var read: Int64
        var log: LogExtent
    }

    /// Partitions of which records are looked for at one time, unless their leader changed.
    static let probed = 16

    private let versionsAreOffsets: Bool
    private let probeEvery: Int64
    private var count: Int
    private var leaders: [Int32: Int32] = [:]
    /// Partitions whose leader changed since their records were looked at.
    private var changed: Set<Int32> = []
    private var missed = 0
    private var nextProbe: Int64
    /// The last partition whose turn it was.
    private var turn: Int32 = -1
    /// Partitions whose end was once seen to lie before what was read.
    private var shrunk: Set<Int32> = []

    init(partitions: Int, versionsAreOffsets: Bool, probeEvery: Int64, now: Int64) {
        count = partitions
        (self.versionsAreOffsets, self.probeEvery) = (versionsAreOffsets, probeEvery)
        nextProbe = now + probeEvery
    }

    /// There is no such topic. True: it was deleted. A single miss may come from a broker that has just started.
    mutating func isMissing(reading partitions: some Sequence<Int32>) -> Bool {
        missed += 1
        // If the topic is there again at the next look, its records must show that it is the same.
        changed.formUnion(partitions)
        return missed > 1
    }

    /// The topic is there, with so many partitions and these leaders; a leader below 0 is none.
    mutating func isThere(partitions now: Int, leaders found: [Int32: Int32]) -> Partitions {
        missed = 0
        let before = count
        if now != before {
            guard !versionsAreOffsets, now > before else { return .changed(from: before) }
            count = now
        }
        for (partition, leader) in found where leader >= 0 {
            if let before = leaders[partition], before != leader { changed.insert(partition) }
            leaders[partition] = leader
        }
        return now == before ? .same : .grown(from: before)
    }

    /// Judges where the partitions end. A new leader may not know yet how far its followers are, so two looks in a row
    /// must find the same partition too short.
    mutating func judge(_ read: [Int32: Int64], logs: [Int32: LogExtent]) -> Backwards? {
        for (partition, position) in read.sorted(by: { $0.key < $1.key }) {
            guard let log = logs[partition], log.high < position else {
                shrunk.remove(partition)
                continue
            }
            guard !shrunk.insert(partition).inserted else { continue }
            return Backwards(partition: partition, read: position, log: log)
        }
        return nil
    }

    /// Whether records are to be looked for now.
    mutating func isProbeDue(now: Int64, isLast: Bool) -> Bool {
        guard isLast || now >= nextProbe || !changed.isEmpty else { return false }
        nextProbe = now + probeEvery
        return true
    }

    /// Which records to look for. Of partitions whose leader changed: all that are remembered. Of others: the oldest
    /// and the newest, and of only some partitions at a time, in turn. `all`: of every partition.
    mutating func choose(from partitions: [Int32: AppliedRecords.Partition], all: Bool) -> [Int32: [RecordFingerprint]]
    {
        let order = partitions.keys.sorted { ($0 <= turn ? 1 : 0, $0) < ($1 <= turn ? 1 : 0, $1) }
        let chosen = all ? order : order.filter(changed.contains) + order.filter { !changed.contains($0) }
        var wanted: [Int32: [RecordFingerprint]] = [:]
        for partition in chosen {
            guard all || wanted.count < Self.probed, let known = partitions[partition]?.known else { continue }
            guard let first = known.first, let last = known.last else { continue }
            wanted[partition] = changed.contains(partition) ? known : first == last ? [first] : [first, last]
            if !changed.contains(partition) { turn = partition }
        }
        return wanted
    }

    /// The records that were looked for are where they should be.
    mutating func probed() { changed = [] }
}
