import CommandLog
import Commands
import DeadLetters
import Failures
import Foundation
import Indexing
import JSONText
import Pipeline
import Planning
import Runtime
import SearchCluster
import State
import Synchronization
import Telemetry

/// `dead-letters redrive`: sends the letters' records, at their own versions, through the present decoder, transform
/// and sink, as a replay does. Each final outcome is written as a resolution into the dead-letter topic. A letter that
/// dies again stays unresolved, with its new reason.
///
/// It may be repeated, killed, and run twice at once. A write that is already there comes out stale, and that resolves
/// its letter too.
package struct RedriveWork {
    package let prepared: Preflight
    package let confirmation: String?
    package let filter: DeadLetterFilter
    package let logger: Logger

    package init(_ prepared: Preflight, confirmation: String?, filter: DeadLetterFilter, logger: Logger) {
        (self.prepared, self.confirmation, self.filter, self.logger) = (prepared, confirmation, filter, logger)
    }

    /// Rails about what the log still holds, which a redrive does not need, because the letters hold its records; and
    /// about a copy that was stopped, part of which it may mend.
    private static let unneeded: Set<String> = [
        "log_start", "log_reach", "recorded_group", "start_partitions", "copy_deaths", "command_deaths",
    ]

    package func run() throws -> Summary {
        try prepared.passRails(except: Self.unneeded)
        let state = try prepared.confirmed(confirmation, logger: logger)
        try state.checkReplayed(prepared.recipe.typed)
        let log = DeadLetterReader(prepared.recipe, logger: logger)
        let all = try log.letters()
        for doubt in DeadLetterReasons.doubts(of: filter.reasons, seen: Set(all.map(\.reason))) {
            logger.warning("a reason asked for may be misspelt", ["doubt": doubt])
        }
        let chosen = filter.select(all)
        let letters = try redrivable(chosen, state)
        let progress = Progress("redrive", logger: logger)
        StopSignal.drains(atMost: Double(Pipeline.drainsFor) / 1000)
        var counts = OutcomeCounts()
        var reasons: [String: Int] = [:]
        // Older epochs go first, and copied documents before the commands that came after them, because merges build on
        // both.
        let rounds = Dictionary(grouping: letters) { Round(epoch: $0.epoch, isRecord: $0.origin.coordinates != nil) }
        for (round, part) in rounds.sorted(by: { $0.key < $1.key }) {
            guard !StopSignal.isAsked else { break }
            let drive = Redrive(prepared, state: state, epoch: round.epoch, log: log, logger: logger)
            counts += try drive.run(part) { done in
                progress.tell(done: counts.total + done, total: letters.count, trouble: drive.trouble)
            }
            reasons.merge(drive.reasons) { $0 + $1 }
        }
        progress.end()
        LetterSettlement(recipe: prepared.recipe, store: prepared.store, logger: logger).keep()
        if counts[.stale] > 0, prepared.recipe.commands.format.hasMerges {
            logger.warning(
                """
                letters came out stale: something newer is there. Where that was a partial update of the same \
                document, what the letter said is still missing, until the document is written whole again; \
                `dead-letters list --all` names them
                """,
                ["letters": counts[.stale]])
        }
        var summary = Summary(
            "dead-letters redrive", counts: counts, seconds: progress.seconds,
            complete: !StopSignal.isAsked || counts.total == letters.count, accepted: prepared.recipe.accept)
        summary.reasons = reasons
        summary.isInVain = summary.complete && counts.total > 0 && counts[.deadLettered] == counts.total
        if summary.isInVain { summary.notes.append("every letter died again: the cause is not mended") }
        prepared.record(.redriven, summary.words, logger: logger)
        if !reasons.isEmpty { summary.next = ["crossfade dead-letters list \(prepared.recipe.typed)"] }
        if !summary.complete { summary.next = ["crossfade dead-letters redrive \(prepared.recipe.typed)"] }
        return summary
    }

    /// The letters that may be redriven. It logs which are left out.
    private func redrivable(_ chosen: [DeadLetter], _ state: MigrationState) throws -> [DeadLetter] {
        let named = chosen.filter(isOurs)
        let ours = try ofRecords(named)
        if ours.count < named.count {
            logger.warning(
                """
                letters that name a record which the topic never had (of a later commands.epoch, of another \
                partition, or behind its end) are left alone: crossfade did not write them, or the topic was made \
                again without raising commands.epoch
                """,
                ["letters": named.count - ours.count])
        }
        if named.count < chosen.count {
            logger.warning(
                "letters of another command topic, or of indices that no entry takes, are left alone",
                ["letters": chosen.count - named.count])
        }
        // Nobody knew of which document such a record is, so the document's tombstone may have been purged. Only the
        // whole log tells whether the document was deleted later.
        let left = ours.filter { !$0.isUndecoded || $0.time > (state.purge?.last ?? .min) }
        if left.count < ours.count {
            logger.warning(
                """
                letters of records that could not be decoded, from before the last purge of tombstones, are left \
                alone: a document that was deleted since could come back. `crossfade replay` from the beginning \
                decides rightly
                """,
                ["letters": ours.count - left.count])
        }
        return left.filter { !mayBeDeleted($0, state) }
    }

    /// Those whose record the topic can have had.
    private func ofRecords(_ letters: [DeadLetter]) throws -> [DeadLetter] {
        guard letters.contains(where: { $0.origin.coordinates != nil }) else { return letters }
        let commands = prepared.recipe.commands
        let admin = try LogAdmin(settings: prepared.recipe.kafkaSettings, log: logger.kafka)
        let marks = try admin.watermarks(commands.topic, partitions: prepared.survey.topic.partitions)
        let origins = LetterOrigins(
            topic: commands.topic, epoch: commands.format.epoch, ends: marks.mapValues(\.high))
        return letters.filter { origins.has($0.origin) }
    }

    /// Whether the tombstone of a document that was deleted since may be gone: it was kept only until `tombstone_age`
    /// after the letter was resolved.
    private func mayBeDeleted(_ letter: DeadLetter, _ state: MigrationState) -> Bool {
        guard let resolvedAt = letter.resolvedAt, let purged = state.purge?.last,
            TombstoneHold(resolvedAt: resolvedAt, now: purged, tombstoneAge: prepared.recipe.tombstoneAge) == nil
        else { return false }
        logger.warning(
            "a resolved letter is left alone: tombstones were purged since, so its document could come back",
            ["origin": letter.originText, "resolved": letter.resolved])
        return true
    }

    private struct Round: Hashable, Comparable {
        package var epoch: Int64
        package var isRecord: Bool

        package static func < (one: Round, other: Round) -> Bool {
            one.epoch == other.epoch ? !one.isRecord && other.isRecord : one.epoch < other.epoch
        }
    }

    private func isOurs(_ letter: DeadLetter) -> Bool {
        switch letter.origin {
        case .record(let topic, _, _, _): topic == prepared.recipe.commands.topic
        case .document(let index, _, _): prepared.entry(ofSource: index) != nil
        }
    }
}

