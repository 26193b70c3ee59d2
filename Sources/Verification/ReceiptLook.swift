import CommandLog
import Failures
import Foundation
import Migration
import Parity
import Pipeline
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

/// Finds out whether a receipt still stands, or whether somebody else has written to the new side since:
/// ``WriteAccount`` decides, this looks.
///
/// Documents with greater sequence numbers than the receipt's were written since. Each must have a version that a
/// command since has given it, or be what a repair would make of it. Deletes leave no document; they are found by the
/// numbers that nothing accounts for.
package struct ReceiptLook {
    /// Documents that are held at once.
    private static let together = 200_000
    /// More documents that were written since are not looked at.
    private static let most = 20_000_000
    /// Of more documents that no command explains, none is looked at by itself.
    private static let mostJudged = 100_000

    /// Where the new side stood at a look.
    package struct Mark: Sendable, Equatable {
        /// By entry: the greatest sequence number of each shard.
        package var sequences: [[Int: Int64]]
        /// Commands before these offsets were written before.
        package var written: [Int32: Int64]
    }

    private let prepared: Preflight
    private let groups: GroupReader
    private let logger: Logger
    private let log: LogTail
    private var reader: ClusterReader { prepared.survey.target.reader }

    /// `groups`: those of a comparison with the old side, if it may say what is right of documents that the log never
    /// names.
    package init(_ prepared: Preflight, groups: GroupReader, logger: Logger) {
        (self.prepared, self.groups, self.logger) = (prepared, groups, logger)
        log = LogTail(prepared, logger: logger)
    }

    /// Whether a receipt still says how the new side is, for commands that look at nothing else. Throws only after a
    /// signal.
    package static func standing(
        of receipt: Receipt, in receipts: ReceiptStore, _ recipe: Recipe, logger: Logger
    ) throws -> ReceiptStanding {
        do {
            if let why = try receipts.voided(receipt.id) { return .void(.seen(why)) }
            let prepared = try Preflight.prepare(recipe, for: .verifyLog, depth: .facts, logger: logger)
            let groups = try GroupReader(prepared, against: .log, logger: logger)
            defer { groups.close() }
            return try ReceiptLook(prepared, groups: groups, logger: logger).standing(receipt, in: receipts)
        } catch let error as WorkError where error.code == .interrupted {
            throw error
        } catch {
            return .unknown("\(error)")
        }
    }

    /// Whether the stored receipt stands. Once it is found void, it stays so: commands that come later may hide again
    /// what was seen. Throws only after a signal, or where files cannot be written.
    package func standing(_ receipt: Receipt, in receipts: ReceiptStore) throws -> ReceiptStanding {
        if let why = try receipts.voided(receipt.id) { return .void(.seen(why)) }
        let standing = try look(receipt).standing
        if case .void(.foreignWrites(let writes)) = standing { receipts.void(receipt.id, writes.words) }
        return standing
    }

    package func look(_ receipt: Receipt) throws -> (standing: ReceiptStanding, mark: Mark?) {
        do {
            let positions = try groups.look()
            let facts = try facts(positions)
            let mark = Mark(sequences: facts.indices.map(\.sequence), written: positions.written)
            switch WriteAccount.begin(receipt, facts) {
            case .over(let standing): return (standing, mark)
            case .look(let look): return (withoutAdopted(try account(look)), mark)
            }
        } catch let error as ClusterError {
            return (.unknown("\(error)"), nil)
        } catch let error as LogError {
            return (.unknown("\(error)"), nil)
        } catch let error as WorkError where error.code == .log {
            return (.unknown("\(error)"), nil)
        }
    }

    /// The application may write an index that was adopted.
    private func withoutAdopted(_ standing: ReceiptStanding) -> ReceiptStanding {
        guard case .void(.foreignWrites(let writes)) = standing, let adopted = prepared.survey.state?.adopted,
            writes.indices.values.allSatisfy({ adopted.contains($0.name) })
        else { return standing }
        return .stands(["the application writes \(adopted.sorted().joined(separator: ", ")), too (init --adopt)"])
    }

    private func facts(_ positions: GroupPositions) throws -> WriteAccount.Facts {
        let indices = try prepared.survey.entries.map { entry in
            var sequence: [Int: Int64] = [:]
            for copy in try reader.copies(entry.index) {
                guard let number = copy.sequence else { continue }
                sequence[copy.shard] = max(number, sequence[copy.shard] ?? number)
            }
            return WriteAccount.Facts.Index(name: entry.index, uuid: entry.uuid, sequence: sequence)
        }
        var facts = WriteAccount.Facts(
            indices: indices, fingerprint: prepared.fingerprint, starts: positions.starts)
        // As it is now: a repair may have ended since it was prepared.
        let state = try StateStore(target: prepared.survey.target, name: prepared.recipe.name).load()
        facts.copied = state?.copy?.finished
        facts.isCopyUnfinished = state?.copy.map { $0.finished == nil } ?? false
        facts.repairBegan = state?.repair?.started
        facts.isRepairUnfinished = state?.repair.map { $0.finished == nil } ?? false
        facts.purged = state?.purge.map { $0.record.underWaySince == nil ? $0.last : .max }
        return facts
    }

    // MARK: Accounting

    private func account(_ look: WriteAccount.Look) throws -> ReceiptStanding {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("crossfade-\(UUID().uuidString)", isDirectory: true)
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        defer { try? FileManager.default.removeItem(at: folder) }
        for entry in prepared.survey.entries { try prepared.survey.target.writer.refresh(entry.index) }
        var account = Account(
            left: try KeyFile(folder.appendingPathComponent("left")), folder: folder, from: look.from)
        var part = try Part(folder)
        for shard in look.shards {
            try read(shard) { key, version in
                try part.add(key, version)
                account.written += 1
                guard account.written <= Self.most else {
                    throw WorkError(
                        .log,
                        "more than \(Self.most) documents were written since the receipt (fixed limit receipt_writes); "
                            + "verify again")
                }
                guard part.hashes.count >= Self.together else { return }
                try explain(&part, &account)
                part = try Part(folder)
            }
        }
        try explain(&part, &account)
        let examples = try judge(&account)
        return look.end(account.found, examples: examples)
    }

    private struct Account {
        var found: [Int: WriteAccount.Found] = [:]
        /// Documents that no command since has written.
        var left: KeyFile
        let folder: URL
        let from: [Int32: Int64]
        var written = 0
    }

    /// Some of the documents that were written since.
    private struct Part {
        var file: KeyFile
        /// The greatest version of an id, by its hash, for those that no command has explained.
        var versions: [UInt64: Int64] = [:]
        /// The hashes of all of them.
        var hashes: Set<UInt64> = []

        init(_ folder: URL) throws { file = try KeyFile(folder.appendingPathComponent("part-\(UUID().uuidString)")) }

        mutating func add(_ key: DocumentKey, _ version: Int64) throws {
            try file.append(key)
            let hash = key.hash64
            versions[hash] = max(version, versions[hash] ?? version)
            hashes.insert(hash)
        }
    }

    /// Tells of the documents of a shard that were written since, with their versions.
    private func read(
        _ shard: WriteAccount.Look.Shard, _ told: (DocumentKey, Int64) throws -> Void
    ) throws {
        guard prepared.survey.entries.indices.contains(shard.entry) else {
            throw WorkError(
                .state,
                "the receipt is damaged: it names more indices than the recipe has. Run `crossfade verify` "
                    + "again")
        }
        let entry = prepared.survey.entries[shard.entry]
        let size = min(2000, entry.present?.maximumPage ?? 2000)
        var after = shard.after
        while after < shard.last {
            guard !StopSignal.isAsked else {
                throw WorkError(.interrupted, "interrupted while it was looked for foreign writes")
            }
            let page = try reader.written(
                entry.index, shard: shard.shard, after: after, upTo: shard.last, size: size)
            for document in page.documents {
                let key = DocumentKey(
                    entry: shard.entry, id: Array(document.id.utf8), routing: document.routing.map { Array($0.utf8) })
                try told(key, document.version ?? .max)
            }
            guard let last = page.last, last > after else { return }
            after = last
        }
    }

    /// Takes out the documents whose version a command since may have given them. A write by somebody else makes a
    /// version that is greater. Only commands for documents that were written since may have written: one that is not
    /// there any more, or was not written, says nothing for the number of writes.
    private func explain(_ part: inout Part, _ account: inout Account) throws {
        defer { part.file.remove() }
        guard !part.hashes.isEmpty else { return }
        var ranges: [Int32: Range<Int64>] = [:]
        for (partition, end) in try groups.look().ends {
            let from = account.from[partition] ?? 0
            if end > from { ranges[partition] = from..<end }
        }
        let stretch = try log.records(ranges, patience: 5000) { _, decoded, companions in
            guard case .operation(let operation) = decoded else { return }
            for key in log.keys(decoded, companions) {
                let hash = key.hash64
                guard part.hashes.contains(hash) else { continue }
                account.found[key.entry, default: .init()].commanded += 1
                if let version = part.versions[hash], version <= operation.version { part.versions[hash] = nil }
            }
        }
        guard stretch.isWhole else {
            throw WorkError(.log, "an open transaction hides the end of the command topic")
        }
        guard !part.versions.isEmpty else { return }
        try part.file.read(chunk: 10_000) { keys in
            for key in keys where part.versions[key.hash64] != nil { try account.left.append(key) }
        }
    }

    /// Of the documents that no command since has written, those that are as they should be are the work of a replay, a
    /// redrive or a repair. Returns some of the others.
    private func judge(_ account: inout Account) throws -> [DocumentKey] {
        guard account.left.count > 0 else { return [] }
        var examples: [DocumentKey] = []
        try account.left.read(chunk: 10_000) { keys in
            for key in keys { account.found[key.entry, default: .init()].foreign += 1 }
            examples += keys.prefix(max(0, 20 - examples.count))
        }
        guard account.left.count <= Self.mostJudged,
            let state = try StateStore(target: prepared.survey.target, name: prepared.recipe.name).load()
        else { return examples }
        var options = Settling.Options(prepared.recipe, folder: account.folder)
        options.limit = 20
        let report = try RepairWork(
            prepared, prepared.pipelinePlan(state: state, writing: .copy), groups: groups, options: options,
            trustsSource: false, logger: logger
        ).run(account.left, performing: false)
        for (entry, index) in report.indices {
            // What the topic says is right here, whatever the old side has.
            let right = index.right + (index.left[.logAgrees] ?? 0)
            account.found[entry, default: .init()].right += right
            account.found[entry, default: .init()].foreign -= right
        }
        return report.examples.filter { $0.step != RepairDoubt.logAgrees.rawValue }.map(\.key)
    }
}
