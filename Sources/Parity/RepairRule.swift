/// What a repair does with a document of the new side.
package enum RepairStep: Sendable, Equatable {
    /// It is as it should be.
    case nothing
    /// Writes this document, with `external_gte`.
    case write([UInt8], version: Int64)
    /// Writes a tombstone, with `external_gte`.
    case delete(version: Int64)
    /// It is not proved what is right.
    case leave(RepairDoubt)
}

/// Why a repair leaves a document as it is.
package enum RepairDoubt: String, Sendable, CaseIterable {
    /// The new side alone has it, and the log does not say that it was deleted: `--trust-source` removes it.
    case extraNotProved = "extra_not_proved"
    /// The old side alone has it, and the new side holds a tombstone that the log does not explain any more:
    /// `--trust-source` writes the document.
    case tombstoneNotExplained = "tombstone_not_explained"
    /// The new side has it with a greater version than the old side's, and retention may have taken the command that
    /// gave it: `--trust-source` writes the old side's document.
    case versionNotExplained = "version_not_explained"
    /// The old side's document cannot be copied, and no command names it.
    case uncopied
    /// The log holds partial updates of it and not what they are merged into, and the old side has no such document.
    case baseLost = "base_lost"
    /// The new side has a newer version, which the application has written there.
    case targetNewer = "target_newer"
    /// The new side has what the log says, and the old side has something else.
    case logAgrees = "log_agrees"
    /// Its commands lie in two partitions of the topic, so that nobody can tell which of them is newer:
    /// `--trust-source` writes what the old side has.
    case twoPartitions = "two_partitions"
}

/// Decides what is right: the fold of the log. What the old side has counts only for documents that the log never
/// names.
package struct RepairRule: Sendable {
    /// Whether what the old side has, or has not, is proof where the log says nothing.
    package var trustsSource: Bool
    /// Whether the old side was read at all.
    package var readsSource: Bool
    /// The version of copied documents that have none of their own.
    package var floor: Int64
    /// Whether retention has taken commands: then one may have written what the log does not name.
    package var hasForgotten = false
    /// Whether the application writes the new side, too, with versions that can be compared.
    package var keepsNewer = false

    package init(trustsSource: Bool, readsSource: Bool = true, floor: Int64) {
        (self.trustsSource, self.readsSource, self.floor) = (trustsSource, readsSource, floor)
    }

    package enum Log: Sendable, Equatable {
        /// No command names it.
        case unnamed
        case document([UInt8], version: Int64)
        case deleted(version: Int64)
        /// Partial updates of a document that is nowhere any more.
        case baseLost
        /// Its commands lie in two partitions, and nothing tells which of them is newer.
        case split
    }

    package enum Source: Sendable, Equatable {
        case absent
        /// As the copy writes it.
        case document([UInt8], version: Int64)
        case uncopied
    }

    package struct Target: Sendable, Equatable {
        /// nil: there is none, or a tombstone.
        package var document: [UInt8]?
        /// Of the document or of the tombstone; nil: there is nothing.
        package var version: Int64?
        /// Of a document of the same id with another routing in the same shard; nil: there is none. A shard has one
        /// document of an id, so what is written must outrank it.
        package var other: Int64?

        package init(document: [UInt8]?, version: Int64?, other: Int64? = nil) {
            (self.document, self.version, self.other) = (document, version, other)
        }
    }

    /// `isSame`: whether two documents are equal by their content.
    package func step(
        log: Log, source: Source, target: Target, isSame: ([UInt8], [UInt8]) throws -> Bool
    ) rethrows -> RepairStep {
        switch log {
        case .document(let document, let version):
            return try orDoubt(try write(document, version, target, isSame), source, target, isSame)
        case .deleted(let version): return try orDoubt(delete(version, target), source, target, isSame)
        case .baseLost: return .leave(.baseLost)
        case .split: if !trustsSource { return .leave(.twoPartitions) }
        case .unnamed: break
        }
        switch source {
        case .document(let document, let version):
            if target.document == nil, target.version != nil, !trustsSource { return .leave(.tombstoneNotExplained) }
            if hasForgotten, !trustsSource, let held = target.document, target.version ?? 0 > version,
                try !isSame(document, held)
            {
                return .leave(.versionNotExplained)
            }
            return try write(document, version, target, isSame)
        case .uncopied: return .leave(.uncopied)
        case .absent:
            guard target.document != nil else { return .nothing }
            return trustsSource ? delete(floor, target) : .leave(.extraNotProved)
        }
    }

    /// Nothing is to be done where the new side has what the log says. But if the old side has something else, both
    /// stay different, and it must be said why.
    private func orDoubt(
        _ step: RepairStep, _ source: Source, _ target: Target, _ isSame: ([UInt8], [UInt8]) throws -> Bool
    ) rethrows -> RepairStep {
        guard step == .nothing, readsSource else { return step }
        let isAlike =
            switch (source, target.document) {
            case (.document(let old, _), let new?): try isSame(old, new)
            case (.document, nil), (.absent, .some), (.uncopied, .some): false
            case (.absent, nil), (.uncopied, nil): true
            }
        return isAlike ? step : .leave(.logAgrees)
    }

    private func write(
        _ document: [UInt8], _ version: Int64, _ target: Target, _ isSame: ([UInt8], [UInt8]) throws -> Bool
    ) rethrows -> RepairStep {
        if let held = target.document, try isSame(document, held) { return .nothing }
        if keepsNewer, target.document != nil, let there = target.version, there > version {
            return .leave(.targetNewer)
        }
        return .write(document, version: max(version, target.version ?? version, target.other ?? version))
    }

    private func delete(_ version: Int64, _ target: Target) -> RepairStep {
        guard target.document != nil else { return .nothing }
        return .delete(version: max(version, target.version ?? version))
    }
}

extension RepairStep {
    /// The version that it writes; nil: it writes nothing.
    package var version: Int64? {
        switch self {
        case .write(_, let version), .delete(let version): version
        case .nothing, .leave: nil
        }
    }
}
