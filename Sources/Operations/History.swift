import JSONText
import Migration

/// The last 15 minutes, one point per second. The dashboard draws them as soon as it is opened.
struct History: Sendable {
    static let mostPoints = 900
    /// A point keeps the lag of at most this many partitions, those with the largest lag. A topic of thousands of
    /// partitions must not fill the memory.
    static let mostPartitions = 64
    /// The rate that is shown as a number is the mean of the last points, this many of them.
    static let ratePoints = 5

    struct Point: Sendable, Equatable {
        /// Milliseconds since 1970.
        var time: Int64
        var lag: Int64?
        var lagByPartition: [Int32: Int64]
        var recordsPerSecond: Double
        var bytesPerSecond: Double
        /// Seconds; nil: no bulk request ended in this second.
        var median: Double?
        var p99: Double?

        var json: JSONValue {
            let lags = lagByPartition.sorted { $0.key < $1.key }.map { (String($0.key), JSONValue.number($0.value)) }
            return [
                "t": .number(time), "lag": lag.map { .number($0) } ?? .null,
                "rate": JSONValue(rounding: recordsPerSecond, places: 1),
                "bytes_rate": JSONValue(rounding: bytesPerSecond, places: 0),
                "p50": JSONValue(rounding: median, places: 5), "p99": JSONValue(rounding: p99, places: 5),
                "lag_by_partition": .object(JSONObject(lags)),
            ]
        }
    }

    private(set) var points: [Point] = []
    private var last: (counters: LiveCounters, monotonic: Int64)?

    /// Adds a point. `wall`: milliseconds since 1970. `monotonic`: milliseconds of a clock that never goes back.
    mutating func take(_ counters: LiveCounters, wall: Int64, monotonic: Int64) {
        defer { last = (counters, monotonic) }
        guard let last, monotonic > last.monotonic else { return }
        let seconds = Double(monotonic - last.monotonic) / 1000
        let latency = last.counters.latency.flatMap { counters.latency?.since($0) }
        if points.count == Self.mostPoints { points.removeFirst() }
        points.append(
            Point(
                time: wall, lag: counters.lag, lagByPartition: Self.hindmost(counters.lagByPartition),
                recordsPerSecond: Double(max(0, counters.records - last.counters.records)) / seconds,
                bytesPerSecond: Double(max(0, counters.bytes - last.counters.bytes)) / seconds,
                median: latency?.quantile(0.5), p99: latency?.quantile(0.99)))
    }

    /// The mean over the last `ratePoints` points; nil: there are no points yet.
    var rate: WorkSnapshot.Rate? {
        let recent = points.suffix(Self.ratePoints)
        guard !recent.isEmpty else { return nil }
        return WorkSnapshot.Rate(
            records: recent.reduce(0) { $0 + $1.recordsPerSecond } / Double(recent.count),
            bytes: recent.reduce(0) { $0 + $1.bytesPerSecond } / Double(recent.count))
    }

    var json: JSONValue { ["every_seconds": 1, "points": .array(points.map(\.json))] }

    private static func hindmost(_ lags: [Int32: Int64]) -> [Int32: Int64] {
        guard lags.count > mostPartitions else { return lags }
        let sorted = lags.sorted { ($0.value, $1.key) > ($1.value, $0.key) }
        return Dictionary(uniqueKeysWithValues: sorted.prefix(mostPartitions).map { ($0.key, $0.value) })
    }
}
