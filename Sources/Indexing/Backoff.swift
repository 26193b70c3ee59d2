/// Waiting times between attempts. They double, with full jitter: each is random, so that many waiters do not come back
/// at the same time.
public struct Backoff: Sendable {
    /// Upper bound of the first wait, in milliseconds.
    public let base: Int
    /// Upper bound of every wait, in milliseconds.
    public let cap: Int
    /// Waits given out since the last ``reset()``.
    public private(set) var attempts = 0

    public init(base: Int = 100, cap: Int = 30_000) {
        self.base = max(1, base)
        self.cap = max(self.base, cap)
    }

    /// Milliseconds to wait before the next attempt: anything from 1 to `min(cap, base * 2^attempts)`.
    public mutating func next(using generator: inout some RandomNumberGenerator) -> Int {
        var bound = base
        var doublings = attempts
        while doublings > 0, bound < cap {
            bound = bound > cap / 2 ? cap : bound * 2
            doublings -= 1
        }
        if attempts < 64 { attempts += 1 }
        return Int.random(in: 1...min(bound, cap), using: &generator)
    }

    /// An attempt succeeded.
    public mutating func reset() { attempts = 0 }
}
