import CommandLog
import Cutover
import Failures
import Foundation
import JSONText
import Migration
import Parity
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Verification

/// Asks for everything that the gates of a rollover need.
struct GateLook {
    let session: CutoverSession
    let status: Status
    private var recipe: Recipe { session.recipe }
    private var writer: TargetWriter { session.target.writer }

    /// All gates but `before`, whose program runs last.
    func gates(_ state: MigrationState, _ aliases: AliasLook) throws -> [Gate] {
        var found = status.standing.gates(recipe: recipe.typed, fingerprint: status.prepared.fingerprint)
        found.append(stateWrites())
        found += aliases.problems
        if aliases.problems.isEmpty { found.append(.passed(.aliases, "the aliases stand on the old indices")) }
        let newest = try session.newestReceipt(state)
        if !found.contains(where: { $0.name == .receipt }) { found += try gates(of: newest, state) }
        if !found.contains(where: { $0.name == .foreignWrites }) {
            found.append(
                .passed(.foreignWrites, "not asked: only a receipt that proves something can say who has written since")
            )
        }
        found += try health()
        found += try settings()
        found += aliases.doubts.isEmpty ? try FilterGate(session: session).gates(aliases) : aliases.doubts
        found.append(try RightsGate.look(session, at: [.rollover]))
        found.append(try writers())
        found.append(wayBack(aliases.moves, comparedIn: newest))
        found += programs() + [hold()]
        let order = Dictionary(uniqueKeysWithValues: Gate.Name.allCases.enumerated().map { ($1, $0) })
        return found.enumerated().sorted {
            (order[$0.element.name] ?? 0, $0.offset) < (order[$1.element.name] ?? 0, $1.offset)
        }.map(\.element)
    }

    /// Each step is written down before it is taken.
    func stateWrites() -> Gate {
        guard let block = session.store.block() else { return .passed(.state, "the state index takes writes") }
        return .failed(.state, block.words, mend: block.mend)
    }

    private func gates(of receipt: Receipt?, _ state: MigrationState) throws -> [Gate] {
        let verify = "crossfade verify \(recipe.typed)"
        let limit = RecipeDuration.text(recipe.cutover.parityAge)
        guard let newest = state.newestReceipt(of: state.fingerprint) else {
            return [.nothingVerified(recipe: recipe.typed)]
        }
        let told = newest.words(now: status.now)
        guard newest.verdict == .equal else { return [.failed(.receipt, told, mend: verify)] }
        guard status.now - newest.oldestRead <= recipe.cutover.parityAge else {
            return [
                .failed(
                    .receipt, "\(told), older than \(limit) (cutover.parity_age)",
                    mend: recipe.hasCommands ? "\(verify) --since \(newest.id)" : verify)
            ]
        }
        return [
            .passed(.receipt, told), try foreignWrites(newest.id, mend: verify),
            try SourceWrites(session).gate(newest.id, receipt, state),
        ]
    }

    /// Whether somebody else has written to the new side since it was verified.
    func foreignWrites(_ id: String, mend: String) throws -> Gate {
        let receipts = ReceiptStore(session.store, target: session.target)
        guard try receipts.check(id) == .intact, let receipt = try receipts.load(id) else {
            return .failed(.foreignWrites, "receipt \(id) was changed or is gone", mend: mend)
        }
        switch try ReceiptLook.standing(of: receipt, in: receipts, recipe, logger: session.logger) {
        case .stands(let notes):
            let text = "nobody but Crossfade has written since receipt \(id)"
            return .passed(.foreignWrites, ([text] + notes).joined(separator: "; "))
        case .void(let void): return .failed(.foreignWrites, void.words, mend: mend)
        case .untold(let why):
            return .passed(.foreignWrites, "this server does not tell: \(why)")
        case .unknown(let why): return .failed(.foreignWrites, "it is not known who has written: \(why)", mend: mend)
        }
    }

    private func health() throws -> [Gate] {
        var found: [Gate] = []
        for entry in session.prepared.survey.entries where entry.exists && !entry.isClosed {
            let health = try writer.health(entry.index)
            guard health.status != .green else { continue }
            found.append(
                .failed(
                    .health,
                    "\(entry.index) is \(health.status.rawValue): \(health.unassignedShards) shards unassigned, "
                        + "\(health.initializingShards) starting, \(health.dataNodes) data nodes"))
        }
        return found.isEmpty ? [.passed(.health, "all target indices are green")] : found
    }

    /// Settings that a load is often done without, and those that searches run into.
    func settings() throws -> [Gate] {
        var found: [Gate] = []
        for entry in session.prepared.survey.entries where entry.exists && !entry.isClosed {
            for block in try session.target.reader.condition(of: entry.index)?.blocks ?? [] {
                found.append(
                    .failed(
                        .settings, "\(entry.index) is blocked (index.blocks.\(block)): searches or writes are refused",
                        mend: "PUT /\(entry.index)/_settings {\"index\": {\"blocks.\(block)\": null}}"))
            }
            let now = try writer.settings(entry.index)
            func change(_ name: String, _ value: String, _ why: String) {
                found.append(
                    .failed(
                        .settings, "\(entry.index) has \(name) \(ReadSettings.value(now, name) ?? "not set"): \(why)",
                        mend: "PUT /\(entry.index)/_settings {\"index\": {\"\(name)\": \"\(value)\"}}"))
            }
            let read = ReadSettings.findings(
                old: entry.source.map(\.settings), now: now, wanted: entry.settings)
            found += read.map { Self.gate($0, of: entry.index) }
            for name in ["refresh_interval", "number_of_replicas"] {
                let old = entry.source.lazy.compactMap { ReadSettings.value($0.settings, name) }.first
                let is_ = ReadSettings.value(now, name)
                if let asked = entry.settings.flatMap({ ReadSettings.value($0, name) }) {
                    // The recipe may ask for what suits a load; it says what the index is to have then.
                    if name == "refresh_interval", asked == "-1" { change(name, old ?? "1s", "searches see no writes") }
                    continue
                }
                switch name {
                case "refresh_interval" where is_ == "-1": change(name, old ?? "1s", "searches see no writes")
                case "number_of_replicas":
                    if let old, let before = OutsideNumber.count(text: old),
                        let count = is_.flatMap({ OutsideNumber.count(text: $0) }), count < before
                    {
                        change(name, old, "the old index has \(old)")
                    }
                default: break
                }
            }
        }
        return found.isEmpty
            ? [.passed(.settings, "refresh interval, replicas and what searches rely on are fit")] : found
    }

