import Cutover
import Failures
import Foundation
import Migration
import Parity
import Planning
import Recipe
import SearchCluster
import State
import Telemetry

/// `rollover`: asks the gates, and moves the readers' aliases to the new indices.
package struct RolloverWork {
    /// What the command line says.
    package struct Options: Sendable {
        /// Aliases or target indices; nil: all.
        package var only: Set<String>?
        /// Gates that may fail, and why.
        package var overrides: Set<Gate.Name> = []
        package var why: String?
        /// The gates are asked, and nothing is moved.
        package var isDry = false
        /// The gates are asked again and again, so the new side need not be warm each time.
        package var isRepeated = false

        package init() {}
    }

    /// What came of it.
    package struct Result: Sendable {
        package var gates: [Gate]
        package var moves: [AliasMove] = []
        package var position: CutoverState.Position
        /// Nodes that search the new indices, and those that could not be asked.
        package var nodes: [String] = []
        package var unreachable: [String] = []
        /// What is left for people.
        package var remarks: [String] = []
        package var failed: [Gate] { gates.filter { $0.verdict == .failed } }
    }

    let session: CutoverSession
    let options: Options
    private var recipe: Recipe { session.recipe }

    package init(_ prepared: Preflight, options: Options, logger: Logger) {
        (session, self.options) = (CutoverSession(prepared, logger: logger), options)
    }

    /// A result with failed gates has moved nothing.
    package func run(letters: Status.Letters? = nil) throws -> Result {
        for _ in 0..<10 {
            let state = try session.reconciled()
            if let intent = state.cutover.intent {
                try AliasMover(session: session).settle(intent)
                continue
            }
            if let result = try run(state, letters) { return result }
        }
        throw WorkError(.state, "other processes keep moving the aliases: look who is at it (crossfade status)")
    }

    /// nil: another process was faster.
    private func run(_ state: MigrationState, _ letters: Status.Letters?) throws -> Result? {
        let look = try AliasLook.take(session, only: options.only)
        let decision: CutoverState.Decision
        do {
            decision = try state.cutover.rollover(look.moves)
        } catch {
            throw error.error
        }
        let moves: [AliasMove] = if case .begin(let moves) = decision { moves } else { [] }
        if moves.isEmpty, look.problems.isEmpty { return try over(state, look, []) }
        let status = try Status.look(recipe, for: .cutover, letters: letters, logger: session.logger)
        var gates = try GateLook(session: session, status: status).gates(state, look)
        gates = Gate.judged(gates, overriding: options.overrides)
        let skipsBefore = recipe.cutover.before != nil && options.overrides.contains(.before)
        if skipsBefore { gates.append(Gate(.before, .overridden, "cutover.before is left out")) }
        var result = Result(gates: gates, moves: moves, position: state.cutover.position)
        guard result.failed.isEmpty else { return result }
        // It is asked last, because it takes a while; and from then on the new side is searched until readers do.
        let warmer = Warmer(session.target.answering(withinSeconds: 30).reader, try Warmer.searches(session))
        warmer.start()
        defer { warmer.stop() }
        gates.append(warmer.gate(within: recipe.cutover.warm.within, isShort: options.isRepeated))
        gates = Gate.judged(gates, overriding: options.overrides)
        result.gates = gates
        guard result.failed.isEmpty, !options.isDry else { return result }
        if let words = recipe.cutover.before, !skipsBefore {
            try Hook(key: "cutover.before", words: words, timeout: recipe.cutover.timeout)
                .run(session.variables("rollover"))
        }
        try checkAgain(moves)
        try begin(look)
        if !session.isOneCluster { try ReadersMove(.rollover, session).announce() }
        guard try AliasMover(session: session).perform(.rollover, moves, notes: notes(gates)) else { return nil }
        return try over(try session.state(), look, gates, moved: moves, into: result)
    }

    /// The gates were asked a while ago: warming up and `cutover.before` take their time. Throws where readers would
    /// come to another index than was compared, or somebody has held the rollover back meanwhile.
    private func checkAgain(_ moves: [AliasMove]) throws {
        for place in moves.flatMap(\.to) {
            let now = try session.target.writer.indexUUID(place.index)
            guard now == nil || (place.uuid != nil && now != place.uuid) else { continue }
            throw WorkError(
                .refused,
                "the new index \(place.index) was \(now == nil ? "deleted" : "made again") while the gates were asked. "
                    + "Nothing was moved; `crossfade status \(recipe.typed)` says what to do")
        }
        guard !options.overrides.contains(.hold), let file = recipe.cutover.hold,
            FileManager.default.fileExists(atPath: file)
        else { return }
        throw WorkError(.refused, "\(file) holds the rollover back since the gates were asked. Nothing was moved")
    }

    /// The aliases that make the rollover complete.
    private func begin(_ look: AliasLook) throws {
        let all = try options.only == nil ? look : AliasLook.take(session, only: nil)
        let names = Set(all.moves.map(\.alias) + all.there)
        let theirs = session.prepared.survey.sourceAliases
        try session.store.update { state in
            // What the recipe does not name any more, and nobody moved, is not waited for.
            state.cutover.aliases = names.union(state.cutover.moved.map(\.alias)).sorted()
            state.cutover.leftBehind = session.isOneCluster ? [] : names.intersection(theirs).sorted()
        }
    }

    private func notes(_ gates: [Gate]) -> [String] {
        gates.filter { $0.verdict == .overridden }.map {
            "gate \($0.name.rawValue) overridden (\($0.text)): \(options.why ?? "")"
        }
    }

    /// The aliases are moved: looks whether that is so for everybody, and moves the readers of another cluster.
    private func over(
        _ state: MigrationState, _ look: AliasLook, _ gates: [Gate], moved: [AliasMove] = [], into: Result? = nil
    ) throws -> Result {
        var result = into ?? Result(gates: gates, position: state.cutover.position)
        let moves = state.cutover.moved
        let held = Set(moves.map(\.alias))
        if let alias = look.there.first(where: { !held.contains($0) }) {
            throw WorkError(
                .refused,
                "alias \(alias) stands on the new index, and no rollover put it there: move it back by hand, then run "
                    + "rollover, which can be undone")
        }
        try checkStanding(moves, moved)
        let nodes = try EveryNode.await(moves, session.target)
        (result.nodes, result.unreachable) = (nodes.asked, nodes.unreachable)
        if !moved.isEmpty { result.remarks += try writtenMeanwhile(state) }
        result.moves = moved
        if !session.isOneCluster, !options.isDry { try moveReaders(&result) }
        result.position = try options.isDry ? state.cutover.position : session.state().cutover.position
        if options.isDry, let due = state.cutover.openReaders {
            result.remarks.append("\(due.words); rollover runs it again")
        }
        return result
    }

    /// What was written to the old side after the gates were asked, in words: nothing brings it to the new one.
    private func writtenMeanwhile(_ state: MigrationState) throws -> [String] {
        guard !recipe.hasCommands, let newest = state.newestReceipt(of: state.fingerprint) else { return [] }
        let gate = try SourceWrites(session).gate(newest.id, session.newestReceipt(state), state)
        return gate.verdict == .passed ? [] : ["\(gate.text): look for it, or roll back"]
    }

    /// Throws if an alias does not stand where it was put. One that somebody else moved between our look and our
    /// request stands on two indices then, where the server does not know `must_exist`; ours is taken off it.
    private func checkStanding(_ moves: [AliasMove], _ fresh: [AliasMove]) throws {
        for move in moves {
            guard let found = try MisplacedAlias(move, session.target.writer) else { continue }
            guard fresh.contains(where: { $0.alias == move.alias }) else {
                throw WorkError(
                    .cluster,
                    "\(found.words). Move it by hand to where it belongs (POST /_aliases), or go back: crossfade "
                        + "rollback \(recipe.typed)")
            }
            _ = try AliasMover(session: session).perform(
                .rollback, [AliasMove(move.alias, from: move.to, to: [])],
                notes: ["somebody else moved \(move.alias) at the same time"])
            throw WorkError(
                .cluster,
                "somebody else moved alias \(move.alias) at the same time, so that it stood on "
                    + "\(found.indices.joined(separator: ", ")). It was taken "
                    + "off the new index again; look where it stands, then roll over again")
        }
    }

    private func moveReaders(_ result: inout Result) throws {
        do {
            let remark = try ReadersMove(.rollover, session).run()
            result.remarks.append(
                remark
                    ?? "the aliases are on the new cluster; now move the readers to it (cutover.command would do that)")
        } catch let error as WorkError {
            throw WorkError(
                error.code,
                "\(error.message). The aliases are on the new cluster, and the readers are not moved: run rollover "
                    + "again, or rollback")
        }
    }
}
