import CommandLog
import Commands
import Failures
import Indexing
import JSONText
import Parity
import Planning
import Recipe
import Runtime
import Telemetry

/// Reads stretches of the command topic with a consumer of its own, without a group, and says what their commands
/// concern. Each call reads with a new consumer.
package struct LogTail: Sendable {
    private let recipe: Recipe
    private let entries: Int
    private let logger: Logger

    package init(_ prepared: Preflight, logger: Logger) {
        self.init(prepared.recipe, entries: prepared.survey.entries.count, logger: logger)
    }

    package init(_ recipe: Recipe, entries: Int, logger: Logger) {
        (self.recipe, self.entries, self.logger) = (recipe, entries, logger)
    }

    /// What a reading came to.
    package struct Stretch: Sendable, Equatable {
        /// Records that were read.
        package var records = 0
        /// Records that cannot be decoded. They are dead letters and concern no document.
        package var rejects = 0
        /// The offsets behind the last records, of the partitions that had any.
        package var ends: [Int32: Int64] = [:]
        /// Whether every range was read to its end. An open transaction hides what lies behind it.
        package var isWhole = true
    }

    /// Reads the ranges and tells of every document that a command concerns, as often as it does.
    ///
    /// - Parameter milliseconds: how long it waits, at most, for the next record while a range is not at its end.
    /// - Throws: what `told` throws; when the log cannot be read; ``LogError/Code/startDeleted`` when a range begins
    ///   before the log; when a stop is asked for.
    package func keys(
        _ ranges: [Int32: Range<Int64>], patience milliseconds: Int64 = 30_000,
        _ told: (DocumentKey, _ partition: Int32, _ offset: Int64) throws -> Void
    ) throws -> Stretch {
        try records(ranges, patience: milliseconds) { message, decoded, companions in
            for key in keys(decoded, companions) { try told(key, message.partition, message.offset) }
        }
    }

    /// Reads the ranges and gives each record as it is and as it was decoded, with the tombstones that it writes beside
    /// its operation. Both are valid during the call only.
    package func records(
        _ ranges: [Int32: Range<Int64>], patience milliseconds: Int64 = 30_000,
        _ told: (LogMessage, Decoded, [Companion]) throws -> Void
    ) throws -> Stretch {
        let ranges = ranges.filter { !$0.value.isEmpty }
        var stretch = Stretch()
        guard !ranges.isEmpty else { return stretch }
        let decoder = CommandDecoder(recipe.commands.format)
        let (needsTime, needsHeaders) = (
            recipe.commands.format.version == .timestamp, recipe.commands.format.needsHeaders
        )
        var left = Set(ranges.keys)
        let consumer = try LogConsumer(
            settings: recipe.kafkaSettings, topic: recipe.commands.topic,
            mode: .assigned(ranges.mapValues(\.lowerBound)), log: logger.kafka)
        defer { consumer.close(seconds: 2) }
        let batch = RecordBatch(capacity: 1024)
        var heard = MonotonicClock.milliseconds()
        while !left.isEmpty {
            guard !StopSignal.isAsked else {
                throw WorkError(.interrupted, "interrupted while the command topic was read")
            }
            try consumer.poll(into: batch, timeoutMs: 100)
            defer { batch.releaseAll() }
            for index in 0..<batch.count {
                let message = batch[index]
                guard let range = ranges[message.partition] else { continue }
                if message.offset + 1 >= range.upperBound { left.remove(message.partition) }
                guard range.contains(message.offset) else { continue }
                stretch.records += 1
                stretch.ends[message.partition] = message.offset + 1
                let decoded = decoder.decode(
                    Record(
                        key: message.key, value: message.value, timestamp: needsTime ? message.timestamp : -1,
                        partition: message.partition, offset: message.offset,
                        headers: needsHeaders ? message.headers : nil))
                if case .reject = decoded { stretch.rejects += 1 }
                try told(message, decoded, decoder.writesCompanions ? decoder.companions : [])
            }
            for case .endOfPartition(let partition, let next) in batch.events
            where next >= ranges[partition]?.upperBound ?? .max { left.remove(partition) }
            let now = MonotonicClock.milliseconds()
            if batch.count > 0 { heard = now }
            if now - heard >= milliseconds { break }
        }
        stretch.isWhole = left.isEmpty
        return stretch
    }

    /// The documents that a record concerns.
    package func keys(_ decoded: Decoded, _ companions: [Companion]) -> [DocumentKey] {
        guard case .operation(let operation) = decoded else { return [] }
        func key(_ entry: Int, _ routing: Bytes?) -> DocumentKey {
            DocumentKey(entry: entry, id: Array(operation.id), routing: routing.map { Array($0) })
        }
        // A part of a document that no entry takes: whichever has the document, it would move out of there.
        if operation.kind == .leave { return (0..<entries).map { key($0, operation.routing) } }
        return [key(operation.entry, operation.routing)] + companions.map { key($0.entry, $0.routing) }
    }
}