    private static func gate(_ found: ReadSettings.Finding, of index: String) -> Gate {
        let text =
            "\(index) has \(found.name) \(found.now ?? "not set"): the old index has \(found.old), and \(found.why)"
        // A list is written as it is, anything else as text.
        let value = found.old.hasPrefix("[") ? found.old : JSONValue.string(found.old).text()
        return .failed(
            .settings, text,
            mend: found.canBeSet
                ? "PUT /\(index)/_settings {\"index\": {\"\(found.name)\": \(value)}}"
                : "name it in indices.settings, with another `to`; who does without it says --override settings")
    }

    /// In one cluster: who writes through the alias that is moved.
    private func writers() throws -> Gate {
        guard session.isOneCluster else {
            return .passed(.writers, "the old indexer writes to the other cluster, and goes on")
        }
        switch recipe.cutover.writers {
        case nil:
            return .failed(
                .writers,
                "both sides are one cluster, and the recipe does not say where the old indexer writes",
                mend: "set cutover.writers: index if it writes to the old index by name, or alias if it writes through "
                    + "the alias")
        case .index: return .passed(.writers, "the old indexer writes to the old index by its name, and goes on")
        case .alias:
            guard recipe.hasCommands else {
                return .passed(.writers, "what is written through the alias goes to the new index from the rollover on")
            }
            guard let group = recipe.commands.applicationGroup else {
                return .failed(
                    .writers,
                    "the old indexer writes through the alias, and commands.application_group is not named, so nobody "
                        + "can see whether it still runs", mend: "name commands.application_group")
            }
            let admin = try LogAdmin(settings: recipe.kafkaSettings, log: session.logger.kafka)
            defer { admin.close() }
            guard try admin.groupHasMembers(group) else {
                return .passed(.writers, "the old indexer (group \(group)) has stopped")
            }
            return .failed(
                .writers,
                "the old indexer (group \(group)) still runs and writes through the alias: its writes have no "
                    + "versions and would land in the new index", mend: "stop it, then roll over")
        }
    }

    /// Whether the readers could go back, from the moment in which they move, to what was compared.
    ///
    /// - Parameter receipt: of the last comparison; nil: there was none.
    func wayBack(_ moves: [AliasMove], comparedIn receipt: Receipt?) -> Gate {
        let survey = session.prepared.survey
        guard survey.hasSource else { return .passed(.wayBack, "not applicable: the recipe names no old side") }
        // Where the old indexer must have stopped, its lag says nothing.
        let stops = session.isOneCluster && recipe.cutover.writers == .alias
        var back = WayBack.look(
            survey, recipe, from: moves.flatMap(\.from), runs: stops ? nil : applicationRuns())
        if stops { back.lag = nil }
        back.lookForRemade(since: receipt?.sourceIndices ?? [:], now: survey.sourceUUIDs)
        if back.reasons.isEmpty, let due = back.dues(now: WallClock.now()).first {
            return .failed(
                .wayBack, "the way back would end by itself: " + due,
                mend: "take the policy off, or go on all the same (--override way_back --why TEXT)")
        }
        guard back.reasons.isEmpty else {
            return .failed(
                .wayBack, "there would be no way back: " + back.reasons.joined(separator: "; "),
                mend: "see to the old side, or go on without a way back (--override way_back --why TEXT)")
        }
        return .passed(.wayBack, "the old indices are open and kept current")
    }

    /// Brokers that cannot say it, or may not, leave it unknown. The lag counts all the same.
    private func applicationRuns() -> Bool? {
        guard recipe.commands.applicationGroup != nil, session.prepared.survey.logUnknown == nil,
            let admin = try? LogAdmin(settings: recipe.kafkaSettings, log: session.logger.kafka)
        else { return nil }
        defer { admin.close() }
        return try? session.prepared.survey.applicationRuns(recipe, admin)
    }

    /// What cannot be started must not be found out after the aliases have moved.
    private func programs() -> [Gate] {
        let named = recipe.cutover.programs
        guard !named.isEmpty else { return [] }
        let failed = named.compactMap { key, words in
            UserProgram.problem(words).map {
                Gate.failed(.programs, "\(key): \($0.text)", mend: $0.mend)
            }
        }
        let names = named.map(\.key).joined(separator: " and ")
        return failed.isEmpty ? [.passed(.programs, "\(names) can be started")] : failed
    }

    func hold() -> Gate {
        guard let file = recipe.cutover.hold else { return .passed(.hold, "no hold file is named") }
        guard FileManager.default.fileExists(atPath: file) else { return .passed(.hold, "\(file) is not there") }
        return .failed(.hold, "\(file) holds the rollover back", mend: "delete it when nothing speaks against it")
    }
}
