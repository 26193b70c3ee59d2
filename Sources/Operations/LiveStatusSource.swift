import JSONText
import Migration
import Telemetry

/// What the operations endpoint asks about running work.
///
/// Every method answers from memory and may be called by any thread. A cluster that does not answer must not block
/// the page that shows this.
package protocol LiveStatusSource: Sendable {
    /// The changing numbers. They are asked for once per second.
    func counters() -> LiveCounters
    /// The object of `/statusz`. It is asked for only while a client is connected. `rate`: over the last seconds;
    /// nil: not known yet.
    func status(rate: WorkSnapshot.Rate?) -> JSONValue
    /// Prometheus text, version 0.0.4.
    func metrics() -> String
    /// Milliseconds since the main loop of the work last completed a round.
    var heartbeatAge: Int64 { get }
    /// Why the work cannot go on now; empty: it can.
    func unreadiness() -> [String]
}

/// Numbers that only grow, except the lag.
package struct LiveCounters: Sendable, Equatable {
    /// Records behind the topic's end; nil: unknown.
    package var lag: Int64?
    /// Only the partitions whose lag is known.
    package var lagByPartition: [Int32: Int64] = [:]
    /// Records or documents that are settled.
    package var records: Int = 0
    /// Bytes of the records or documents that were read.
    package var bytes: Int = 0
    /// Durations of bulk requests, in seconds; nil: they are not measured.
    package var latency: HistogramFigures?

    package init() {}
}

extension JSONValue {
    /// A number with this many decimals; null when the value is nil, infinite or not a number.
    init(rounding value: Double?, places: Int) {
        guard let value, value.isFinite else {
            self = .null
            return
        }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        self = places == 0 ? Int64(exactly: rounded).map { .number($0) } ?? .null : .number("\(rounded)")
    }
}
