import JSONText
@testable import Migration
import Operations
import Synchronization

/// Replaces running work. Tests set the answers.
final class FakeSource: LiveStatusSource {
    struct Says {
        var counters = LiveCounters()
        var metrics = "# HELP crossfade_lag Records behind.\n# TYPE crossfade_lag gauge\ncrossfade_lag 3\n"
        var heartbeatAge: Int64 = 5
        var unreadiness: [String] = []
        /// The number of statuses that were made.
        var statuses = 0
        var padding = 0
    }

    private let says = Mutex(Says())

    func change(_ body: (inout Says) -> Void) { says.withLock { body(&$0) } }
    var statuses: Int { says.withLock { $0.statuses } }

    func counters() -> LiveCounters { says.withLock { $0.counters } }
    func metrics() -> String { says.withLock { $0.metrics } }
    var heartbeatAge: Int64 { says.withLock { $0.heartbeatAge } }
    func unreadiness() -> [String] { says.withLock { $0.unreadiness } }

    func status(rate: WorkSnapshot.Rate?) -> JSONValue {
        says.withLock { says in
            says.statuses += 1
            return [
                "migration": "m", "lag": says.counters.lag.map { .number($0) } ?? .null,
                "rate": rate.map { .number("\($0.records)") } ?? .null,
                "made": .number(says.statuses), "padding": .string(String(repeating: "x", count: says.padding)),
            ]
        }
    }
}

/// A clock that tests advance.
final class FakeClock: Sendable {
    private let time = Mutex<Int64>(1000)
    var now: Int64 { time.withLock { $0 } }
    func advance(_ milliseconds: Int64) { time.withLock { $0 += milliseconds } }
}
