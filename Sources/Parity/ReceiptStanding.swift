/// Whether what a receipt says of the new side still holds.
package enum ReceiptStanding: Sendable, Equatable {
    /// Commands of the log, or Crossfade's own work, explain every write since. What was not seen, in sentences.
    case stands([String])
    case void(ReceiptVoid)
    /// It cannot be found out, in a sentence.
    case unknown(String)
    /// This server does not tell who has written, in a sentence.
    case untold(String)

    package var name: String {
        switch self {
        case .stands: "stands"
        case .void: "void"
        case .unknown, .untold: "unknown"
        }
    }

    /// Why, in a sentence; nil: there is nothing to say.
    package var words: String? {
        switch self {
        case .stands(let notes): notes.isEmpty ? nil : notes.joined(separator: "; ")
        case .void(let void): void.words
        case .unknown(let why), .untold(let why): why
        }
    }
}

/// Why a receipt proves nothing any more.
package enum ReceiptVoid: Sendable, Equatable {
    case foreignWrites(ForeignWrites)
    /// The target index is not the one that was verified, or was put back to an earlier state.
    case replaced(index: String)
    /// A copy has written since, or is unfinished.
    case copied
    /// A repair has written since, or was broken off.
    case repaired
    /// The recipe says something else now.
    case otherWork
    /// An earlier look has found it void, in its words.
    case seen(String)

    package var words: String {
        switch self {
        case .foreignWrites(let writes): writes.words
        case .replaced(let index): "\(index) is not the index that was verified, or was put back to an earlier state"
        case .copied: "a copy has written to the new side since, or is unfinished"
        case .repaired: "a repair has written to the new side since, or was broken off"
        case .otherWork: "the receipt is of other work than the recipe says now"
        case .seen(let words): words
        }
    }
}

/// Writes to the new side that neither commands of the log nor Crossfade's own work explain.
package struct ForeignWrites: Sendable, Equatable {
    package struct Index: Sendable, Equatable {
        package var name: String
        /// Documents that somebody else has written.
        package var documents = 0
        /// Writes of which no document tells: deletes, and documents that were written again since.
        package var unseen = 0

        package init(name: String, documents: Int = 0, unseen: Int = 0) {
            (self.name, self.documents, self.unseen) = (name, documents, unseen)
        }
    }

    /// By the place of the entry; indices without any are left out.
    package var indices: [Int: Index] = [:]
    /// Some of the documents.
    package var examples: [DocumentKey] = []

    package init(indices: [Int: Index] = [:], examples: [DocumentKey] = []) {
        (self.indices, self.examples) = (indices, examples)
    }

    package var words: String {
        let parts = indices.sorted { $0.key < $1.key }.flatMap { entry, index -> [String] in
            var parts: [String] = []
            if index.documents > 0 {
                let ids = examples.filter { $0.entry == entry }.prefix(5).map { String(decoding: $0.id, as: UTF8.self) }
                let said = index.documents == 1 ? "document of \(index.name) was" : "documents of \(index.name) were"
                parts.append(
                    "\(index.documents) \(said) written by somebody else"
                        + (ids.isEmpty ? "" : ", such as \(ids.joined(separator: ", "))"))
            }
            if index.unseen > 0 {
                let writes = index.unseen == 1 ? "write" : "writes"
                parts.append(
                    "\(index.unseen) more \(writes) to \(index.name) than commands explain: deletes by somebody else, "
                        + "writes at a version that a command has given, or dead letters that were redriven and "
                        + "overwritten")
            }
            return parts
        }
        return "foreign writes: " + parts.joined(separator: "; ")
    }
}

