import CommandLog
import Commands
import Failures
import Indexing
import LogGuard
import Runtime
import Telemetry

/// Looks whether records came out stale because their document has commands in another partition; see
/// ``StaleRecords``. What each process remembers of the ids that it has seen (``CrossPartitionIDDetector``) cannot find
/// that where another process, or an earlier one, applied the other command.
///
/// A record is not committed before it was looked at. A clash ends the work.
///
/// `@unchecked Sendable` because `waiting`, `known` and `isClosed` are touched only under `condition`.
package final class StaleLook: @unchecked Sendable {
    package struct Options: Sendable {
        package var settings: KafkaSettings
        package var topic: String
        package var format: CommandFormat
        /// Ids of which a clash is accepted.
        package var splitIDs: Set<[UInt8]>

        package init(settings: KafkaSettings, topic: String, format: CommandFormat, splitIDs: Set<[UInt8]>) {
            (self.settings, self.topic, self.format, self.splitIDs) = (settings, topic, format, splitIDs)
        }
    }

    private struct Suspect {
        var run: RunID
        var record: StaleRecords.Record
    }

    /// So many may wait. What is beyond has its cause elsewhere: see ``StaleAlarm``.
    private static let mostWaiting = 16_384
    /// Of records that may have been applied before, which are stale then, so many are looked at.
    private static let mostKnown = 65_536
    private static let atOnce = 4096

    private let options: Options
    private let ledger: Ledger
    private let failure: FailureLatch<WorkError>
    private let logger: Logger
    private let condition = MonotonicCondition()
    private var waiting: [Suspect] = []
    private var known = 0
    private var isClosed = false
    private var thread: JoinableThread?

    init(_ options: Options, ledger: Ledger, failure: FailureLatch<WorkError>, logger: Logger) {
        (self.options, self.ledger, self.failure, self.logger) = (options, ledger, failure, logger)
        thread = JoinableThread("cf-stale-look") { [self] in run() }
    }

    /// A record of `run` is about to be settled as stale. `newer`: the version that the target holds.
    func suspect(_ run: RunID, offset: Int64, newer: Int64) {
        guard let named = DocumentVersion.offset(named: newer, epoch: options.format.epoch) else { return }
        condition.withLock {
            guard !isClosed, waiting.count < Self.mostWaiting else { return }
            if !ledger.isUnapplied(run) {
                guard known < Self.mostKnown else { return }
                known += 1
            }
            ledger.expect(1, in: run)
            waiting.append(
                Suspect(run: run, record: StaleRecords.Record(partition: run.partition, offset: offset, newer: named)))
            condition.signal()
        }
    }

    /// What was not looked at stays uncommitted.
    func close() {
        condition.withLock {
            isClosed = true
            condition.broadcast()
        }
        thread?.join(seconds: 5)
    }

    // MARK: The thread

    private func run() {
        while let suspects = take() {
            while !hasLooked(at: suspects.map(\.record)) {
                let goesOn = condition.withLock {
                    if !isClosed { condition.wait(milliseconds: 500) }
                    return !isClosed && !failure.isSet
                }
                guard goesOn else { return }
            }
            guard !failure.isSet else { return }
            for suspect in suspects { ledger.conclude(1, in: suspect.run) }
        }
    }

    /// nil: closed.
    private func take() -> [Suspect]? {
        condition.withLock {
            condition.wait(milliseconds: nil) { waiting.isEmpty && !isClosed }
            guard !isClosed else { return nil }
            let taken = Array(waiting.prefix(Self.atOnce))
            waiting.removeFirst(taken.count)
            return taken
        }
    }

    /// False: Kafka could not be asked.
    private func hasLooked(at records: [StaleRecords.Record]) -> Bool {
        do {
            guard let (id, clash) = try look(at: records) else { return true }
            let refusal = clash.refusal(
                id: id.withUnsafeBufferPointer { String(repairing: $0) }, topic: options.topic,
                orderedByOthers: !options.format.hasMerges)
            failure.set(refusal.error())
            return true
        } catch {
            logger.warning("what made records stale cannot be asked now; asking again", ["error": "\(error)"])
            return false
        }
    }

    private func look(
        at records: [StaleRecords.Record]
    ) throws(LogError) -> (id: [UInt8], clash: CrossPartitionIDDetector.Clash)? {
        let admin = try LogAdmin(settings: options.settings, log: logger.kafka)
        defer { admin.close() }
        let partitions = try admin.describe(options.topic).partitions
        guard partitions.count > 1 else { return nil }
        let marks = try admin.watermarks(options.topic, partitions: partitions)
        let probe = LogProbe(settings: options.settings, topic: options.topic, logger: logger)
        let decoder = CommandDecoder(options.format)
        var found = StaleRecords(records, partitions: partitions)
        for round in found.rounds(marks) {
            try probe.each(in: round, until: MonotonicClock.milliseconds() + 30_000) { message in
                guard found.wants(message.partition, message.offset) else { return }
                let record = Record(
                    key: message.key, value: message.value, timestamp: message.timestamp,
                    partition: message.partition, offset: message.offset, headers: message.headers)
                guard case .operation(let operation) = decoder.decode(record) else { return }
                // A record of one entry may write a tombstone of the same id to others.
                let entry = decoder.writesCompanions ? 0 : operation.entry
                let document = StaleRecords.Document(entry: entry, id: Array(operation.id))
                guard !options.splitIDs.contains(document.id) else { return }
                found.read(message.partition, message.offset, document)
            }
            if let clash = found.clash { return clash }
        }
        return found.clash
    }
}
