import CommandLog
import Cutover
import Migration
import Parity
import Planning
import Recipe
import SearchCluster
import State

/// Asks for everything that must hold before a migration is finished. There is no way back from that.
struct FinishLook {
    let session: CutoverSession
    let status: Status
    /// What is to be deleted of the old side; nil: nothing.
    let old: OldSide?
    let isDry: Bool
    /// Gates that may fail.
    let overrides: Set<Gate.Name>
    private var recipe: Recipe { session.recipe }

    /// What of the gates of a rollover must hold here, too. Nobody follows any more, and the lag is judged by itself.
    private static let shared: Set<Gate.Name> = [
        .initialised, .confirmed, .indices, .copied, .replayed, .repaired, .deadLetters,
    ]

    func gates(_ state: MigrationState) throws -> [Gate] {
        var found = status.standing.gates(recipe: recipe.typed, fingerprint: status.prepared.fingerprint)
            .filter { Self.shared.contains($0.name) }
        found.append(GateLook(session: session, status: status).stateWrites())
        found.append(rolledOver(state))
        found += try aliases(state)
        found.append(try Self.members(state, session))
        found += try receipt(state)
        found += try handover()
        found += try GateLook(session: session, status: status).settings()
        found.append(try RightsGate.look(session, at: old == nil ? [.finish] : [.finish, .deleteOld]))
        if let old {
            // Watching takes long, and is for nothing where another gate stops the end.
            let isStopped = Gate.judged(found, overriding: overrides).contains { $0.verdict == .failed }
            found.append(try Self.gate(old, session, isDry: isDry || isStopped))
        }
        return found
    }

    private func rolledOver(_ state: MigrationState) -> Gate {
        do {
            try state.cutover.checkFinish()
            return .passed(.rolledOver, "all readers are on the new side")
        } catch {
            return .failed(.rolledOver, error.reason, mend: "crossfade rollover \(recipe.typed)")
        }
    }

    private func aliases(_ state: MigrationState) throws -> [Gate] {
        let found = try state.cutover.moved.compactMap { move -> Gate? in
            guard let words = try MisplacedAlias(move, session.target.writer)?.words else { return nil }
            return .failed(
                .aliases, words,
                mend: "move it by hand to where it belongs (POST /_aliases), or crossfade rollback \(recipe.typed)")
        }
        return found.isEmpty ? [.passed(.aliases, "the aliases stand on the new indices")] : found
    }

    static func members(_ state: MigrationState, _ session: CutoverSession) throws -> Gate {
        let alive = try LiveMembers(session.store, target: session.target, logger: session.logger).words(of: state)
        guard !alive.isEmpty else { return .passed(.members, "nobody works on the migration") }
        return .failed(.members, alive.joined(separator: "; "), mend: "stop it, then finish")
    }

    /// However old it is: what counts is that nobody else has written since. Where there are no commands, the
    /// application writes to the new index itself by now.
    private func receipt(_ state: MigrationState) throws -> [Gate] {
        // What was compared since says only what the application has written to the new side.
        if !recipe.hasCommands, let before = state.receiptOfRollover {
            return [.passed(.receipt, before.words(now: status.now) + ": with it the readers moved")]
        }
        guard let newest = state.newestReceipt(of: state.fingerprint) else {
            return [.nothingVerified(recipe: recipe.typed)]
        }
        let verify = "crossfade verify \(recipe.typed)"
        let told = newest.words(now: status.now)
        guard newest.verdict == .equal else { return [.failed(.receipt, told, mend: verify)] }
        guard recipe.hasCommands else { return [.passed(.receipt, told)] }
        return [
            .passed(.receipt, told),
            try GateLook(session: session, status: status).foreignWrites(newest.id, mend: verify),
        ]
    }

    /// Who goes on reading the topic, and where.
    private func handover() throws -> [Gate] {
        let follow = "crossfade follow \(recipe.typed)"
        guard recipe.hasCommands else { return [.passed(.lag, "not applicable: the recipe names no command topic")] }
        guard let group = recipe.cutover.handover else {
            guard let lag = status.standing.lag else {
                return [.failed(.lag, "the lag is unknown", mend: follow)]
            }
            guard lag > 0 else { return [.passed(.lag, "all records of the topic are applied")] }
            return [
                .failed(
                    .lag, "\(lag) records of the topic are not applied, and nobody takes them over",
                    mend: "name the consumer group of your new indexer in cutover.handover, or let the writers stop "
                        + "and \(follow)")
            ]
        }
        let admin = try LogAdmin(settings: recipe.kafkaSettings, log: session.logger.kafka)
        defer { admin.close() }
        if try admin.groupHasMembers(group) {
            return [
                .failed(
                    .handover, "group \(group) has members, so its offsets cannot be set",
                    mend: "stop the new indexer until finish is done")
            ]
        }
        if let without = Self.withoutOffset(session.prepared.survey) {
            return [
                .failed(
                    .handover, "our group has committed nothing in partition \(without)", mend: follow)
            ]
        }
        return [
            .passed(
                .handover,
                ApplicationGroup.handover(
                    group, hasCommitted: try handed(to: group, admin), groups: try? admin.groups())),
            .passed(.lag, "\(status.standing.lag ?? 0) records are left to group \(group)"),
        ]
    }

    private func handed(to group: String, _ admin: LogAdmin) throws -> Bool {
        let partitions = Array(session.prepared.survey.watermarks.keys)
        return try !admin.committed(group: group, topic: recipe.commands.topic, partitions: partitions).isEmpty
    }

    /// A partition that holds records and of which we have no offset.
    private static func withoutOffset(_ survey: Survey) -> Int32? {
        survey.watermarks.filter { $0.value.low < $0.value.high && survey.committed[$0.key] == nil }.keys.min()
    }

    /// Our group's offsets. A partition without any record is taken from its begin.
    static func offsets(_ survey: Survey) -> [Int32: Int64] {
        survey.watermarks.mapValues(\.low).merging(survey.committed) { $1 }
    }

    /// Whether the old indices may be deleted. Takes as long as they are watched.
    static func gate(_ old: OldSide, _ session: CutoverSession, isDry: Bool) throws -> Gate {
        guard session.isOneCluster else {
            return .failed(
                .oldSide, "the old indices are on the source, which Crossfade only reads", mend: "delete them yourself")
        }
        guard !old.places.isEmpty, old.places.allSatisfy({ $0.uuid != nil }) else {
            return .failed(.oldSide, "the rollover has not recorded which indices the readers left")
        }
        if let group = session.recipe.commands.applicationGroup {
            let admin = try LogAdmin(settings: session.recipe.kafkaSettings, log: session.logger.kafka)
            defer { admin.close() }
            if try admin.groupHasMembers(group) {
                return .failed(
                    .oldSide, "the old indexer (group \(group)) still runs", mend: "stop it, then finish")
            }
        }
        let objections = try old.objections()
        guard objections.isEmpty else { return .failed(.oldSide, objections.joined(separator: "; ")) }
        let limit = RecipeDuration.text(old.quietFor)
        let names = old.places.map(\.index).joined(separator: ", ")
        if isDry {
            return .passed(.oldSide, "\(names): nothing open; would be watched for \(limit) (cutover.quiet_for)")
        }
        if let why = try old.watch() {
            return .failed(.oldSide, why, mend: "find out who uses it, or leave --delete-old out")
        }
        return .passed(.oldSide, "nobody has used \(names) for \(limit)")
    }
}
