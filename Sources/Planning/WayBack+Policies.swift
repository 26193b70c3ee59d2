import DeadLetters
import SearchCluster

/// What the old cluster will do to the old indices by itself.
extension WayBack {
    /// What is due within so many milliseconds is said, and stops a rollover: a week.
    private static let soon: Int64 = 7 * 86_400_000

    /// What lifecycle policies will do to old indices soon, or at a time that nobody knows. The readers could go back
    /// until then. With what to do.
    package func dues(now: Int64) -> [String] {
        fates.sorted { $0.key < $1.key }.compactMap { index, fate in
            if let due = fate.due, due - now > Self.soon { return nil }
            let what = fate.action == "-" ? "and cannot be read" : "and has \(fate.action)"
            let time = fate.due.map {
                $0 <= now ? ", which may come at any time" : ", due on \(DeadLetterTime.text($0).prefix(10))"
            }
            return
                "the lifecycle policy \(fate.policy) manages the old index \(index) \(what)\(time ?? ""): take it off "
                + "the index (\(removal(index)))"
        }
    }

    private func removal(_ index: String) -> String {
        isOpenSearch ? "POST /_plugins/_ism/remove/\(index)" : "POST /\(index)/_ilm/remove"
    }

    /// What will be done to an index that can be read and written. Where we may not ask, nothing is said.
    mutating func lookForPolicy(_ index: String, _ policy: String?, _ reader: ClusterReader?) {
        guard let reader else { return }
        fates[index] = (try? reader.fate(of: index, policy: policy, isOpenSearch: isOpenSearch)) ?? nil
    }
}
