import CommandLog
import Commands
import Failures
import Foundation
import Runtime
import Synchronization
import Telemetry

extension DeadLetter {
    /// How a letter was resolved without a redrive, as its resolution says it. A redrive says its outcome.
    package enum Resolution: String, Sendable, CaseIterable {
        /// Somebody said that it is meant to stay dead. That holds for every later death for the same reason, too.
        case discarded
        /// A replay has read its record again, and it did not die again.
        case replayed
    }

    /// The headers of a message that resolves the letter. `time`: milliseconds since 1970.
    package func resolution(
        _ word: String, why: String? = nil, migration: String, time: Int64
    ) -> [(String, [UInt8]?)] {
        func header(_ name: String, _ text: String) -> (String, [UInt8]?) { (name, Array(text.utf8)) }
        return origin.headers + [
            header(DeadLetterHeader.time, String(time)), header(DeadLetterHeader.migration, migration),
            header(DeadLetterHeader.epoch, String(epoch)), header(DeadLetterHeader.resolved, word),
        ] + (why.map { [header(DeadLetterHeader.why, $0)] } ?? [])
            + (word == Resolution.discarded.rawValue ? [header(DeadLetterHeader.reason, reason)] : [])
    }
}

/// Writes resolutions of letters, beside any pipeline.
package struct LetterResolutions {
    let settings: KafkaSettings
    let topic: String
    let migration: String
    let logger: Logger

    package init(settings: KafkaSettings, topic: String, migration: String, logger: Logger) {
        (self.settings, self.topic, self.migration, self.logger) = (settings, topic, migration, logger)
    }

    /// Returns when Kafka has acknowledged all of them; throws otherwise. It may be repeated.
    package func write(_ letters: [DeadLetter], _ resolution: DeadLetter.Resolution, why: String? = nil) throws {
        guard !letters.isEmpty else { return }
        let failure = FailureLatch<LogError>()
        func check() throws {
            guard let error = failure.value else { return }
            throw WorkError(
                .deadLetters, "not all resolutions could be written to topic \(topic): \(error.message)",
                underlying: error.underlying)
        }
        let producer = try DeadLetterProducer(
            settings: settings, delivered: { if let error = $1 { failure.set(error) } }, log: logger.kafka)
        defer { producer.close(seconds: 10) }
        let time = WallClock.now()
        for letter in letters {
            let headers = letter.resolution(resolution.rawValue, why: why, migration: migration, time: time)
            while try !send(letter, headers, producer) {
                guard !failure.isSet, !StopSignal.isAsked else { break }
            }
            try check()
            if StopSignal.isAsked { throw WorkError(.interrupted, "interrupted; run it again for the letters left") }
        }
        guard producer.flush(seconds: 60) else {
            throw WorkError(.deadLetters, "Kafka did not acknowledge all resolutions in topic \(topic): run it again")
        }
        try check()
    }

    /// Into the letter's own partition, so that it comes after it.
    private func send(
        _ letter: DeadLetter, _ headers: [(String, [UInt8]?)], _ producer: DeadLetterProducer
    ) throws(LogError) -> Bool {
        func send(_ key: UnsafeBufferPointer<UInt8>?) throws(LogError) -> Bool {
            try producer.send(
                topic: topic, key: key, value: nil, headers: headers, token: 1, partition: letter.place.partition)
        }
        guard let key = letter.key else { return try send(nil) }
        return try key.withUnsafeBufferPointer { bytes throws(LogError) in try send(bytes) }
    }
}

/// The letters whose records a replay reads again. What it has read without another death is resolved.
package struct ReplayedLetters: Sendable {
    /// By the record's partition and offset.
    private var letters: [Int32: [Int64: DeadLetter]] = [:]
    private var read: [DeadLetter] = []

    /// - Parameter letters: all of the migration, as they were before the replay.
    package init(_ letters: [DeadLetter], topic: String, epoch: Int64) {
        for letter in letters where letter.resolved == nil {
            guard case .record(topic, let partition, let offset, epoch) = letter.origin else { continue }
            self.letters[partition, default: [:]][offset] = letter
        }
    }

    /// Whether a record of the partition may have a letter.
    package func concerns(_ partition: Int32) -> Bool { letters[partition] != nil }

    /// A record of the topic was read.
    package mutating func read(_ partition: Int32, _ offset: Int64) {
        if let letter = letters[partition]?.removeValue(forKey: offset) { read.append(letter) }
    }

    /// Whether anything was read that could be resolved.
    package var isEmpty: Bool { read.isEmpty }

    /// The letters that are resolved.
    /// - Parameters:
    ///   - settled: up to which offset every record has its outcome, by partition.
    ///   - now: all letters of the migration, as they are after the replay. One that died again has another place.
    package func resolved(settled: [Int32: Int64], now: [DeadLetter]) -> [DeadLetter] {
        let unresolved = Dictionary(now.filter { $0.resolved == nil }.map { ($0.origin, $0.place) }) { one, _ in one }
        return read.filter { letter in
            guard let (partition, offset) = letter.origin.coordinates else { return false }
            return offset < settled[partition] ?? 0 && unresolved[letter.origin] == letter.place
        }
    }
}
