import Basics

/// Which records are asked for the size of their headers, so that it counts in `limits.memory`. To ask each record
/// would cost as much as a fiftieth of a replay. So one in some is asked, and after one that had headers, each for a
/// while. Which ones cannot be known from outside.
public struct HeaderWatch: Sendable {
    /// One record in so many is asked, on the average, while none has headers.
    public static let every = 16
    /// So many are asked after one that had headers.
    public static let after = 1024

    private var random: SplitMix64
    private var wait = 0
    private var left = 0

    public init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// The bytes of a record's headers, as far as it is asked: `ask` is called for it.
    @inline(__always) public mutating func bytes(_ ask: () -> Int) -> Int {
        wait &-= 1
        guard left > 0 || wait <= 0 else { return 0 }
        return look(ask())
    }

    @inline(never) private mutating func look(_ bytes: Int) -> Int {
        wait = 1 + Int(random.next() % UInt64(2 * Self.every - 1))
        left = bytes > 0 ? Self.after : max(left &- 1, 0)
        return bytes
    }
}
