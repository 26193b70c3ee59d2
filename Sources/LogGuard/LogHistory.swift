import CommandLog
import Failures
import Telemetry

/// Compares what is remembered of the log with the log as it is now.
package struct LogHistory: Sendable {
    /// The group's offsets that are valid: those of this epoch, and those of another epoch if the log is still the
    /// same.
    package var committed: [Int32: Int64] = [:]
    /// The times in the notes beside them; see ``CommitNote/time``.
    package var committedAt: [Int32: Int64] = [:]
    /// Why the log is not the one that was read; nil: it is, as far as can be seen.
    package var refusal: Refusal?
    /// Per partition the last remembered record that was found again in the log.
    package var found: [Int32: RecordFingerprint] = [:]

    /// Nothing is remembered.
    package init() {}

    /// Compares. `now`: the group's offsets; `kept`: records of this epoch that the migration's state remembers.
    package static func compare(
        now: [Int32: CommittedOffset], kept: [Int32: RecordFingerprint], epoch: Int64,
        marks: [Int32: (low: Int64, high: Int64)], probe: LogProbe
    ) throws(LogError) -> LogHistory {
        var history = LogHistory()
        var wanted: [Int32: [RecordFingerprint]] = [:]
        var foreign: Set<Int32> = []
        for (partition, fingerprint) in kept where marks[partition] != nil { wanted[partition] = [fingerprint] }
        for (partition, offset) in now where marks[partition] != nil {
            let note = CommitNote(text: offset.note)
            history.committedAt[partition] = note?.time
            let isOurs = note.map { $0.epoch == epoch } ?? true
            if isOurs {
                history.committed[partition] = offset.offset
                for fingerprint in note?.fingerprints ?? [] where wanted[partition]?.contains(fingerprint) != true {
                    wanted[partition, default: []].append(fingerprint)
                }
            } else if let fingerprints = note?.fingerprints, !fingerprints.isEmpty {
                foreign.insert(partition)
                wanted[partition] = fingerprints
            }
        }
        guard !wanted.isEmpty else { return history }
        for (partition, findings) in try probe.find(wanted, marks: marks).sorted(by: { $0.key < $1.key }) {
            let same = findings.filter { $0.finding == .same }.map(\.fingerprint)
            history.found[partition] = same.max { $0.offset < $1.offset }
            if foreign.contains(partition) {
                // The epoch was raised. The offset is valid if the log is still the log of that epoch.
                if findings.allSatisfy({ $0.finding == .same }) {
                    history.committed[partition] = now[partition]?.offset
                }
            } else if history.refusal == nil {
                history.refusal = LogWentBackwards.refusal(
                    findings, topic: probe.topic, partition: partition, mark: marks[partition] ?? (0, 0))
            }
        }
        return history
    }
}
