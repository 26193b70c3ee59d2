import JSONText
import Migration
import Telemetry

/// What the operations endpoint asks of running work. All of it is answered from memory, by any thread: a cluster that
/// does not answer must not keep anybody from seeing that it does not.
package protocol LiveStatusSource: Sendable {
    /// The numbers that move, asked for once a second.
    func counters() -> LiveCounters
    /// The object of `/statusz`, asked for only while somebody looks. `rate`: over the last seconds; nil: not known
    /// yet.
    func status(rate: WorkSnapshot.Rate?) -> JSONValue
    /// Prometheus text, version 0.0.4.
    func metrics() -> String
    /// Milliseconds since the loop that moves the work last went round.
    var heartbeatAge: Int64 { get }
    /// Why it cannot do its work now; empty: it can.
    func unreadiness() -> [String]
}

/// Numbers that only grow, but for the lag.
package struct LiveCounters: Sendable, Equatable {
    /// Records behind the topic's end; nil: unknown.
    package var lag: Int64?
    /// Of the partitions whose lag is known.
    package var lagByPartition: [Int32: Int64] = [:]
    /// Records or documents that have their final outcome.
    package var records: Int = 0
    /// Bytes of the records or documents that were read.
    package var bytes: Int = 0
    /// How long bulk requests took, in seconds; nil: it is not measured.
    package var latency: HistogramFigures?

    package init() {}
}

extension JSONValue {
    /// A number with so many decimals; null when there is none, or none that JSON knows.
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