extension Preflight {
    /// The entry that copies documents of a source index; nil: there is none, or the index is gone and several entries
    /// might be meant.
    package func entry(ofSource index: String) -> Int? {
        survey.entries.firstIndex { $0.scope.names.contains(index) } ?? (survey.entries.count == 1 ? 0 : nil)
    }
}

/// Sends the letters of one epoch through a pipeline of their own.
package final class Redrive {
    /// Letters that are fetched together. Their bytes are held until their writes are acknowledged.
    private static let windowLetters = 1000
    private static let windowBytes = 16 << 20
    /// The partition number under which copied documents are booked. Real partitions count from 0.
    private static let documentLane: Int32 = -1

    private let prepared: Preflight
    private let log: DeadLetterReader
    private let logger: Logger
    private let pipeline: Pipeline
    private let outcomes: SettledLetters
    private var underWay: [RunID: DeadLetter] = [:]
    /// The number of copied documents so far, which serves as their offset.
    private var documents: Int64 = 0

    package init(_ prepared: Preflight, state: MigrationState, epoch: Int64, log: DeadLetterReader, logger: Logger) {
        (self.prepared, self.log, self.logger) = (prepared, log, logger)
        let outcomes = SettledLetters()
        self.outcomes = outcomes
        pipeline = prepared.pipeline(
            state: state, writing: .log, logger: logger, redriving: epoch,
            settled: { run, outcome, _ in outcomes.add(run, outcome) })
    }

    package var trouble: String? { pipeline.sink.presentTrouble }
    package var reasons: [String: Int] { pipeline.deadLetters.reasons }

    /// Sends all letters, or fewer if a stop is asked for. Throws if one gets no final outcome.
    package func run(_ letters: [DeadLetter], told: (Int) -> Void) throws -> OutcomeCounts {
        let run = PipelineRun(
            prepared, pipeline, command: "redrive", isReading: false,
            live: LiveWork(prepared, command: "redrive", version: "", logger: logger))
        defer { run.close() }
        // The commands of one id go in the order of the log, not in the order in which they died.
        let sorted = letters.sorted { one, other in
            (one.origin.coordinates?.partition ?? -1, one.origin.coordinates?.offset ?? one.place.offset)
                < (other.origin.coordinates?.partition ?? -1, other.origin.coordinates?.offset ?? other.place.offset)
        }
        for lane in Set(sorted.map { $0.origin.coordinates?.partition ?? Self.documentLane }) {
            pipeline.ledger.own(lane)
        }
        var rest = sorted[...]
        while !rest.isEmpty, !StopSignal.isAsked, !pipeline.failure.isSet {
            let window = take(&rest)
            try feed(window)
            while pipeline.isFull, !pipeline.failure.isSet {
                try pipeline.checkAwake()
                resolve()
                Thread.sleep(forTimeInterval: 0.005)
            }
            try pipeline.checkAwake()
            told(pipeline.ledger.outcomes.total)
        }
        try drain(told)
        if let error = pipeline.failure.value { throw error }
        guard pipeline.deadLetters.flush(seconds: 60) else {
            throw pipeline.failure.value
                ?? WorkError(
                    .deadLetters,
                    "Kafka did not acknowledge all resolutions in topic \(prepared.recipe.deadLetterTopic): redrive "
                        + "again; "
                        + "what is written already comes out stale")
        }
        return pipeline.ledger.outcomes
    }

    private func take(_ rest: inout ArraySlice<DeadLetter>) -> [DeadLetter] {
        var window: [DeadLetter] = []
        var bytes = 0
        while let next = rest.first, window.count < Self.windowLetters, window.isEmpty || bytes < Self.windowBytes {
            window.append(next)
            bytes += next.size
            rest.removeFirst()
        }
        return window
    }

    private func feed(_ letters: [DeadLetter]) throws {
        let found = try log.fetch(letters)
        for (place, letter) in letters.enumerated() {
            guard let owned = found.take(place) else {
                logger.warning(
                    "a dead letter is gone from its topic before it could be redriven", ["origin": letter.originText])
                continue
            }
            if let (partition, offset) = letter.origin.coordinates {
                feed(letter, owned, partition, offset)
            } else {
                feedDocument(letter, owned)
            }
        }
        pipeline.flush()
    }

    private func feed(_ letter: DeadLetter, _ owned: consuming OwnedMessage, _ partition: Int32, _ offset: Int64) {
        owned.message.restore(partition: partition, offset: offset)
        guard let run = pipeline.ledger.open(partition, first: offset, next: offset + 1, count: 1) else { return }
        underWay[run] = letter
        let headers = owned.message.headerBytes
        let bytes = owned.message.size + headers
        let messages = MessageList()
        messages.append(owned)
        pipeline.feed(RecordChunk(run: run, messages: messages, bytes: bytes, headerBytes: headers))
    }

    private func feedDocument(_ letter: DeadLetter, _ owned: borrowing OwnedMessage) {
        let message = owned.message
        guard case .document(let index, let type, let id) = letter.origin, let source = message.value,
            let entry = prepared.entry(ofSource: index)
        else { return }
        let page: Page
        do {
            page = try prepared.survey.target.reader.page(
                ofOne: source, id: String(decoding: id, as: UTF8.self), index: index, type: type,
                routing: message.text(DeadLetterHeader.routing), parent: message.text(DeadLetterHeader.parent),
                version: message.text(DeadLetterHeader.sourceVersion).flatMap { OutsideNumber.compared(text: $0) })
        } catch {
            return logger.warning(
                "a dead letter of the copy holds no document", ["origin": letter.originText, "error": "\(error)"])
        }
        let first = documents
        documents += 1
        guard let run = pipeline.ledger.open(Self.documentLane, first: first, next: first + 1, count: 1)
        else { return }
        underWay[run] = letter
        pipeline.feed(PageChunk(run: run, page: page, entry: entry))
    }

    /// Writes the resolutions of letters that have their outcome.
    private func resolve() {
        for (run, outcome) in outcomes.take() {
            // Its tombstones elsewhere belong to it.
            guard pipeline.ledger.isSettled(run) else {
                outcomes.add(run, outcome)
                continue
            }
            guard let letter = underWay.removeValue(forKey: run), outcome != .deadLettered else { continue }
            pipeline.deadLetters.resolve(letter, as: outcome)
        }
    }

    private func drain(_ told: (Int) -> Void) throws {
        var end: Int64?
        while pipeline.ledger.unsettled > 0, !pipeline.failure.isSet {
            try pipeline.checkAwake()
            pipeline.flush()
            resolve()
            told(pipeline.ledger.outcomes.total)
            if end == nil, StopSignal.isAsked { end = MonotonicClock.milliseconds() + Pipeline.drainsFor }
            if let end, MonotonicClock.milliseconds() > end { break }
            Thread.sleep(forTimeInterval: 0.01)
        }
        resolve()
    }
}

/// Hands outcomes by run from the threads that settle records to the thread that drives the redrive.
package final class SettledLetters: Sendable {
    private let settled = Mutex<[(RunID, Outcome)]>([])

    package func add(_ run: RunID, _ outcome: Outcome) { settled.withLock { $0.append((run, outcome)) } }

    /// The outcomes since the last call.
    package func take() -> [(RunID, Outcome)] {
        settled.withLock {
            let fresh = $0
            $0 = []
            return fresh
        }
    }
}
