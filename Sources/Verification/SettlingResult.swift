import Parity

/// What became of documents that had to be looked at one by one.
package struct SettlingResult {
    package struct Index: Sendable, Equatable {
        /// Of the documents that at least one side has, and of those that are not judged yet.
        package var totals = ParityTotals()
        /// Documents that neither side has any more.
        package var absent = 0
        /// Documents of the old side that cannot be copied, and that the new side has not.
        package var uncopied = 0
        /// Documents of which the log does not say any more what they should be.
        package var unknown = 0

        package init() {}
    }

    /// By entry.
    package var indices: [Int: Index] = [:]
    /// At most the limit of each kind.
    package var examples: [Finding] = []
    /// All documents that are wrong, with what is wrong, and all that are not judged yet.
    package var wrong: KeyFile
    package var open: KeyFile
    /// Every command before these offsets is in what was compared.
    package var verifiedUpTo: [Int32: Int64]
    /// Where the groups stood when last asked.
    package var positions: GroupPositions?
    /// How many documents were still open, round by round.
    package var rechecks = Rechecks()
    package var split = SplitDocuments()
    /// What it waits for, and what could not be excluded, in sentences.
    package var remarks: [String] = []

    /// Whether of some documents nobody knows what they should be.
    package var isUnknown: Bool { indices.values.contains { $0.unknown > 0 } }

    /// How many of the candidates are judged, whatever came of it.
    package var judged: Int {
        indices.values.reduce(0) {
            $0 + $1.totals.compared - $1.totals.settling + $1.absent + $1.uncopied + $1.unknown
        } + split.acceptedCount
    }

    /// Removes its files.
    package func remove() {
        wrong.remove()
        open.remove()
    }

    package var totals: ParityTotals { indices.values.reduce(into: ParityTotals()) { $0 += $1.totals } }
}

/// How far a settling is.
package struct SettlingProgress: Sendable, Equatable {
    package var candidates: Int
    package var judged: Int
    package var wrong: Int
    package var open: Int
    /// What is waited for, in words; nil: nothing.
    package var waiting: String?
}
