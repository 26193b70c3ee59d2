import CommandLog
import Telemetry

/// A transaction that is neither committed nor aborted. Under `read_committed` no record after it can be read.
package enum OpenTransaction {
    /// The last stable offset and the end of a partition that has an open transaction.
    package struct Pin: Sendable, Equatable {
        package var stable: Int64
        package var end: Int64
        /// Two looks in a row found the same stable offset. So one transaction stays open, rather than many short ones
        /// that follow each other.
        package var isHeld = false
    }

    /// `stable` must have been asked after `ends`. Otherwise records written between the two questions would look like
    /// an open transaction.
    package static func pins(_ stable: [Int32: Int64], ends: [Int32: Int64], before: [Int32: Pin]) -> [Int32: Pin] {
        stable.reduce(into: [:]) { pins, mark in
            guard let end = ends[mark.key], end > mark.value else { return }
            pins[mark.key] = Pin(stable: mark.value, end: end, isHeld: before[mark.key]?.stable == mark.value)
        }
    }

    package static func words(partition: Int32, stable: Int64, end: Int64) -> String {
        "waits for an open transaction: last stable offset \(stable), end \(end) on partition \(partition)"
    }

    /// A client that sees the real ends of the log; nil: the settings make every client see them.
    package static func reader(_ settings: KafkaSettings, logger: Logger) throws(LogError) -> LogAdmin? {
        guard settings.passthrough["isolation.level"] != "read_uncommitted" else { return nil }
        var settings = settings
        settings.passthrough["isolation.level"] = "read_uncommitted"
        return try LogAdmin(settings: settings, log: logger.kafka)
    }
}
