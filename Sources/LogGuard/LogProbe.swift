import CommandLog
import Foundation
import Runtime
import Telemetry

/// Reads single records of the topic, to compare them with witnesses.
package struct LogProbe: Sendable {
    package let settings: KafkaSettings
    package let topic: String
    package let logger: Logger

    package init(settings: KafkaSettings, topic: String, logger: Logger) {
        // A record a partition is wanted, not a megabyte. (A small queued.min.messages makes librdkafka wait seconds between
        // fetches of a partition.)
        let small = ["queued.max.messages.kbytes": "1024", "max.partition.fetch.bytes": "65536"]
        self.settings = KafkaSettings(
            bootstrap: settings.bootstrap, group: settings.group,
            passthrough: small.merging(settings.passthrough) { _, theirs in theirs })
        self.topic = topic
        self.logger = logger
    }

    /// What has become of a record that was applied.
    package enum Finding: Equatable {
        case same
        /// Another record has its offset.
        case other(RecordFingerprint)
        /// The log ends at or before it.
        case backwards(end: Int64)
        /// It cannot be told: retention or compaction took it, or there was no time to read it.
        case unknown
    }

    /// Looks for the records; several of one partition are looked for in turn.
    package func find(
        _ witnesses: [Int32: [RecordFingerprint]], marks: [Int32: (low: Int64, high: Int64)], seconds: Double = 10
    ) throws(LogError) -> [Int32: [(witness: RecordFingerprint, finding: Finding)]] {
        var results: [Int32: [(witness: RecordFingerprint, finding: Finding)]] = [:]
        var left = witnesses.filter { !$0.value.isEmpty }
        let end = MonotonicClock.milliseconds() + Int64(seconds * 1000)
        while !left.isEmpty {
            var round: [Int32: RecordFingerprint] = [:]
            for (partition, wanted) in left {
                guard let witness = wanted.first, let mark = marks[partition] else { continue }
                if witness.offset >= mark.high {
                    results[partition, default: []].append((witness, .backwards(end: mark.high)))
                } else if witness.offset < mark.low {
                    results[partition, default: []].append((witness, .unknown))
                } else {
                    round[partition] = witness
                }
            }
            for (partition, found) in try read(round.mapValues(\.offset), until: end) {
                guard let witness = round[partition] else { continue }
                let finding = found.map { $0 == witness ? Finding.same : .other($0) }
                results[partition, default: []].append((witness, finding ?? .unknown))
            }
            left = left.mapValues { Array($0.dropFirst()) }.filter { !$0.value.isEmpty }
        }
        return results
    }

    /// When the records at these offsets were written, in milliseconds since 1970; those that are not there are left out.
    package func timestamps(at offsets: [Int32: Int64], seconds: Double = 10) throws(LogError) -> [Int32: Int64] {
        try read(offsets, until: MonotonicClock.milliseconds() + Int64(seconds * 1000)).compactMapValues {
            $0?.timestamp
        }
    }

    /// The records at exactly these offsets; nil where there is none (any more) or time is up.
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
                // Retention was faster.
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
