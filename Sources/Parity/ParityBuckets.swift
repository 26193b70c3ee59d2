/// The documents of one side, summed per bucket of the id's hash. Two sides with the same sums have the same documents.
package struct BucketSums: Sendable, Equatable {
    package static let bits = 18
    package static let size = 1 << bits

    package private(set) var counts: [Int64]
    package private(set) var sums: [ContentDigest]

    package init() {
        counts = Array(repeating: 0, count: Self.size)
        sums = Array(repeating: ContentDigest(), count: Self.size)
    }

    /// nil: there are not as many as there are buckets.
    package init?(counts: [Int64], sums: [ContentDigest]) {
        guard counts.count == Self.size, sums.count == Self.size else { return nil }
        (self.counts, self.sums) = (counts, sums)
    }

    @inline(__always) package mutating func add(_ item: ParityItem) {
        let bucket = ParityItem.bucket(item.hash)
        counts[bucket] &+= 1
        sums[bucket] = sums[bucket] &+ item.digest
    }

    package mutating func add(_ others: BucketSums) {
        for bucket in 0..<Self.size where others.counts[bucket] != 0 {
            counts[bucket] &+= others.counts[bucket]
            sums[bucket] = sums[bucket] &+ others.sums[bucket]
        }
    }

    package mutating func removeAll() {
        for bucket in 0..<Self.size where counts[bucket] != 0 {
            counts[bucket] = 0
            sums[bucket] = ContentDigest()
        }
    }

    package var total: Int64 { counts.reduce(0, &+) }
}

/// Where two sides differ.
package struct DifferingBuckets: Sendable, Equatable {
    private let flags: [Bool]
    /// How many buckets differ.
    package let count: Int
    /// Documents of both sides in these.
    package let documents: Int64

    package init(_ one: BucketSums, _ other: BucketSums) {
        var flags = Array(repeating: false, count: BucketSums.size)
        var (count, documents) = (0, Int64(0))
        for bucket in 0..<BucketSums.size
        where one.counts[bucket] != other.counts[bucket] || one.sums[bucket] != other.sums[bucket] {
            flags[bucket] = true
            count += 1
            documents &+= one.counts[bucket] &+ other.counts[bucket]
        }
        (self.flags, self.count, self.documents) = (flags, count, documents)
    }

    @inline(__always) package func contains(_ hash: UInt64) -> Bool { flags[ParityItem.bucket(hash)] }

    /// Whether any bucket differs whose number begins with these bits.
    func containsAny(ofFirst bits: Int, _ prefix: Int) -> Bool {
        let width = BucketSums.bits - bits
        return flags[(prefix << width)..<((prefix + 1) << width)].contains(true)
    }
}
