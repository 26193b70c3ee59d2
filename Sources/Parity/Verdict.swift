/// What a verification came to. There is one verdict, and only `equal` says that both sides are alike.
package enum Verdict: String, Sendable, CaseIterable {
    /// Every document of both sides was compared, and all are alike.
    case equal
    /// At least one document differs, for good.
    case different
    /// No document differs for good, but some could not be judged yet: commands for them keep coming, or one side has
    /// not applied them.
    case settling
    /// Not everything could be read, so nothing is proved.
    case incomplete
    /// There was nothing to compare, and the recipe does not say that this is right.
    case empty

    /// The verdict over several indices, or several reasons: the first that applies in the order incomplete, different,
    /// settling, empty, equal.
    package static func of(_ verdicts: some Sequence<Verdict>) -> Verdict {
        let found = Set(verdicts)
        return [.incomplete, .different, .settling, .empty].first(where: found.contains) ?? .equal
    }
}

/// What is wrong with one document of the new side.
package enum FindingKind: String, Sendable, CaseIterable {
    /// The old side has it, the new one has not.
    case missing
    /// The new side has it, the old one has not.
    case extra
    /// Both have it, with other contents.
    case different
    /// The new side has the content of an earlier state of the log.
    case stale
    /// The id is there under two routings, on one side or on both.
    case twoRoutings = "two_routings"
    /// The id is missing, and the new side has one that is the same in another spelling.
    case twin
}

/// One document that is not as it should be.
package struct Finding: Sendable, Hashable {
    package var kind: FindingKind
    package var key: DocumentKey
    /// Where the contents differ, with both values as JSON text; empty unless both sides have the document.
    package var paths: [PathDifference]
    /// For `stale` where in the log the content comes from (`topic/partition/offset`); for others what else is known,
    /// in words: the other spelling or routing, for example.
    package var note: String?
    /// Versions on both sides; nil: not there.
    package var sourceVersion: Int64?
    package var targetVersion: Int64?

    package init(
        _ kind: FindingKind, _ key: DocumentKey, paths: [PathDifference] = [], note: String? = nil,
        sourceVersion: Int64? = nil, targetVersion: Int64? = nil
    ) {
        (self.kind, self.key, self.paths, self.note) = (kind, key, paths, note)
        (self.sourceVersion, self.targetVersion) = (sourceVersion, targetVersion)
    }
}

/// A path at which two documents differ. Values are JSON text, cut to ``longest`` bytes; nil: the side has nothing
/// there.
package struct PathDifference: Sendable, Hashable {
    /// The longest text of a value that is kept, in bytes.
    package static let longest = 200

    /// Dotted, as in recipes; places in arrays as `tags[2]`.
    package var path: String
    package var expected: String?
    package var found: String?

    package init(path: String, expected: String?, found: String?) {
        (self.path, self.expected, self.found) = (path, expected, found)
    }
}

/// How many documents there were, by what they came to. At any moment `compared` is the sum of all others.
package struct ParityTotals: Sendable, Equatable {
    package var compared = 0
    package var equal = 0
    package var findings: [FindingKind: Int] = [:]
    /// Not judged yet.
    package var settling = 0

    package init() {}

    package var wrong: Int { findings.values.reduce(0, +) }

    package static func += (sum: inout ParityTotals, more: ParityTotals) {
        sum.compared += more.compared
        sum.equal += more.equal
        sum.settling += more.settling
        sum.findings.merge(more.findings, uniquingKeysWith: +)
    }
}
