import Failures

/// Judges whether the log is still the one that was read (promise P9 in docs/architecture.md): a log that went
/// backwards, or that holds other records than were applied, is refused.
package enum LogWentBackwards {
    /// The refusal that the findings about one partition come to; nil: the log is the same as far as can be told.
    /// - Parameter mark: the partition's first offset, and the offset after its last record.
    package static func refusal(
        _ findings: [(fingerprint: RecordFingerprint, finding: LogProbe.Finding)], topic: String, partition: Int32,
        mark: (low: Int64, high: Int64)
    ) -> Refusal? {
        for (fingerprint, finding) in findings {
            switch finding {
            case .same, .unknown: continue
            case .backwards(let end):
                return .logWentBackwards(
                    topic: topic, partition: partition, applied: fingerprint.offset + 1, low: mark.low, high: end)
            case .other(let now):
                return .recordReplaced(
                    topic: topic, partition: partition, before: fingerprint.words, now: now.words, low: mark.low,
                    high: mark.high)
            }
        }
        return nil
    }
}
