import Failures
import Foundation
import JSONText
import Migration
import Parity
import Pipeline
import Planning
import Recipe
import Runtime
import State
import Telemetry

/// The work of `verify`: scans both sides, adds what commands have named since, judges these documents one by one, and
/// stores a receipt. docs/verify.md has the reasons.
package struct VerifyWork {
    let live: LiveWork
    let options: VerifyOptions
    var prepared: Preflight { live.prepared }
    var recipe: Recipe { live.prepared.recipe }
    var logger: Logger { live.events.logger }

    /// Rails that do not concern a verification, which writes nothing and reads the log only from where both groups
    /// stand.
    package static let unneeded: Set<String> = [
        "copy_deaths", "command_deaths", "log_start", "log_reach", "start_partitions",
    ]

    package init(_ live: LiveWork, options: VerifyOptions) { (self.live, self.options) = (live, options) }

    /// What is looked at before it begins. Throws when it may not begin.
    package static func prepared(
        _ recipe: Recipe, options: VerifyOptions, confirmation: String?, logger: Logger
    ) throws -> Preflight {
        let prepared = try Preflight.prepare(
            recipe, for: options.against == .log ? .verifyLog : .verify, depth: .facts,
            clients: LogClients(recipe, logger), logger: logger)
        try prepared.passRails(except: unneeded)
        try prepared.checkConfirmed(confirmation)
        return prepared
    }

    /// Throws a `WorkError` of the code `interrupted` after a signal.
    package func run() throws -> Receipt {
        let store = StateStore(target: prepared.survey.target, name: recipe.name)
        guard let state = prepared.survey.state else {
            throw WorkError(.state, "the migration \(recipe.name) has no state: run init first")
        }
        live.knows(state)
        // Two of one migration would only do the same twice. What one holds that was killed, the next one takes.
        let claim = try WorkClaim("verify", prepared, logger: logger)
        _ = try store.update { try claim.take(&$0) }
        defer { claim.giveBack(store) }
        let receipts = ReceiptStore(store, target: prepared.survey.target)
        let (base, leftOut) = try base(state, receipts)
        let heart = MemberHeartbeat(
            "verify", nil, watch: nil, fingerprint: prepared.fingerprint, store: store, target: prepared.survey.target,
            seen: { [live] in live.sees(members: $0) }, stage: { [live] in live.stage })
        heart.start()
        defer { heart.stop() }
        let folder = try WorkFolder(recipe, environment: ProcessInfo.processInfo.environment)
        defer { folder.close() }
        var receipt = begin(since: base, remarks: leftOut)
        let progress = Migration.Progress("verify", logger: logger)
        var settings = Settling.Options(recipe, folder: folder.url)
        settings.stopAfter = options.stopAfter
        let groups = try GroupReader(prepared, against: options.against, logger: logger)
        defer { groups.close() }
        // Before the work of a comparison that it would make useless.
        if options.repair == .written { try prepared.passRails(except: Self.unneeded) }
        if options.repair != .none { try checkDirection(state, groups) }
        if let words = leftBehind(state) { receipt.remarks.append(words) }
        let comparison = Comparison(
            self, plan: prepared.pipelinePlan(state: state, writing: .copy), groups: groups, options: settings,
            progress: progress)
        if let base {
            let look = ReceiptLook(prepared, groups: groups, logger: logger)
            receipt.remarks += try Self.check(base, look, receipts, recipe: recipe.typed)
        }
        // Before the sides are refreshed: then the scans see all that was applied by now.
        let positions = try groups.begin(grace: settings.book.grace)
        let lookedAt = WallClock.now()
        if options.trustsSource { try RepairWork.checkTrust(positions, gone: goneSources) }
        warn(needs(positions))
        receipt.sourceWritten = sourceWritten()
        receipt.remarks += try refresh(comparison.sides)
        let (counted, details) = try figures(comparison.sides)
        defer { details.end(seconds: 30) }
        receipt.indices = counted
        let scanned = try base.map(comparison.since) ?? comparison.whole(state, receipt, positions)
        defer { scanned.candidates.remove() }
        // Before a repair changes them.
        try details.value().map { (receipt.indices, receipt.remarks) = ($0.indices, receipt.remarks + $0.remarks) }
        let found = try comparison.settle(scanned)
        defer { for result in found.results { result.remove() } }
        progress.end()
        try complete(&receipt, scanned, found, comparison, groups, since: (positions, lookedAt))
        let stored = try receipts.save(receipt)
        remember(stored)
        // What was read is used up: the next verification begins anew.
        scanned.forget?()
        return stored
    }

    /// What came of the comparison. `begin`: where both groups stood when it began, and when that was.
    private func complete(
        _ receipt: inout Receipt, _ scanned: Comparison.Scanned, _ found: Comparison.Settled, _ comparison: Comparison,
        _ groups: GroupReader, since begin: (positions: GroupPositions, at: Int64)
    ) throws {
        let settled = found.results
        (receipt.repair, receipt.rechecks) = (found.repair, settled[0].rechecks)
        if found.repair?.isPerformed == true { try recount(&receipt, comparison.sides) }
        receipt.meanwhile = settled.last?.positions?.commands(since: begin.positions) ?? 0
        try conclude(&receipt, scanned, settled, comparison, groups, begun: begin.positions)
        receipt.ended = WallClock.now()
        note(
            &receipt, groups, before: begin.positions, now: settled.last?.positions,
            seconds: (receipt.ended - begin.at) / 1000)
    }

    /// A repair has written to the new side. Where that, commands and nothing else explain what was written so far, a
    /// later look for foreign writes begins here.
    private func restart(_ receipt: inout Receipt, _ groups: GroupReader) throws {
        receipt.ended = WallClock.now()
        let looked = try ReceiptLook(prepared, groups: groups, logger: logger).look(receipt)
        guard case .stands = looked.standing, let mark = looked.mark else {
            receipt.remarks += looked.standing.words.map { [$0] } ?? []
            return
        }
        for (place, sequence) in mark.sequences.enumerated() where receipt.indices.indices.contains(place) {
            receipt.indices[place].sequence = sequence
        }
        receipt.sequenceRead = receipt.ended
        for place in receipt.positions.indices {
            receipt.positions[place].writtenUpTo = mark.written[receipt.positions[place].partition]
        }
    }

    /// Adds what was found, and the verdict.
    private func conclude(
        _ receipt: inout Receipt, _ scanned: Comparison.Scanned, _ settled: [SettlingResult], _ comparison: Comparison,
        _ groups: GroupReader, begun: GroupPositions
    ) throws {
        receipt.fill(scanned, settled, begun: begun, reportLimit: recipe.verify.reportLimit)
        if settled.count > 1 { try restart(&receipt, groups) }
        try receipt.keepOpen((settled.count > 1 ? [] : [settled[0].wrong]) + settled.dropFirst().map(\.wrong))
        try receipt.keepOpen(settled.map(\.open))
        receipt.sample = try sample(comparison.plan, comparison.sides, salt: comparison.salt)
        receipt.judge(
            Receipt.Judging(
                isWhole: isWhole(scanned, receipt),
                isKnown: scanned.isKnown && !settled.contains(where: \.isUnknown),
                acceptsEmpty: recipe.verify.empty == .accept,
                emptyEntries: Set(prepared.survey.entries.indices.filter { entryAcceptsEmpty($0) }),
                acceptsUncopied: recipe.verify.uncopied == .accept))
        if receipt.verdict == .equal, settled.count == 1 { try lookBack(&receipt, groups) }
    }

    private func entryAcceptsEmpty(_ number: Int) -> Bool {
        prepared.survey.entries[number].recipe.empty == .accept
    }

    /// What was rewritten after it was read is not as the comparison says.
    private func lookBack(_ receipt: inout Receipt, _ groups: GroupReader) throws {
        receipt.ended = WallClock.now()
        let standing = try ReceiptLook(prepared, groups: groups, logger: logger).look(receipt).standing
        guard case .void(.foreignWrites(let writes)) = standing else { return }
        receipt.verdict = .incomplete
        for place in receipt.indices.indices where writes.indices[place] != nil {
            receipt.indices[place].verdict = .incomplete
        }
        receipt.remarks.append("while it was compared, there were \(writes.words). Verify again")
    }

    /// Once the readers have moved, an old side whose indexer nobody can ask proves nothing.
    private func checkDirection(_ state: MigrationState, _ groups: GroupReader) throws {
        guard options.against == .source, state.cutover.position.isOver,
            try groups.look().application == nil
        else { return }
        guard recipe.hasCommands else {
            throw WorkError(
                .refused,
                "readers are on the new side, and the application writes there: the old side is no reference any more, "
                    + "and a repair would put back what it last had. To look at the difference, verify without "
                    + "--repair; `crossfade finish` goes by the receipt with which the readers moved")
        }
        throw WorkError(
            .refused,
            "readers are on the new side, and it is not known whether the application still writes to the old one "
                + "(commands.application_group is not named): a repair would put back what the old side last had. "
                + "Repair with --against log")
    }

    /// Without commands, nothing keeps the old side current once the readers have moved.
    private func leftBehind(_ state: MigrationState) -> String? {
        guard !recipe.hasCommands, options.against == .source, state.cutover.position.isOver else { return nil }
        return "the readers are on the new side, and nothing keeps the old one current: it is no reference any more. "
            + "What the application has written since is extra or different here, and no fault. `crossfade finish` "
            + "goes by the receipt with which the readers moved"
    }

    private func isWhole(_ scanned: Comparison.Scanned, _ receipt: Receipt) -> Bool {
        // What was found is final, although there may be more. Nothing found proves nothing then.
        let isStopped = scanned.hasStopped && receipt.totals.wrong == 0
        return scanned.isWhole && goneSources.isEmpty && freshSources.isEmpty && !isStopped
    }

    /// Source indices of the migration that nobody can look into any more. What they held was not compared.
    private var goneSources: [String] {
        options.against == .source ? prepared.survey.entries.flatMap(\.scope.gone) : []
    }

    /// Source indices that match `from` and were never confirmed. What they hold was not compared.
    private var freshSources: [String] {
        options.against == .source ? prepared.survey.freshIndices : []
    }

    /// The receipt to go on from, nil where everything is compared; and what is to be said of others.
    private func base(
        _ state: MigrationState, _ receipts: ReceiptStore
    ) throws -> (receipt: Receipt?, remarks: [String]) {
        guard let text = options.since else { return (nil, []) }
        guard text == "last" else { return (try earlier(try id(text, state), receipts), []) }
        var remarks: [String] = []
        for entry in state.receipts.usable(of: prepared.fingerprint, basis: options.against) {
            guard !StopSignal.isAsked else {
                throw WorkError(.interrupted, "interrupted before anything was compared")
            }
            if try receipts.check(entry) == .intact { return (try earlier(entry.id, receipts), remarks) }
            remarks.append("receipt \(entry.id) was changed or is gone, so an older one was gone on from")
        }
        let none = remarks.isEmpty ? "there is no receipt of this work" : "no receipt of this work is as it was written"
        throw WorkError(.state, "\(none), so nothing can go on from one: verify everything")
    }

    /// The id of the receipt that `--since` names: an id, or how one begins.
    private func id(_ text: String, _ state: MigrationState) throws -> String {
        switch state.receipts.named(text) {
        case .one(let id): return id
        case .none: return text
        case .several(let ids):
            throw WorkError(.state, "several receipts begin with \(text): \(ids.joined(separator: ", "))")
        }
    }

    /// The receipt to go on from. Throws where nothing can.
    private func earlier(_ id: String, _ receipts: ReceiptStore) throws -> Receipt {
        let check = try receipts.check(id)
        guard check == .intact, let receipt = try receipts.load(id) else {
            throw WorkError(
                .state,
                "there is no receipt \(id) to go on from, or it was changed: `crossfade receipts check` says of each. "
                    + "Go on from another, or verify everything")
        }
        guard receipt.fingerprint == prepared.fingerprint, receipt.basis == options.against else {
            throw WorkError(
                .refused,
                "receipt \(id) is of other work or of another comparison, so nothing can go on from it: verify "
                    + "everything")
        }
        guard receipt.namesAllOpen else {
            throw WorkError(
                .refused,
                "receipt \(id) does not say of every document how it stands "
                    + "(\(receipt.hasStopped ? "it stopped early" : receipt.verdict.rawValue)), so nothing can go on "
                    + "from it: verify everything")
        }
        return receipt
    }

    /// Throws where more was written to the new side since the receipt than commands tell: nobody knows what else is
    /// to be compared. Returns what was not seen.
    private static func check(
        _ base: Receipt, _ look: ReceiptLook, _ receipts: ReceiptStore, recipe: String
    ) throws -> [String] {
        switch try look.standing(base, in: receipts) {
        case .stands(let notes): return notes
        case .unknown(let why), .untold(let why):
            return ["whether somebody else has written since receipt \(base.id) is not known: \(why)"]
        case .void(let void):
            throw WorkError(
                .refused,
                "nothing can go on from receipt \(base.id), which proves nothing any more: \(void.words). Verify "
                    + "everything (`crossfade verify \(recipe)`), or go on from a newer receipt")
        }
    }

    // MARK: Parts

    /// How far the old indices are written, where no commands tell it. What comes later may be in the comparison or
    /// not.
    private func sourceWritten() -> [WriteMark]? {
        guard !recipe.hasCommands else { return nil }
        do {
            return try prepared.survey.writeMarks()
        } catch {
            logger.warning("it is not known how far the old indices are written", ["error": "\(error)"])
            return nil
        }
    }

    private func remember(_ receipt: Receipt) {
        prepared.record(
            .verified,
            "receipt \(receipt.id): \(receipt.verdict.rawValue), \(receipt.totals.compared) documents compared, "
                + "\(receipt.totals.wrong) wrong", logger: logger)
    }

    private func begin(since base: Receipt?, remarks: [String]) -> Receipt {
        let survey = prepared.survey
        let now = WallClock.now()
        var receipt = Receipt(
            id: ReceiptID.make(now, random: .random(in: 0...UInt64.max)), migration: recipe.name, version: live.version,
            fingerprint: prepared.fingerprint,
            basis: options.against, target: Receipt.Side(name: survey.target.name, uuid: survey.target.permanentID),
            topic: recipe.commands.topic, began: now)
        receipt.remarks = remarks
        receipt.source = survey.source.map { Receipt.Side(name: $0.name, uuid: $0.permanentID) }
        receipt.topicID = survey.topic.topicID
        if options.against == .source { receipt.sourceIndices = survey.sourceUUIDs }
        if let adopted = survey.state?.adopted, !adopted.isEmpty {
            receipt.remarks.append(
                "\(adopted.sorted().joined(separator: ", ")) was there before init and was adopted: the application "
                    + "writes it, too, so that a document may be newer there")
        }
        if !goneSources.isEmpty {
            receipt.remarks.append(
                "\(goneSources.joined(separator: ", ")) of the old side was copied, and is not behind `from` any more, "
                    + "so it was not compared. If that is right, confirm the rest: `crossfade copy`")
        }
        if !freshSources.isEmpty {
            let names = freshSources.joined(separator: ", ")
            receipt.remarks.append(
                "\(names) of the old side matches `from` and is not part of the migration: neither copied nor compared."
                    + " To take it in: `crossfade copy`. If it is not meant, name the indices in `from`")
        }
        receipt.since = base?.id
        return receipt
    }

    /// What both sides say of themselves. What must be known before documents are read is known when it returns.
    private func figures(
        _ sides: ScanSides
    ) throws -> (counted: [Receipt.Index], details: Beside<(indices: [Receipt.Index], remarks: [String])>) {
        var figures = IndexFigures(sides)
        let counted = try figures.counts()
        let details = Beside("cf-figures") { [figures, histogram = recipe.verify.histogram] in
            var (figures, indices) = (figures, counted)
            figures.addDetails(&indices, histogram: histogram)
            return (indices: indices, remarks: figures.remarks)
        }
        return (counted, details)
    }

    /// Counts fields and dates again, which a repair has changed.
    private func recount(_ receipt: inout Receipt, _ sides: ScanSides) throws {
        _ = try refresh(sides)
        var figures = IndexFigures(sides)
        for place in receipt.indices.indices {
            (receipt.indices[place].fields, receipt.indices[place].histogram) = ([], [])
        }
        figures.addDetails(&receipt.indices, histogram: recipe.verify.histogram)
        receipt.remarks += figures.remarks
    }

    /// Makes visible to searches what was applied before the positions that were asked before. Returns what could not
    /// be, in words.
    private func refresh(_ sides: ScanSides) throws -> [String] {
        for entry in sides.entries { try prepared.survey.target.writer.refresh(entry.index) }
        guard let source = sides.source else { return [] }
        return try SourceRefresh(reader: source.reader, logger: logger, accepts: recipe.accepts("source_refresh"))
            .run(sides.entries.flatMap(\.source))
            .map {
                "the source index \($0) is never refreshed, and we may not do it: documents that no search shows were "
                    + "not compared"
            }
    }
}