/// Accounts for the writes to the new side since a receipt. The driver asks ``begin(_:_:)``, looks at what it is told
/// to, and gives what it has found to ``Look/end(_:)``.
package enum WriteAccount {
    /// What is known now.
    package struct Facts: Sendable {
        package struct Index: Sendable {
            package var name: String
            package var uuid: String?
            /// The greatest sequence number of each shard.
            package var sequence: [Int: Int64]

            package init(name: String, uuid: String?, sequence: [Int: Int64]) {
                (self.name, self.uuid, self.sequence) = (name, uuid, sequence)
            }
        }

        /// In the order of the receipt's.
        package var indices: [Index]
        package var fingerprint: String
        /// The first offset of each partition that the log still has.
        package var starts: [Int32: Int64]
        /// When the last copy ended; nil: there was none, or it is unfinished.
        package var copied: Int64?
        package var isCopyUnfinished = false
        /// When the last repair began; nil: there was none.
        package var repairBegan: Int64?
        package var isRepairUnfinished = false
        /// When tombstones were purged last; nil: never.
        package var purged: Int64?

        package init(indices: [Index], fingerprint: String, starts: [Int32: Int64]) {
            (self.indices, self.fingerprint, self.starts) = (indices, fingerprint, starts)
        }
    }

    package enum Begin: Sendable, Equatable {
        case over(ReceiptStanding)
        case look(Look)
    }

    /// What is to be looked at.
    package struct Look: Sendable, Equatable {
        package struct Shard: Sendable, Equatable {
            package var entry: Int
            package var shard: Int
            /// Documents with a sequence number above this one, up to `last`.
            package var after: Int64
            package var last: Int64

            package init(entry: Int, shard: Int, after: Int64, last: Int64) {
                (self.entry, self.shard, self.after, self.last) = (entry, shard, after, last)
            }
        }

        package var shards: [Shard]
        /// Commands from these offsets on may have written since.
        package var from: [Int32: Int64]
        fileprivate var names: [String]
        fileprivate var hasPurged: Bool
    }

    /// What was found of one index.
    package struct Found: Sendable, Equatable {
        /// Writes that commands since may have made, at most: those for documents that were written since.
        package var commanded = 0
        /// Documents that no command since has written, and that are as they should be all the same: the work of a
        /// replay, a redrive, a repair.
        package var right = 0
        /// Documents that nothing explains.
        package var foreign = 0

        package init(commanded: Int = 0, right: Int = 0, foreign: Int = 0) {
            (self.commanded, self.right, self.foreign) = (commanded, right, foreign)
        }
    }

    /// Whether a repair that began then is another one than the receipt's own, and has written behind its sequence
    /// numbers. Those of a receipt that goes on from another one are as old as that one's.
    private static func isOfAnother(_ began: Int64, _ receipt: Receipt) -> Bool {
        let isOwn = receipt.repair?.isPerformed == true && began >= receipt.began && began <= receipt.ended
        return !isOwn && began > receipt.sequenceRead ?? receipt.ended
    }

    package static func begin(_ receipt: Receipt, _ facts: Facts) -> Begin {
        if receipt.fingerprint != facts.fingerprint || receipt.indices.map(\.name) != facts.indices.map(\.name) {
            return .over(.void(.otherWork))
        }
        if facts.isCopyUnfinished || facts.copied.map({ $0 > receipt.began }) ?? false { return .over(.void(.copied)) }
        if facts.isRepairUnfinished || facts.repairBegan.map({ isOfAnother($0, receipt) }) ?? false {
            return .over(.void(.repaired))
        }
        var from: [Int32: Int64] = [:]
        for position in receipt.positions {
            guard let offset = position.writtenUpTo else {
                return .over(.unknown("the receipt does not say from where on commands may have written since"))
            }
            from[position.partition] = offset
        }
        var shards: [Look.Shard] = []
        for (entry, (before, now)) in zip(receipt.indices, facts.indices).enumerated() {
            if let uuid = before.uuid, let held = now.uuid, uuid != held {
                return .over(.void(.replaced(index: before.name)))
            }
            guard !before.sequence.isEmpty else {
                return .over(
                    .untold("foreign writes to \(before.name) cannot be looked at: it has no sequence numbers"))
            }
            for (shard, after) in before.sequence.sorted(by: { $0.key < $1.key }) {
                guard let last = now.sequence[shard], last >= after else {
                    return .over(.void(.replaced(index: before.name)))
                }
                if last > after { shards.append(.init(entry: entry, shard: shard, after: after, last: last)) }
            }
        }
        guard !shards.isEmpty else { return .over(.stands([])) }
        for (partition, start) in facts.starts.sorted(by: { $0.key < $1.key }) {
            guard start > from[partition] ?? 0 else { continue }
            return .over(
                .unknown(
                    "the commands since are not in the log any more: partition \(partition) begins at offset \(start), "
                        + "and they begin at \(from[partition] ?? 0)"))
        }
        return .look(
            Look(
                shards: shards, from: from, names: facts.indices.map(\.name),
                hasPurged: facts.purged.map { $0 >= receipt.began } ?? false))
    }
}

extension WriteAccount.Look {
    /// - Parameters:
    ///   - found: by the place of the entry.
    ///   - examples: some of the documents that nothing explains.
    package func end(_ found: [Int: WriteAccount.Found], examples: [DocumentKey] = []) -> ReceiptStanding {
        var writes = ForeignWrites(examples: examples)
        var notes: [String] = []
        for (entry, name) in names.enumerated() {
            let grown = shards.reduce(0) { $0 &+ ($1.entry == entry ? $1.last &- $1.after : 0) }
            let found = found[entry] ?? WriteAccount.Found()
            let balance = Int(clamping: grown) - found.commanded - found.right - found.foreign
            let unseen = max(0, balance)
            if balance < 0 {
                notes.append(
                    "\(-balance) commands for documents of \(name) have written nothing, because others of the same "
                        + "document came with them: as many deletes by somebody else would not be seen here")
            }
            var index = ForeignWrites.Index(name: name, documents: found.foreign)
            if unseen > 0, hasPurged {
                notes.append(
                    "\(unseen) more writes to \(name) than commands explain; tombstones were purged since, so it is "
                        + "not known whether somebody else has deleted documents, too")
            } else {
                index.unseen = unseen
            }
            if index.documents > 0 || index.unseen > 0 { writes.indices[entry] = index }
        }
        return writes.indices.isEmpty ? .stands(notes) : .void(.foreignWrites(writes))
    }
}
