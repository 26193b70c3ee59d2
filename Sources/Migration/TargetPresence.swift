/// Whether the target indices are still those that `init` made.
///
/// A deleted index takes its aliases with it, and the cluster itself then refuses writes. But it does not refuse the
/// reads of partial updates; and an index that was made again, aliases and all, would be written as if nothing was
/// missing.
package struct TargetPresence: Sendable {
    /// What one look at an index found.
    package enum Sight: Sendable {
        /// The target does not answer. It says nothing about its indices.
        case unknown
        case absent
        /// - `isRefused`: the index takes no writes now, and has none of the aliases through which it is written.
        case present(uuid: String, isRefused: Bool)
    }

    package enum Verdict: Sendable, Equatable {
        /// Somebody deleted the index and made it again.
        case replaced(by: String)
        case indexMissing
        case aliasMissing
    }

    /// How many looks in a row must miss an index: a node that has just started may not know its indices yet.
    static let patience = 3

    /// By index: how many looks in a row missed it or its alias.
    private var misses: [String: Int] = [:]

    package init() {}

    /// Takes one look at an index whose UUID was `known` when the work began. Gives a verdict when the work must end.
    package mutating func look(_ sight: Sight, at index: String, known: String) -> Verdict? {
        switch sight {
        case .present(let uuid, _) where uuid != known: return .replaced(by: uuid)
        case .unknown, .present(_, isRefused: false):
            misses[index] = nil
            return nil
        case .absent: return isMissing(index) ? .indexMissing : nil
        case .present: return isMissing(index) ? .aliasMissing : nil
        }
    }

    private mutating func isMissing(_ index: String) -> Bool {
        misses[index, default: 0] += 1
        return misses[index, default: 0] >= Self.patience
    }
}
