import JSONText
import Parity
import Pipeline

/// Documents whose commands lie in two partitions: those of which the recipe does not accept it, and those of which it
/// does. The latter are no documents of which the log should know more.
package struct SplitDocuments: Sendable {
    private struct Part: Sendable {
        private(set) var count = 0
        /// Ids of the first of them.
        private var ids: [String] = []

        mutating func add(_ key: DocumentKey) {
            count += 1
            if ids.count < 10 { ids.append(key.id.withUnsafeBufferPointer { String(repairing: $0) }) }
        }

        /// nil: there is none.
        func words(_ rest: String) -> String? {
            guard count > 0 else { return nil }
            let more = count > ids.count ? " and others" : ""
            return "\(count) document\(count == 1 ? "" : "s") (\(ids.joined(separator: ", "))\(more)) \(rest)"
        }
    }

    private var refused = Part()
    private var accepted = Part()

    package init() {}

    mutating func add(_ key: DocumentKey, isAccepted: Bool) {
        if isAccepted { accepted.add(key) } else { refused.add(key) }
    }

    /// How many the recipe accepts.
    var acceptedCount: Int { accepted.count }

    /// In sentences.
    package var remarks: [String] {
        let words = "have commands in two partitions of the topic (\(RepairDoubt.twoPartitions.rawValue))"
        return [
            refused.words("\(words), so that nobody can tell which of them is newer"),
            accepted.words(
                "\(words), which the recipe accepts: the log proves nothing of them, and they were not compared"),
        ].compactMap(\.self)
    }
}

extension PipelinePlan {
    /// Whether the recipe accepts that the document's commands lie in two partitions.
    func acceptsSplit(_ key: DocumentKey) -> Bool { splitIDs.contains(key.id) }
}
