import CommandLog
import Telemetry

/// What is said of a log that is not the one it was, with both coordinates.
enum LogJudgement {
    static func backwards(topic: String, partition: Int32, applied: Int64, low: Int64, end: Int64) -> String {
        "topic \(topic) partition \(partition) went backwards: everything before offset \(applied) has been applied, but "
            + "the log reaches from \(low) to \(end) only. It was recreated or lost its tail in an unclean election: raise "
            + "commands.epoch, then replay"
    }

    static func text(
        _ findings: [(witness: LogWitness, finding: LogProbe.Finding)], topic: String, partition: Int32,
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
enum PartitionsAdded {
    static func text(topic: String, before: Int, now: Int) -> String {
        "topic \(topic) had \(before) partitions when it was read and has \(now) now: keys have moved between partitions, so "
            + "offsets no longer order one id's commands. Raise commands.epoch once everything before has been applied, or "
            + "take versions from a timestamp, a field or a header (commands.version)"
    }
}

/// A transaction that is neither committed nor aborted: nothing behind it can be read under `read_committed`.
enum OpenTransaction {
    /// A partition whose last stable offset lies before its end.
    struct Pin: Sendable, Equatable {
        var stable: Int64
        var end: Int64
        /// Two looks in a row found the same stable offset: it does not pass by itself, as what producers write in ever new
        /// transactions does.
        var isHeld = false
    }

    /// `stable` must have been asked after `ends`: what is written between the two questions would look like one.
    static func pins(_ stable: [Int32: Int64], ends: [Int32: Int64], before: [Int32: Pin]) -> [Int32: Pin] {
        stable.reduce(into: [:]) { pins, mark in
            guard let end = ends[mark.key], end > mark.value else { return }
            pins[mark.key] = Pin(stable: mark.value, end: end, isHeld: before[mark.key]?.stable == mark.value)
        }
    }

    static func words(partition: Int32, stable: Int64, end: Int64) -> String {
        "waits for an open transaction: last stable offset \(stable), end \(end) on partition \(partition)"
    }

    /// A client that sees the log's real ends; nil when every client does.
    static func reader(_ settings: KafkaSettings, logger: Logger) throws(LogError) -> LogAdmin? {
        guard settings.passthrough["isolation.level"] != "read_uncommitted" else { return nil }
        var settings = settings
        settings.passthrough["isolation.level"] = "read_uncommitted"
        return try LogAdmin(settings: settings, log: logger.kafka)
    }
}

/// What is known of the log from before, compared with the log as it is.
struct LogHistory: Sendable {
    /// The group's offsets that count: of this epoch, or of another epoch of the very same log.
    var committed: [Int32: Int64] = [:]
    /// Why the log is not the one that was read; nil when it is, as far as can be seen.
    var refusal: String?
    /// The last record of each partition that was found again.
    var found: [Int32: LogWitness] = [:]

    /// `state`: what this migration has kept; `now`: the group's offsets.
    static func compare(
        _ recipe: Recipe, now: [Int32: CommittedOffset], state: MigrationState?,
        marks: [Int32: (low: Int64, high: Int64)], logger: Logger
    ) throws(LogError) -> LogHistory {
        let epoch = recipe.commands.format.epoch
        var history = LogHistory()
        var wanted: [Int32: [LogWitness]] = [:]
        var foreign: Set<Int32> = []
        if let log = state?.log, log.epoch == epoch {
            for (partition, witness) in log.witnesses where marks[partition] != nil { wanted[partition] = [witness] }
        }
        for (partition, offset) in now where marks[partition] != nil {
            let note = CommitNote(text: offset.note)
            let isOurs = note.map { $0.epoch == epoch } ?? true
            if isOurs {
                history.committed[partition] = offset.offset
                for witness in note?.witnesses ?? [] where wanted[partition]?.contains(witness) != true {
                    wanted[partition, default: []].append(witness)
                }
            } else if let witnesses = note?.witnesses, !witnesses.isEmpty {
                foreign.insert(partition)
                wanted[partition] = witnesses
            }
        }
        guard !wanted.isEmpty else { return history }
        let probe = LogProbe(settings: recipe.kafkaSettings, topic: recipe.commands.topic, logger: logger)
        for (partition, findings) in try probe.find(wanted, marks: marks).sorted(by: { $0.key < $1.key }) {
            let same = findings.filter { $0.finding == .same }.map(\.witness)
            history.found[partition] = same.max { $0.offset < $1.offset }
            if foreign.contains(partition) {
                // The epoch was raised: the offset counts if the log is still the one that it is of.
                if findings.allSatisfy({ $0.finding == .same }) {
                    history.committed[partition] = now[partition]?.offset
                }
            } else if history.refusal == nil {
                history.refusal = LogJudgement.text(
                    findings, topic: recipe.commands.topic, partition: partition, mark: marks[partition] ?? (0, 0))
            }
        }
        return history
    }
}
