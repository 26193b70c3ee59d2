import JSONText
import Migration

/// Gives the operations endpoint the figures of running work.
package struct WorkStatus: LiveStatusSource {
    private let live: LiveWork

    package init(_ live: LiveWork) { self.live = live }

    package func counters() -> LiveCounters { LiveCounters(live.snapshot(isLooking: false)) }

    package func status(rate: WorkSnapshot.Rate?) -> JSONValue { live.snapshot().json(rate: rate) }

    package func metrics() -> String { live.metrics() }

    package var heartbeatAge: Int64 { live.heartbeatAge }

    package func unreadiness() -> [String] { live.snapshot(isLooking: false).ready.reasons }
}

extension LiveCounters {
    init(_ snapshot: WorkSnapshot) {
        self.init()
        lag = snapshot.lag
        for partition in snapshot.partitions {
            if let lag = partition.lag { lagByPartition[partition.partition] = lag }
        }
        records = snapshot.outcomes.reduce(0, +)
        bytes = snapshot.bytesRead
        latency = snapshot.bulk.latency
    }
}
