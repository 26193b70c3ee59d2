/// A point in time, on the monotonic clock, at which to stop waiting.
struct Deadline {
    private let end: ContinuousClock.Instant

    init(seconds: Double) { end = .now + .milliseconds(Int64(max(0, min(seconds, 1e6)) * 1000)) }

    /// The milliseconds that are left, at least 0.
    var milliseconds: Int32 {
        let left = ContinuousClock.now.duration(to: end).components
        let total = left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000
        return Int32(clamping: max(0, total))
    }

    var isOver: Bool { milliseconds == 0 }
}
