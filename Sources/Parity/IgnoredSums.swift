/// What the documents of one side have at ignored paths, summed per bucket. It tells how many documents are equal only
/// because a path is ignored: exactly if they are few, else about.
///
/// There is a column for each path of each entry, or for each path of all entries together where these would be too
/// many.
package struct IgnoredSums: Sendable, Equatable {
    package static let bits = 16
    package static let size = 1 << bits
    /// Columns at most. Of more paths the first are counted.
    package static let mostColumns = 8

    package let columns: Int
    package private(set) var sums: [UInt64]

    package init(columns: Int) {
        self.columns = min(columns, Self.mostColumns)
        sums = Array(repeating: 0, count: self.columns * Self.size)
    }

    /// How many columns there are for so many paths and entries.
    package static func columns(paths: Int, entries: Int) -> Int {
        let (all, isTooMany) = paths.multipliedReportingOverflow(by: max(1, entries))
        return isTooMany || all > mostColumns ? min(paths, mostColumns) : all
    }

    /// What a column counts; a nil entry: all of them together.
    package static func place(ofColumn column: Int, paths: Int, entries: Int) -> (path: Int, entry: Int?) {
        guard columns(paths: paths, entries: entries) > paths || entries == 1, paths > 0 else { return (column, nil) }
        return (column % paths, column / paths)
    }

    /// nil: that is not as many as there should be.
    package init?(columns: Int, sums: [UInt64]) {
        self.init(columns: columns)
        guard sums.count == self.sums.count else { return nil }
        self.sums = sums
    }

    private static func bucket(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash &>> UInt64(64 - bits)) }

    /// - Parameter values: of the document, by path; see ``DocumentDigester/ignoredValues``.
    @inline(__always) package mutating func add(_ hash: UInt64, _ values: [UInt64], entry: Int = 0) {
        let first = columns > values.count ? entry &* values.count : 0
        for path in 0..<min(columns &- first, values.count) where values[path] != 0 {
            // The same value in two documents must not add up to the same sum.
            let product = (values[path] ^ hash).multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
            sums[(first &+ path) &* Self.size &+ Self.bucket(hash)] &+= product.high ^ product.low
        }
    }

    package mutating func add(_ others: IgnoredSums) {
        for place in 0..<min(sums.count, others.sums.count) { sums[place] &+= others.sums[place] }
    }

    package mutating func removeAll() {
        for place in sums.indices { sums[place] = 0 }
    }

    /// By column, how many documents have other values on the two sides. Documents in the buckets of `differing` are
    /// left out: those differ in more than that, or are on one side only.
    package static func differing(_ one: IgnoredSums, _ other: IgnoredSums, but differing: DifferingBuckets) -> [Int] {
        (0..<min(one.columns, other.columns)).map { column in
            var found = 0
            var looked = 0
            for bucket in 0..<size where !differing.containsAny(ofFirst: bits, bucket) {
                looked += 1
                found += one.sums[column * size + bucket] != other.sums[column * size + bucket] ? 1 : 0
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
