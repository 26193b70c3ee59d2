import Glibc
import Synchronization

/// The time of an embedded node, which a test can turn forwards.
public final class NodeClock: Sendable {
    private let source: @Sendable () -> Int64
    private let turned = Atomic<Int64>(0)

    /// The machine's own time.
    public convenience init() {
        self.init {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
        }
    }

    /// `milliseconds` since 1970; never goes back.
    public init(milliseconds: @escaping @Sendable () -> Int64) { source = milliseconds }

    /// Milliseconds since 1970.
    public var now: Int64 { source() + turned.load(ordering: .relaxed) }

    /// Turns it forwards; what waits for time to pass happens at the next request.
    public func advance(milliseconds: Int64) {
        guard milliseconds > 0 else { return }
        turned.wrappingAdd(milliseconds, ordering: .relaxed)
    }
}
