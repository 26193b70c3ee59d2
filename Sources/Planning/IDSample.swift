import CommandLog
import Commands
import Failures
import Foundation
import JSONText
import Recipe
import Runtime
import Telemetry

/// Looks whether one id's commands lie in two partitions, which `version: offset` cannot bear, because offsets order
/// only the records of one partition (P1 in docs/architecture.md). Reads the newest records of every partition.
package struct IDSample {
    /// The number of records that are read per partition.
    package static let size: Int64 = 2000

    /// Two records of one id in two partitions.
    package struct Clash {
        package var id: String
        package var one: (partition: Int32, offset: Int64)
        package var other: (partition: Int32, offset: Int64)
    }

    package var read = 0
    package var clash: Clash?

    /// Reads for at most `seconds`. If time is up, the sample is smaller.
    package static func take(
        _ recipe: Recipe, watermarks: [Int32: (low: Int64, high: Int64)], logger: Logger, seconds: Double = 5
    ) throws -> IDSample {
        var sample = IDSample()
        let starts = watermarks.filter { $0.value.high > $0.value.low }.mapValues { max($0.low, $0.high - size) }
        guard starts.count > 1 else { return sample }
        var left = Set(starts.keys)
        let consumer = try LogConsumer(
            settings: recipe.kafkaSettings, topic: recipe.commands.topic, mode: .assigned(starts), log: logger.kafka)
        defer { consumer.close(seconds: 2) }
        let decoder = CommandDecoder(recipe.commands.format)
        let batch = RecordBatch(capacity: 1024)
        var seen: [String: (Int32, Int64)] = [:]
        let end = MonotonicClock.milliseconds() + Int64(seconds * 1000)
        while !left.isEmpty, MonotonicClock.milliseconds() < end {
            try consumer.poll(into: batch, timeoutMs: 100)
            for index in 0..<batch.count { sample.look(batch[index], decoder, &seen) }
            for index in 0..<batch.count {
                let message = batch[index]
                if message.offset + 1 >= (watermarks[message.partition]?.high ?? 0) { left.remove(message.partition) }
            }
            for case .endOfPartition(let partition, _) in batch.events { left.remove(partition) }
            batch.releaseAll()
        }
        return sample
    }

    private mutating func look(
        _ message: LogMessage, _ decoder: CommandDecoder, _ seen: inout [String: (Int32, Int64)]
    ) {
        read += 1
        let record = Record(
            key: message.key, value: message.value, timestamp: message.timestamp, partition: message.partition,
            offset: message.offset, headers: message.headers)
        guard clash == nil, case .operation(let operation) = decoder.decode(record) else { return }
        let id = "\(operation.entry)/\(String(repairing: operation.id))"
        if let (partition, offset) = seen[id], partition != message.partition {
            clash = Clash(
                id: String(repairing: operation.id), one: (partition, offset),
                other: (message.partition, message.offset))
        }
        seen[id] = (message.partition, message.offset)
    }

    /// The rail.
    package func rail(_ recipe: Recipe) -> Rail {
        guard recipe.commands.format.version == .offset else {
            return Rail(name: "one_partition", verdict: .ok, detail: "versions do not come from offsets")
        }
        guard let clash else {
            return Rail(
                name: "one_partition", verdict: .ok,
                detail: "no id in two partitions among the newest \(read) records")
        }
        return Rail(
            name: "one_partition", verdict: .refused,
            detail: Refusal.idInTwoPartitions(
                clash.id, topic: recipe.commands.topic, one: Refusal.Place(clash.one.partition, clash.one.offset),
                other: Refusal.Place(clash.other.partition, clash.other.offset)
            ).text)
    }
}
