import Basics
import CommandLog
import Commands
import Failures
import Foundation
import Indexing
import JSONText
import Runtime
import Telemetry

/// The ids and keys that a redrive may still write.
package struct UnresolvedLetters: Sendable {
    /// By target id, where the present recipe can tell it.
    private var ids: [[UInt8]: TombstoneHold] = [:]
    /// By the record's key, which is often the id.
    private var keys: [[UInt8]: TombstoneHold] = [:]
    /// Of letters whose id is unknown: they may be of any document.
    private var any: TombstoneHold?

    /// `now`: milliseconds since 1970, `tombstoneAge`: milliseconds.
    package init(_ letters: [DeadLetter], now: Int64, tombstoneAge: Int64) {
        for letter in letters {
            guard let hold = TombstoneHold(resolvedAt: letter.resolvedAt, now: now, tombstoneAge: tombstoneAge) else {
                continue
            }
            if letter.ids.isEmpty, !letter.isUndecoded { any = hold.or(any) }
            for id in letter.ids { ids[Array(id.utf8)] = hold.or(ids[Array(id.utf8)]) }
            if let key = letter.key { keys[key] = hold.or(keys[key]) }
        }
    }

    /// Why a tombstone of this id must stay: a redrive of an older command would bring the document back.
    /// nil: it may go.
    package func hold(_ id: [UInt8]) -> TombstoneHold? {
        [ids[id], keys[id], any].reduce(nil) { found, hold in hold.map { $0.or(found) } ?? found }
    }
}

