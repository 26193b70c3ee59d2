/// A part of an index that one scroll reads. A copy records its progress by slice.
package struct SliceSpec: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable {
        /// The whole index.
        case whole
        /// One of `of` slices.
        case slice
        /// One of `of` shards.
        case shard
    }

    package var index: String
    package var kind: Kind
    /// The place of this part, from 0.
    package var number: Int
    /// How many parts the index has.
    package var of: Int

    package init(index: String, kind: Kind, number: Int, of: Int) {
        (self.index, self.kind, self.number, self.of) = (index, kind, number, of)
    }

    package var description: String { "\(index) \(kind.rawValue) \(number)/\(of)" }
}
