import CommandLog
import Telemetry

/// What is said of a log that is not the one it was, with both coordinates.
package enum LogMismatch {
    package static func backwards(topic: String, partition: Int32, applied: Int64, low: Int64, end: Int64) -> String {
        "topic \(topic) partition \(partition) went backwards: everything before offset \(applied) has been applied, but "
            + "the log reaches from \(low) to \(end) only. It was recreated or lost its tail in an unclean election: raise "
            + "commands.epoch, then replay"
    }

    package static func text(
        _ findings: [(witness: RecordFingerprint, finding: LogProbe.Finding)], topic: String, partition: Int32,
        mark: (low: Int64, high: Int64)
    ) -> String? {
        for (witness, finding) in findings {
            switch finding {
            case .same, .unknown: continue
            case .backwards(let end):
                return backwards(
                    topic: topic, partition: partition, applied: witness.offset + 1, low: mark.low, end: end)
            case .other(let now):
                return
                    "topic \(topic) partition \(partition) is not the log that was read before: the record that was applied "
                    + "at \(witness.words) is another one now, \(now.words); the log reaches from \(mark.low) to "
                    + "\(mark.high). The topic was recreated, or an unclean election took applied records back: raise "
                    + "commands.epoch, then replay"
            }
        }
        return nil
    }
}

/// What is said when keys have moved.
package enum PartitionsAdded {
    package static func text(topic: String, before: Int, now: Int) -> String {
        "topic \(topic) had \(before) partitions when it was read and has \(now) now: keys have moved between partitions, so "
            + "offsets no longer order one id's commands. Raise commands.epoch once everything before has been applied, or "
            + "take versions from a timestamp, a field or a header (commands.version)"
    }
}

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
