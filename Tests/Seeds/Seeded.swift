import Foundation

/// SplitMix64 (Steele, Lea, Flood 2014): the same seed gives the same test everywhere.
public struct Seeded: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(_ seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// 0 ..< limit.
    public mutating func below(_ limit: Int) -> Int {
        Int(truncatingIfNeeded: ((next() >> 32) &* UInt64(truncatingIfNeeded: limit)) >> 32)
    }

    public mutating func pick<T>(_ items: [T]) -> T { items[Int.random(in: 0..<items.count, using: &self)] }

    public mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }
}

/// The seed of a test: CROSSFADE_SEED, else a new one for each run; printed, so that a failure can be repeated.
public func newSeed(_ test: String) -> UInt64 {
    let named = ProcessInfo.processInfo.environment["CROSSFADE_SEED"].flatMap { UInt64($0) }
    let seed = named ?? UInt64.random(in: 1...UInt64.max)
    print("seed of \(test): CROSSFADE_SEED=\(seed)")
    return seed
}
