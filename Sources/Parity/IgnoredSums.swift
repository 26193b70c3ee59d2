/// What the documents of one side have at ignored paths, summed per bucket. It tells how many documents are equal only
/// because a path is ignored: exactly if they are few, else about.
package struct IgnoredSums: Sendable, Equatable {
    package static let bits = 16
    package static let size = 1 << bits
    /// Paths that are counted at most.
    package static let mostPaths = 8

    package let paths: Int
    package private(set) var sums: [UInt64]

    package init(paths: Int) {
        self.paths = min(paths, Self.mostPaths)
        sums = Array(repeating: 0, count: self.paths * Self.size)
    }

    /// nil: that is not as many as there should be.
    package init?(paths: Int, sums: [UInt64]) {
        self.init(paths: paths)
        guard sums.count == self.sums.count else { return nil }
        self.sums = sums
    }

    private static func bucket(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash &>> UInt64(64 - bits)) }

    /// - Parameter values: of the document, by path; see ``DocumentDigester/ignoredValues``.
    @inline(__always) package mutating func add(_ hash: UInt64, _ values: [UInt64]) {
        for path in 0..<paths where values[path] != 0 {
            // The same value in two documents must not add up to the same sum.
            let product = (values[path] ^ hash).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            sums[path &* Self.size &+ Self.bucket(hash)] &+= product.high ^ product.low
        }
    }

    package mutating func add(_ others: IgnoredSums) {
        for place in 0..<min(sums.count, others.sums.count) { sums[place] &+= others.sums[place] }
    }

    package mutating func removeAll() {
        for place in sums.indices { sums[place] = 0 }
    }

    /// By path, how many documents have other values on the two sides. Documents in the buckets of `differing` are left
    /// out: those differ in more than that, or are on one side only.
    package static func differing(_ one: IgnoredSums, _ other: IgnoredSums, but differing: DifferingBuckets) -> [Int] {
        (0..<min(one.paths, other.paths)).map { path in
            var found = 0
            var looked = 0
            for bucket in 0..<size where !differing.containsAny(ofFirst: bits, bucket) {
                looked += 1
                found += one.sums[path * size + bucket] != other.sums[path * size + bucket] ? 1 : 0
            }
            return documents(in: found, of: looked)
        }
    }

    /// How many documents most likely lie in `found` of all buckets, of which some hold several.
    private static func documents(in found: Int, of all: Int) -> Int {
        guard found < all else { return found }
        var documents = 0
        var hit = 0.0
        while hit < Double(found) - 0.5 {
            documents += 1
            hit += 1 - hit / Double(all)
        }
        return documents
    }
}
