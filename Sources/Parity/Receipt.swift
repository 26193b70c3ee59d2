/// All that a verification says of itself. Times are milliseconds since 1970.
package struct Receipt: Sendable, Equatable {
    /// What it compares.
    package enum Basis: String, Sendable, CaseIterable {
        /// The old side, through the transform, with the new one.
        case source
        /// The fold of the log with the new side.
        case log
    }

    /// What has not run, or does not run: a command of Crossfade, or the application's own indexer.
    package enum Need: String, Sendable { case copy, replay, follow, indexer }

    package struct Side: Sendable, Equatable {
        /// Product and version, and the address without credentials.
        package var name: String
        /// The cluster's own identity.
        package var uuid: String

        package init(name: String, uuid: String) { (self.name, self.uuid) = (name, uuid) }
    }

    /// What is known of one partition of the topic.
    package struct Position: Sendable, Equatable {
        package var partition: Int32
        /// Every command before this offset is in what was compared.
        package var verifiedUpTo: Int64
        /// Where the application's own group stood at the end; nil: unknown.
        package var application: Int64?
        /// Where Crossfade stood at the end; nil: unknown.
        package var crossfade: Int64?
        /// The end of the log at the end.
        package var end: Int64
        /// Every command before this offset was written on the new side before ``Index/sequence`` was read; nil: an
        /// earlier version of Crossfade has not said it.
        package var writtenUpTo: Int64?

        package init(
            partition: Int32, verifiedUpTo: Int64, application: Int64? = nil, crossfade: Int64? = nil, end: Int64,
            writtenUpTo: Int64? = nil
        ) {
            self.writtenUpTo = writtenUpTo
            (self.partition, self.verifiedUpTo) = (partition, verifiedUpTo)
            (self.application, self.crossfade, self.end) = (application, crossfade, end)
        }
    }

    /// One bar of a histogram: documents of both sides with a date from `from` on, up to the next bar.
    package struct Bar: Sendable, Equatable {
        package var from: Int64
        package var source: Int
        package var target: Int

        package init(from: Int64, source: Int, target: Int) {
            (self.from, self.source, self.target) = (from, source, target)
        }
    }

    /// How many documents have a field of the mapping that a search can find (`exists`), on both sides.
    package struct FieldCount: Sendable, Equatable {
        package var field: String
        /// nil: the field does not exist there, or the transform makes it.
        package var source: Int?
        package var target: Int
        /// Documents of which the new side ignores a value of this field (`_ignored`).
        package var ignored: Int?

        package init(field: String, source: Int?, target: Int, ignored: Int? = nil) {
            (self.field, self.source, self.target, self.ignored) = (field, source, target, ignored)
        }
    }

    /// What was found of one target index.
    package struct Index: Sendable, Equatable {
        package var name: String
        package var from: [String] = []
        /// What each side says of itself, without tombstones.
        package var sourceTotal = 0
        package var targetTotal = 0
        package var tombstones = 0
        /// Documents that the scans have read of each side.
        package var sourceRead = 0
        package var targetRead = 0
        package var totals = ParityTotals()
        /// Documents that are equal only because a path is ignored, by path.
        package var ignored: [String: Int] = [:]
        /// Documents of the old side that cannot be copied (dead letters), and so are not expected on the new one.
        package var uncopied = 0
        package var histogramField: String?
        package var histogram: [Bar] = []
        package var fields: [FieldCount] = []
        /// The UUID of the target index; nil: unknown.
        package var uuid: String?
        /// The greatest `_seq_no` per shard of the target before anything was compared; empty: the server has none.
        /// After a repair, that behind it. Whatever is written later has a greater one.
        package var sequence: [Int: Int64] = [:]
        /// Copies of a shard that do not hold the same number of documents, in words.
        package var copies: [String] = []
        package var verdict: Verdict = .incomplete

        package init(name: String) { self.name = name }
    }

    package var id: String
    package var migration: String
    package var version: String
    package var fingerprint: String
    package var basis: Basis
    /// The receipt whose open ends this one goes on from; nil: it compares everything.
    package var since: String?
    package var source: Side?
    package var target: Side
    package var topic: String
    package var topicID: String?
    package var began: Int64
    package var ended: Int64
    /// When the oldest part of it was read. The age of a receipt counts from here.
    package var oldestRead: Int64
    package var positions: [Position] = []
    /// In the order of the survey's entries, as `DocumentKey.entry` counts them.
    package var indices: [Index] = []
    package var verdict: Verdict = .incomplete
    /// What keeps it from being `equal`, and what it could not exclude, in sentences.
    package var remarks: [String] = []
    /// At most `verify.report_limit` of each kind.
    package var examples: [Finding] = []
    package var sample: [SampledDocument] = []
    /// What a repair has done, or would do; nil: none was asked for, or there was nothing to repair.
    package var repair: RepairReport?
    package var rechecks = Rechecks()
    /// What has to run before more can be said, the first thing first; empty where the verdict is `equal`.
    package var needs: [Need] = []
    /// When ``Index/sequence`` was read; nil: an earlier version of Crossfade has not said it.
    package var sequenceRead: Int64?
    /// Commands that came while both sides were looked at: the counts of the two may differ by as many documents.
    package var meanwhile: Int64 = 0
    /// The UUIDs of the old indices that were compared, by name; one is left out where the server does not say it.
    package var sourceIndices: [String: String] = [:]
    /// How far the old indices were written before anything was compared; nil: commands tell that, or it is unknown.
    package var sourceWritten: [WriteMark]?
    /// Documents that were wrong or still open, at most ``mostOpen``: a later verification that goes on from here looks
    /// at them again.
    package var open: [DocumentKey] = []
    /// How many more there were. Where there are any, nothing can go on from this receipt.
    package var openUnlisted = 0
    /// Whether it stopped at the first documents that differ. Nothing is known of the others then.
    package var hasStopped = false

    /// The most keys of open documents that a receipt holds.
    package static let mostOpen = 10_000

    package init(
        id: String, migration: String, version: String, fingerprint: String, basis: Basis, target: Side, topic: String,
        began: Int64
    ) {
        (self.id, self.migration, self.version, self.fingerprint) = (id, migration, version, fingerprint)
        (self.basis, self.target, self.topic) = (basis, target, topic)
        (self.began, ended, oldestRead) = (began, began, began)
    }

    /// Name of the target index of a document.
    package func index(of key: DocumentKey) -> String {
        indices.indices.contains(key.entry) ? indices[key.entry].name : "entry \(key.entry)"
    }

    /// Whether both sides say that they have as many documents, apart from those that commands brought or took while
    /// they were counted. Documents that cannot be copied make a difference, too.
    package var countsAgree: Bool {
        let (source, target) = indices.reduce(into: (0, 0)) {
            ($0.0, $0.1) = ($0.0 + $1.sourceTotal, $0.1 + $1.targetTotal)
        }
        return Int64(clamping: abs(source - target)) <= meanwhile
    }

    /// Whether every document was read, and judged as far as it could be.
    package var isJudged: Bool { !hasStopped && [.equal, .different, .settling].contains(verdict) }

    /// Whether a later verification can go on from it: it names every document that is wrong or open.
    package var namesAllOpen: Bool { isJudged && openUnlisted == 0 }

    package var totals: ParityTotals { indices.reduce(into: ParityTotals()) { $0 += $1.totals } }
}

/// One whole document of both sides, for a human to read.
package struct SampledDocument: Sendable, Equatable {
    package var key: DocumentKey
    /// The old side's document as it is stored, as JSON text.
    package var source: String?
    /// The same after the transform.
    package var expected: String?
    package var found: String?

    package init(key: DocumentKey, source: String?, expected: String?, found: String?) {
        (self.key, self.source, self.expected, self.found) = (key, source, expected, found)
    }
}
