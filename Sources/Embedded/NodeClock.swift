import Glibc
import Synchronization

/// The clock of an embedded node. A test can set it forward.
package final class NodeClock: Sendable {
    private let source: @Sendable () -> Int64
    private let turned = Atomic<Int64>(0)

    /// The system's time.
    package convenience init() {
        self.init {
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
        }
    }

    /// `milliseconds` since 1970. The clock never goes back.
    package init(milliseconds: @escaping @Sendable () -> Int64) { source = milliseconds }

    /// Milliseconds since 1970.
    package var now: Int64 { source() + turned.load(ordering: .relaxed) }

    /// Sets the clock forward. Whatever is due by then happens at the next request.
    package func advance(milliseconds: Int64) {
        guard milliseconds > 0 else { return }
        turned.wrappingAdd(milliseconds, ordering: .relaxed)
    }
}
