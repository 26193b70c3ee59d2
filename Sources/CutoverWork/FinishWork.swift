import Cutover
import Failures
import Foundation
import JSONText
import Migration
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry
import Verification

/// `finish`: the point from which there is no way back. Takes everything away that Crossfade has on the servers, and
/// leaves the new indices as the application wants them.
///
/// The end is written into the state before its first step, and each step after it was taken. So an end that was broken
/// off anywhere goes on when the command runs again.
package struct FinishWork {
    package struct Options: Sendable {
        /// Gates that may fail, and why.
        package var overrides: Set<Gate.Name> = []
        package var why: String?
        /// The gates are asked, and what would be done is listed.
        package var isDry = false
        package var keepsGroup = false
        /// The dead-letter topic is deleted, too, although it holds letters.
        package var deletesDeadLetters = false
        package var deletesOld = false
        /// The file for the archive; nil: a standard name in the present folder.
        package var archive: String?

        package init() {}
    }

    package struct Result: Sendable {
        package var gates: [Gate] = []
        /// What was done, or would be done.
        package var done: [String] = []
        package var kept: [String] = []
        package var archive: String?
        /// There is no such migration.
        package var isNothing = false
        package var failed: [Gate] { gates.filter { $0.verdict == .failed } }
    }

    let session: CutoverSession
    let options: Options
    private var recipe: Recipe { session.recipe }

    package init(_ prepared: Preflight, options: Options, logger: Logger) {
        (session, self.options) = (CutoverSession(prepared, logger: logger), options)
    }

    /// A result with failed gates has changed nothing.
    package func run() throws -> Result {
        var result = Result()
        guard let found = try session.store.load() else {
            result.isNothing = true
            return result
        }
        if let intent = found.cutover.intent, !options.isDry { try AliasMover(session: session).settle(intent) }
        let state = found.cutover.end == .finished ? found : try session.reconciled()
        let old = OldSide(session, state.cutover.moved)
        result.gates = try Gate.judged(gates(state, old), overriding: options.overrides)
        let file = ArchiveFile(
            options.archive ?? state.cutover.ending?.archive ?? ArchiveFile.standard(recipe.name))
        result.archive = file.path
        guard result.failed.isEmpty else { return result }
        try file.check(migration: state.name, created: state.created)
        let asked = try steps()
        if options.isDry { return try planned(state, asked, result) }
        let begun = try begin(state, file, result.gates)
        try file.write(archive(begun, deeds: []))
        try take(asked, old, &result)
        result.kept += try keeps(begun, asked)
        try file.write(archive(try session.state(), deeds: result.done + result.kept.map { "kept \($0)" }))
        try session.target.writer.deleteIndex(session.store.index)
        result.done.append("removed index \(session.store.index)")
        return result
    }

    /// All of them before the end has begun. After that, what can still stop a step.
    private func gates(_ state: MigrationState, _ old: OldSide) throws -> [Gate] {
        let done = Set(state.cutover.ending?.done ?? [])
        let old = options.deletesOld && !done.contains(.oldSide) ? old : nil
        guard state.cutover.end != .finished else {
            var left: [Gate] = []
            if !done.contains(.members) { left.append(try FinishLook.members(state, session)) }
            if let old { left.append(try FinishLook.gate(old, session, isDry: options.isDry)) }
            return left
        }
        let status = try Status.look(recipe, for: .cutover, logger: session.logger)
        return try FinishLook(
            session: session, status: status, old: old, isDry: options.isDry, overrides: options.overrides
        ).gates(state)
    }

    /// The steps that are asked for.
    private func steps() throws -> Set<Ending.Step> {
        var asked: Set<Ending.Step> = [.members, .writes, .tombstones, .readers]
        if recipe.cutover.handover != nil { asked.insert(.handover) }
        if !options.keepsGroup { asked.insert(.group) }
        if options.deletesOld { asked.insert(.oldSide) }
        if let records = try leftovers.deadLetterRecords(), records == 0 || options.deletesDeadLetters {
            asked.insert(.deadLetters)
        }
        return asked
    }

    private var leftovers: LogLeftovers { LogLeftovers(recipe: recipe, logger: session.logger) }

    private func begin(_ state: MigrationState, _ file: ArchiveFile, _ gates: [Gate]) throws -> MigrationState {
        let isNew = state.cutover.end != .finished
        let ending = Ending(
            by: session.by, began: WallClock.now(), archive: file.path,
            offsets: FinishLook.offsets(session.prepared.survey))
        // Before anything: an archive that cannot be written must not stop an end that has begun.
        if isNew { try file.write(archive(state, deeds: [])) }
        let begun = try session.store.update { state in
            do {
                _ = try state.cutover.beginEnd(ending)
            } catch let refusal as CutoverRefusal {
                throw refusal.error
            }
        }
        let notes = gates.filter { $0.verdict == .overridden }.map {
            "gate \($0.name.rawValue) overridden (\($0.text)): \(options.why ?? "")"
        }
        if isNew { session.tell(.finishBegun, notes.joined(separator: "; ")) }
        return begun
    }

    private func take(_ asked: Set<Ending.Step>, _ old: OldSide, _ result: inout Result) throws {
        var state = try session.state()
        for step in state.cutover.ending?.left(of: asked) ?? [] {
            guard !StopSignal.isAsked else {
                throw WorkError(.interrupted, "interrupted before the end: run finish again, which completes it")
            }
            // Somebody may have come back since they were watched.
            if step == .oldSide, let why = try old.objections().first {
                throw WorkError(
                    .refused, "\(why). All else is done; run finish again, with --delete-old or without it")
            }
            let steps = FinishSteps(session: session, state: state, offsets: state.cutover.ending?.offsets ?? [:])
            result.done += try steps.take(step).map(\.did)
            state = try session.store.update { $0.cutover.ending?.complete(step, of: asked) }
        }
        session.tell(.finished, result.done.joined(separator: "; "))
    }

    private func planned(_ state: MigrationState, _ asked: Set<Ending.Step>, _ into: Result) throws -> Result {
        var result = into
        let offsets = state.cutover.ending?.offsets ?? FinishLook.offsets(session.prepared.survey)
        let steps = FinishSteps(session: session, state: state, offsets: offsets)
        let left = state.cutover.ending?.left(of: asked) ?? Ending.Step.allCases.filter(asked.contains)
        for step in left { result.done += try steps.look(step).map(\.would) }
        result.done.append("archive the state and all receipts to \(into.archive ?? "")")
        result.done.append("remove index \(session.store.index)")
        result.kept = try keeps(state, asked)
        return result
    }

    /// What stays, and how it would not.
    private func keeps(_ state: MigrationState, _ asked: Set<Ending.Step>) throws -> [String] {
        var kept: [String] = []
        if !asked.contains(.group) { kept.append("consumer group \(recipe.commands.group) (--keep-group)") }
        if !asked.contains(.deadLetters), let records = try leftovers.deadLetterRecords() {
            kept.append("topic \(recipe.deadLetterTopic): it holds \(records) records (--delete-dead-letters)")
        }
        let environment = ProcessInfo.processInfo.environment
        if let folder = recipe.verify.folder ?? recipe.defaultFolder(environment),
            FileManager.default.fileExists(atPath: folder)
        {
            kept.append("the folder \(folder) on this machine, in which `verify` worked: delete it when you like")
        }
        let old = OldSide(session, state.cutover.moved)
        if session.isOneCluster {
            let done = state.cutover.ending?.done.contains(.oldSide) == true
            if !asked.contains(.oldSide), !done {
                kept += try old.present().map { "the old index \($0.index) (--delete-old)" }
            }
        } else {
            kept.append("everything on the source: Crossfade only reads there")
        }
        kept.append(
            "the fields crossfade_deleted and crossfade_deleted_at in the mapping of the new indices: no document has "
                + "them any more, and a cluster never takes a field out of a mapping")
        return kept
    }

    private func archive(_ state: MigrationState, deeds: [String]) throws -> JSONValue {
        let receipts = ReceiptStore(session.store, target: session.target)
        let history = try HistoryStore(session.store, target: session.target, logger: session.logger).load()
        return [
            "archive": 1, "migration": .string(state.name), "written": .number(WallClock.now()),
            "by": .string(session.by), "target": .string(session.target.name),
            "done": .array(deeds.map { .string($0) }),
            "receipts": .array(try state.receipts.compactMap { try receipts.load($0.id)?.json }),
            "history": .array(history.events.map(\.json)), "state": state.json,
        ]
    }
}
