/// The documents of one side, summed per bucket of the id's hash. Two sides with the same sums have the same documents.
package struct BucketSums: Sendable, Equatable {
    package static let bits = 18
    package static let size = 1 << bits

    /// Number and sum of the documents of one bucket.
    package struct Bucket: Sendable, Equatable, BitwiseCopyable {
        package var count: Int64 = 0
        package var sum = ContentDigest()
    }

    package private(set) var buckets: [Bucket]

    package init() { buckets = Array(repeating: Bucket(), count: Self.size) }

    /// nil: that is not as many as there should be.
    package init?(_ buckets: [Bucket]) {
        guard buckets.count == Self.size else { return nil }
        self.buckets = buckets
    }

    /// Adds many at once: where a bucket lies is not known before, so the memory is asked for several at a time.
    package mutating func add(_ items: [ParityItem]) {
        buckets.withUnsafeMutableBufferPointer { buckets in
            for item in items {
                let bucket = ParityItem.bucket(item.hash)
                buckets[bucket].count &+= 1
                buckets[bucket].sum = buckets[bucket].sum &+ item.digest
            }
        }
    }

    package mutating func add(_ others: BucketSums) {
        for bucket in 0..<Self.size where others.buckets[bucket].count != 0 {
            buckets[bucket].count &+= others.buckets[bucket].count
            buckets[bucket].sum = buckets[bucket].sum &+ others.buckets[bucket].sum
        }
    }

    package mutating func removeAll() {
        buckets.withUnsafeMutableBufferPointer { $0.update(repeating: Bucket()) }
    }

    package var total: Int64 { buckets.reduce(0) { $0 &+ $1.count } }
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
        for bucket in 0..<BucketSums.size where one.buckets[bucket] != other.buckets[bucket] {
            flags[bucket] = true
            count += 1
            documents &+= one.buckets[bucket].count &+ other.buckets[bucket].count
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
