import CommandLog
import Telemetry

/// A transaction that is neither committed nor aborted: nothing behind it can be read under `read_committed`.
package enum OpenTransaction {
    /// A partition whose last stable offset lies before its end.
    package struct Pin: Sendable, Equatable {
        package var stable: Int64
        package var end: Int64
        /// Two looks in a row found the same stable offset: it does not pass by itself, as what producers write in ever new
        /// transactions does.
        package var isHeld = false
    }

    /// `stable` must have been asked after `ends`: what is written between the two questions would look like one.
    package static func pins(_ stable: [Int32: Int64], ends: [Int32: Int64], before: [Int32: Pin]) -> [Int32: Pin] {
        stable.reduce(into: [:]) { pins, mark in
            guard let end = ends[mark.key], end > mark.value else { return }
            pins[mark.key] = Pin(stable: mark.value, end: end, isHeld: before[mark.key]?.stable == mark.value)
        }
    }

    package static func words(partition: Int32, stable: Int64, end: Int64) -> String {
        "waits for an open transaction: last stable offset \(stable), end \(end) on partition \(partition)"
    }

    /// A client that sees the log's real ends; nil when every client does.
    package static func reader(_ settings: KafkaSettings, logger: Logger) throws(LogError) -> LogAdmin? {
        guard settings.passthrough["isolation.level"] != "read_uncommitted" else { return nil }
        var settings = settings
        settings.passthrough["isolation.level"] = "read_uncommitted"
        return try LogAdmin(settings: settings, log: logger.kafka)
    }
}