/// Reads the dead-letter topic, from its first letter to its present end.
package struct DeadLetterReader {
    /// Where the letters are, and how their records are decoded.
    package struct Options: Sendable {
        package var settings: KafkaSettings
        package var topic: String
        /// The migration's name. Letters of other migrations are left out.
        package var migration: String
        package var format: CommandFormat
        /// Per entry the template of target ids, with `{type}` and `{id}`; nil: the id alone.
        package var idTemplates: [String?]

        package init(
            settings: KafkaSettings, topic: String, migration: String, format: CommandFormat, idTemplates: [String?]
        ) {
            (self.settings, self.topic, self.migration) = (settings, topic, migration)
            (self.format, self.idTemplates) = (format, idTemplates)
        }
    }

    package let options: Options
    package let logger: Logger

    package init(_ options: Options, logger: Logger) {
        (self.options, self.logger) = (options, logger)
    }

    /// The latest letter of each record or document that ever died in this migration, resolved or not, in no order.
    /// Empty if there is no dead-letter topic yet.
    package func letters() throws -> [DeadLetter] {
        var book = DeadLetterBook()
        let decoder = CommandDecoder(options.format)
        try read { owned in
            let message = owned.message
            // Older letters lack this header. They are taken for ours.
            if let migration = message.text(DeadLetterHeader.migration), migration != options.migration { return }
            guard let origin = DeadLetter.Origin(message) else { return }
            if let outcome = message.text(DeadLetterHeader.resolved) {
                let time =
                    message.text(DeadLetterHeader.time).flatMap { OutsideNumber.time(text: $0) }
                    ?? OutsideNumber.time(message.timestamp)
                book.resolve(
                    origin, DeadLetter.Place(partition: message.partition, offset: message.offset), time: time,
                    outcome: outcome, why: message.text(DeadLetterHeader.why),
                    reason: message.text(DeadLetterHeader.reason))
                return
            }
            var letter = DeadLetter(message, origin: origin)
            letter.ids = targetIDs(message, letter, decoder)
            book.add(letter)
        }
        return book.letters
    }

    /// The ids that the letter's record may be written under by the present recipe.
    private func targetIDs(_ message: LogMessage, _ letter: DeadLetter, _ decoder: CommandDecoder) -> [String] {
        switch letter.origin {
        case .document(_, let type, let id):
            let plain = String(decoding: id, as: UTF8.self)
            let ids = options.idTemplates.map { IDTemplate($0).id(plain, type: type) }
            return Array(Set(ids)).sorted()
        case .record(_, let partition, let offset, _):
            let record = Record(
                key: message.key, value: message.value, timestamp: message.time(redriven: true), partition: partition,
                offset: offset, headers: message.headers)
            guard case .operation(let operation) = decoder.decode(record) else { return [] }
            return [String(repairing: operation.id)]
        }
    }

    // MARK: Reading

    /// Gives every record of the topic, up to its end as it is now, in the order of its partitions.
    private func read(_ body: (consuming OwnedMessage) -> Void) throws {
        let admin = try LogAdmin(settings: options.settings, log: logger.kafka)
        defer { admin.close() }
        let partitions: [Int32]
        do {
            partitions = try admin.describe(options.topic).partitions
        } catch {
            guard error.code == .missingTopic else { throw error }
            return
        }
        let marks = try admin.watermarks(options.topic, partitions: partitions)
        try read(marks.filter { $0.value.low < $0.value.high }, body)
    }

    /// Reads each partition from `low` to before `high`.
    private func read(_ ranges: [Int32: (low: Int64, high: Int64)], _ body: (consuming OwnedMessage) -> Void) throws {
        var left = ranges.mapValues(\.high)
        guard !left.isEmpty else { return }
        var settings = options.settings
        // A message that is kept keeps the whole fetch response it came in.
        if settings.passthrough["fetch.max.bytes"] == nil { settings.passthrough["fetch.max.bytes"] = "1048576" }
        let consumer = try LogConsumer(
            settings: settings, topic: options.topic, mode: .assigned(ranges.mapValues(\.low)),
            log: logger.kafka)
        defer { consumer.close(seconds: 2) }
        let batch = RecordBatch(capacity: 1024)
        while !left.isEmpty {
            guard !StopSignal.isAsked else {
                throw WorkError(.interrupted, "reading the dead letters was interrupted")
            }
            try consumer.poll(into: batch, timeoutMs: 100)
            for index in 0..<batch.count {
                let message = batch[index]
                guard let end = left[message.partition], message.offset < end else { continue }
                if message.offset + 1 >= end { left[message.partition] = nil }
                if let owned = batch.take(index) { body(owned) }
            }
            batch.releaseAll()
            for case .endOfPartition(let partition, let end) in batch.events where end >= (left[partition] ?? 0) {
                left[partition] = nil
            }
        }
    }

    /// The letters' records themselves, each in its letter's place; the place of one that is gone is empty.
    package func fetch(_ letters: [DeadLetter]) throws -> MessageList {
        let wanted = Dictionary(letters.enumerated().map { ($0.element.place, $0.offset) }) { first, _ in first }
        let found = MessageList(places: letters.count)
        var ranges: [Int32: (low: Int64, high: Int64)] = [:]
        for place in wanted.keys {
            let range = ranges[place.partition] ?? (place.offset, place.offset + 1)
            ranges[place.partition] = (min(range.low, place.offset), max(range.high, place.offset + 1))
        }
        try read(ranges) { owned in
            let place = DeadLetter.Place(partition: owned.message.partition, offset: owned.message.offset)
            if let at = wanted[place] { found.put(owned, at: at) }
        }
        return found
    }

    // MARK: One whole letter

    /// A letter with its headers and its value, unchanged.
    package struct Whole: Sendable {
        package var letter: DeadLetter
        package var headers: [(name: String, value: [UInt8]?)]
        package var value: [UInt8]?
    }

    /// nil: the letter is gone from the topic.
    package func whole(_ letter: DeadLetter) throws -> Whole? {
        let found = try fetch([letter])
        return withExtendedLifetime(found) {
            found[0].map { message in
                Whole(
                    letter: letter, headers: message.copiedHeaders().map { ($0.0, $0.1) },
                    value: message.value.map(Array.init))
            }
        }
    }
}
