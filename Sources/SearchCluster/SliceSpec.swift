/// A part of an index that one scroll reads. A copy records its progress by slice.
public struct SliceSpec: Sendable, Hashable, CustomStringConvertible {
    public enum Kind: String, Sendable {
        /// The whole index.
        case whole
        /// One of `of` slices.
        case slice
        /// One of `of` shards.
        case shard
    }

    public var index: String
    public var kind: Kind
    /// The place of this part, from 0.
    public var number: Int
    /// How many parts the index has.
    public var of: Int

    public init(index: String, kind: Kind, number: Int, of: Int) {
        self.index = index
        self.kind = kind
        self.number = number
        self.of = of
    }

    public var description: String { "\(index) \(kind.rawValue) \(number)/\(of)" }
}
