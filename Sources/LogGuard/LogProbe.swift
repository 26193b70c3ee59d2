import CommandLog
import Foundation
import Runtime
import Telemetry

/// Reads single records of the topic and compares them with fingerprints.
package struct LogProbe: Sendable {
    package let settings: KafkaSettings
    package let topic: String
    package let logger: Logger

    package init(settings: KafkaSettings, topic: String, logger: Logger) {
        // One record per partition is wanted, not a megabyte. (A small queued.min.messages would make librdkafka wait
        // seconds between two fetches of a partition.)
        let small = ["queued.max.messages.kbytes": "1024", "max.partition.fetch.bytes": "65536"]
        self.settings = KafkaSettings(
            bootstrap: settings.bootstrap, group: settings.group,
            passthrough: small.merging(settings.passthrough) { _, theirs in theirs })
        (self.topic, self.logger) = (topic, logger)
    }

    /// What has become of a record that was applied.
    package enum Finding: Equatable {
        case same
        /// Another record has its offset.
        case other(RecordFingerprint)
        /// The log ends at or before its offset.
        case backwards(end: Int64)
        /// Unknown: retention or compaction removed it, or there was no time to read it.
        case unknown
    }

    /// Looks for the records. Several records of one partition are read one after the other.
    package func find(
        _ fingerprints: [Int32: [RecordFingerprint]], marks: [Int32: (low: Int64, high: Int64)], seconds: Double = 10
    ) throws(LogError) -> [Int32: [(fingerprint: RecordFingerprint, finding: Finding)]] {
        var results: [Int32: [(fingerprint: RecordFingerprint, finding: Finding)]] = [:]
        var left = fingerprints.filter { !$0.value.isEmpty }
        let end = MonotonicClock.milliseconds() + Int64(seconds * 1000)
        while !left.isEmpty {
            var round: [Int32: RecordFingerprint] = [:]
            for (partition, wanted) in left {
                guard let fingerprint = wanted.first, let mark = marks[partition] else { continue }
                if fingerprint.offset >= mark.high {
                    results[partition, default: []].append((fingerprint, .backwards(end: mark.high)))
                } else if fingerprint.offset < mark.low {
                    results[partition, default: []].append((fingerprint, .unknown))
                } else {
                    round[partition] = fingerprint
                }
            }
            for (partition, found) in try read(round.mapValues(\.offset), until: end) {
                guard let fingerprint = round[partition] else { continue }
                let finding = found.map { $0 == fingerprint ? Finding.same : .other($0) }
                results[partition, default: []].append((fingerprint, finding ?? .unknown))
            }
            left = left.mapValues { Array($0.dropFirst()) }.filter { !$0.value.isEmpty }
        }
        return results
    }

    /// The timestamps of the records at these offsets, in milliseconds since 1970. Missing records are left out.
    package func timestamps(at offsets: [Int32: Int64], seconds: Double = 10) throws(LogError) -> [Int32: Int64] {
        try read(offsets, until: MonotonicClock.milliseconds() + Int64(seconds * 1000)).compactMapValues {
            $0?.timestamp
        }
    }

    /// The last record before each of these offsets, and when it was written, in milliseconds since 1970. Markers and
    /// gaps before an offset are passed over. Partitions are left out in which nothing was found.
    package func last(
        before offsets: [Int32: Int64], marks: [Int32: (low: Int64, high: Int64)], seconds: Double = 10
    ) throws(LogError) -> [Int32: (offset: Int64, timestamp: Int64)] {
        let end = MonotonicClock.milliseconds() + Int64(seconds * 1000)
        var found: [Int32: (offset: Int64, timestamp: Int64)] = [:]
        var back: Int64 = 16
        while back <= 4096 {
            var ranges: [Int32: Range<Int64>] = [:]
            for (partition, offset) in offsets where found[partition] == nil {
                guard let mark = marks[partition] else { continue }
                let to = min(offset, mark.high)
                if to > mark.low { ranges[partition] = max(mark.low, to - back)..<to }
            }
            guard !ranges.isEmpty, MonotonicClock.milliseconds() < end else { break }
            try each(in: ranges, until: end) { found[$0.partition] = ($0.offset, $0.timestamp) }
            back *= 16
        }
        return found
    }

    /// Reads the records in these ranges.
    package func each(
        in ranges: [Int32: Range<Int64>], until end: Int64, _ look: (LogMessage) -> Void
    ) throws(LogError) {
        guard !ranges.isEmpty else { return }
        let consumer = try LogConsumer(
            settings: settings, topic: topic, mode: .assigned(ranges.mapValues(\.lowerBound)), log: logger.kafka)
        defer { consumer.close(seconds: 2) }
        let batch = RecordBatch(capacity: 1024)
        var left = Set(ranges.keys)
        while !left.isEmpty, MonotonicClock.milliseconds() < end {
            do {
                try consumer.poll(into: batch, timeoutMs: 100)
            } catch {
                // Retention has removed the record meanwhile.
                guard error.code == .startDeleted else { throw error }
                return
            }
            for index in 0..<batch.count where left.contains(batch[index].partition) {
                let message = batch[index]
                guard let range = ranges[message.partition] else { continue }
                if range.contains(message.offset) { look(message) }
                if message.offset + 1 >= range.upperBound { left.remove(message.partition) }
            }
            for case .endOfPartition(let partition, _) in batch.events { left.remove(partition) }
            batch.releaseAll()
        }
    }

    /// The fingerprints of the records at exactly these offsets; nil: there is no such record, or time was up.
    private func read(_ offsets: [Int32: Int64], until end: Int64) throws(LogError) -> [Int32: RecordFingerprint?] {
        var found: [Int32: RecordFingerprint?] = offsets.mapValues { _ in nil }
        guard !offsets.isEmpty else { return found }
        let consumer = try LogConsumer(settings: settings, topic: topic, mode: .assigned(offsets), log: logger.kafka)
        defer { consumer.close(seconds: 2) }
        let batch = RecordBatch(capacity: 256)
        var left = Set(offsets.keys)
        while !left.isEmpty, MonotonicClock.milliseconds() < end {
            do {
                try consumer.poll(into: batch, timeoutMs: 100)
            } catch {
                // Retention has removed the record meanwhile.
                guard error.code == .startDeleted else { throw error }
                return found
            }
            for index in 0..<batch.count where left.contains(batch[index].partition) {
                let message = batch[index]
                left.remove(message.partition)
                if message.offset == offsets[message.partition] {
                    found[message.partition] = RecordFingerprint(message)
                }
            }
            for case .endOfPartition(let partition, _) in batch.events { left.remove(partition) }
            batch.releaseAll()
        }
        return found
    }
}
