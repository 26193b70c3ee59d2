import Cutover
import Failures
import Migration
import Planning
import Recipe
import SearchCluster
import State
import Telemetry

/// `rollback`: moves the readers' aliases back to the old indices, in one request.
package struct RollbackWork {
    package struct Options: Sendable {
        /// Aliases; nil: all that were moved.
        package var only: Set<String>?
        /// What the old side lacks is given up.
        package var acceptsLoss = false
        /// Between two clusters without `cutover.command`: people have moved the readers back already.
        package var readersMoved = false

        package init() {}
    }

    package struct Result: Sendable {
        package var moves: [AliasMove] = []
        package var position: CutoverState.Position
        package var nodes: [String] = []
        package var unreachable: [String] = []
        package var remarks: [String] = []
    }

    /// What the old side lacks. `lost`: documents that are older there or not there, and what is known of them.
    package typealias Compare = (MigrationState) throws -> (lost: Int, text: String)

    let session: CutoverSession
    let options: Options
    private var recipe: Recipe { session.recipe }

    package init(_ prepared: Preflight, options: Options, logger: Logger) {
        (session, self.options) = (CutoverSession(prepared, logger: logger), options)
    }

    /// - Parameter compare: looks on both sides at what the log has named since the rollover.
    package func run(compare: Compare) throws -> Result {
        for _ in 0..<10 {
            let state = try session.reconciled()
            if let intent = state.cutover.intent {
                try AliasMover(session: session).settle(intent)
                continue
            }
            let decision: CutoverState.Decision
            do {
                decision = try state.cutover.rollback(try only(state))
            } catch let error as CutoverRefusal {
                throw error.error
            }
            guard case .begin(let moves) = decision else {
                return try over(state, [], Result(position: state.cutover.position))
            }
            if let result = try run(state, moves, compare) { return result }
        }
        throw WorkError(.state, "other processes keep moving the aliases: look who is at it (crossfade status)")
    }

    /// The aliases that `--only` names, by themselves or by a new index; nil: all.
    private func only(_ state: MigrationState) throws -> Set<String>? {
        guard let names = options.only else { return nil }
        let moved = state.cutover.moved
        let known = Set(moved.flatMap { [$0.alias] + $0.to.map(\.index) } + state.cutover.aliases)
        if let unknown = names.subtracting(known).sorted().first {
            let these = known.isEmpty ? "no alias was moved" : "these are: " + known.sorted().joined(separator: ", ")
            throw WorkError(
                .recipe, "\(unknown) is neither an alias that was moved nor a new index behind one; \(these)")
        }
        return Set(moved.filter { !names.isDisjoint(with: [$0.alias] + $0.to.map(\.index)) }.map(\.alias))
    }

    /// nil: another process was faster.
    private func run(_ state: MigrationState, _ held: [AliasMove], _ compare: Compare) throws -> Result? {
        try checkOldSide(held)
        let moves = try held.map(present)
        var notes: [String] = []
        if options.acceptsLoss {
            notes.append("what the old side lacks was given up (--accept-loss)")
        } else {
            try checkComparable(held, state)
            let found = try compare(state)
            guard found.lost == 0 else {
                throw WorkError(
                    .refused,
                    "the old side lacks what was written since the rollover, or nobody can tell: \(found.text). "
                        + (session.recipe.hasCommands
                            ? "Let the old indexer catch up" : "Nothing brings it there: write it there yourself")
                        + ", or give it up with --accept-loss")
            }
            notes.append(found.text)
        }
        var result = Result(position: state.cutover.position)
        if !session.isOneCluster {
            try checkOldCluster()
            try checkOldAliases(held)
            // What begins here is told before what it does.
            session.tell(.rollbackBegun, AliasMover.words(moves, notes))
            try moveReaders(&result)
        }
        guard
            try AliasMover(session: session).perform(
                .rollback, moves, notes: notes, isTold: !session.isOneCluster)
        else { return nil }
        result.moves = moves
        return try over(try session.state(), moves, result)
    }

    /// The move from where the alias stands now. One that stands nowhere, because its index was deleted or somebody
    /// took it off, has only to be put on the old indices. Throws where somebody else has put it elsewhere.
    private func present(_ back: AliasMove) throws -> AliasMove {
        guard let found = try MisplacedAlias(back.reversed, session.target.writer) else { return back }
        guard found.indices.isEmpty else {
            throw WorkError(
                .refused,
                "\(found.words). Move it by hand to \(back.to.map(\.index).joined(separator: ", ")) "
                    + "(POST /_aliases): the next command sees that")
        }
        return AliasMove(back.alias, from: [], to: back.to)
    }

    /// Throws where the new side cannot be compared with the old one.
    private func checkComparable(_ back: [AliasMove], _ state: MigrationState) throws {
        guard state.fingerprint == session.prepared.fingerprint else {
            throw WorkError(
                .refused,
                "the recipe says other work than was confirmed, so what it compares is not what was moved, and nobody "
                    + "can tell what the old side lacks. Roll back with the recipe that was confirmed "
                    + "(`crossfade plan \(recipe.typed)` shows what has changed), or go back all the same with "
                    + "--accept-loss")
        }
        for index in Set(back.flatMap(\.from).map(\.index)).sorted() {
            let condition = try session.target.reader.condition(of: index)
            guard let state = condition == nil ? "gone" : condition?.isClosed == true ? "closed" : nil else { continue }
            throw WorkError(
                .refused,
                "the new index \(index) is \(state), so nobody can tell what the old side lacks. Go back all the same "
                    + "with --accept-loss" + (state == "closed" ? ", or open it (POST /\(index)/_open)" : ""))
        }
    }

    /// Throws if the old indices are not the ones that the readers came from.
    private func checkOldSide(_ moves: [AliasMove]) throws {
        for place in moves.flatMap(\.to) {
            guard let condition = try session.target.reader.condition(of: place.index) else {
                throw WorkError(.refused, "the old index \(place.index) is gone: there is nothing to go back to")
            }
            guard place.uuid == nil || place.uuid == condition.uuid else {
                throw WorkError(
                    .refused, "the old index \(place.index) was made again since the rollover, so it is another one")
            }
            try checkServes(place.index, condition)
        }
    }

    /// Throws where the old cluster would give readers errors, unless people say that they are there already.
    private func checkOldCluster() throws {
        guard !options.readersMoved, let back = session.prepared.survey.wayBack else { return }
        guard let trouble = back.indices.first(where: \.failsReaders)?.trouble else { return }
        throw WorkError(
            .refused,
            "\(trouble). Readers that go back to it would get errors, and the aliases stay on the new cluster. Mend "
                + "the old side first; if the readers are there already, say --readers-moved")
    }

    /// Throws where readers would find nothing on the old cluster.
    private func checkOldAliases(_ held: [AliasMove]) throws {
        let gone = Set(session.prepared.survey.wayBack?.goneAliases ?? []).intersection(held.map(\.alias)).sorted()
        guard let alias = gone.first else { return }
        throw WorkError(
            .refused,
            "the old cluster had the alias \(alias) when the readers left it, and has it on none of the old indices "
                + "any more: they would find nothing there. Put it back (POST /_aliases there), then roll back")
    }

    /// Throws where readers of the old index would get errors, and where nobody could write to it, unless that is
    /// accepted.
    private func checkServes(_ index: String, _ condition: IndexCondition) throws {
        guard !condition.isClosed else {
            throw WorkError(
                .refused,
                "the old index \(index) is closed: readers would get errors. Open it (POST /\(index)/_open), then roll "
                    + "back")
        }
        guard !condition.blocks.isEmpty, condition.blocks.contains("read") || !options.acceptsLoss else { return }
        let names = condition.blocks.map { "index.blocks.\($0)" }.joined(separator: ", ")
        throw WorkError(
            .refused,
            "the old index \(index) is blocked (\(names)): "
                + (condition.blocks.contains("read")
                    ? "readers would get errors. Take the block off, then roll back"
                    : "nothing can be written to it. Take the block off, or go back with --accept-loss"))
    }

    private func over(_ state: MigrationState, _ moved: [AliasMove], _ into: Result) throws -> Result {
        var result = into
        for move in moved {
            guard let found = try MisplacedAlias(move, session.target.writer) else { continue }
            throw WorkError(.cluster, found.words)
        }
        let nodes = try EveryNode.await(moved, session.target)
        (result.nodes, result.unreachable) = (nodes.asked, nodes.unreachable)
        result.position = state.cutover.position
        return result
    }

    private func moveReaders(_ result: inout Result) throws {
        guard recipe.cutover.command != nil || options.readersMoved else {
            throw WorkError(
                .refused,
                "a rollback takes the aliases off the new cluster, and readers that are still there would get "
                    + "errors. Move the readers back to the old cluster first, then run "
                    + "`crossfade rollback \(recipe.typed) --readers-moved` (cutover.command would do both)")
        }
        // Whoever says so has moved them by hand, with or without a program that does it.
        guard !options.readersMoved else { return session.tell(.readersMoved, "back, by hand") }
        do {
            if let remark = try ReadersMove(.rollback, session).run() { result.remarks.append(remark) }
        } catch let error as WorkError {
            throw WorkError(
                error.code,
                "\(error.message). The aliases are still on the new cluster, and the readers may be on either: run "
                    + "rollback again, or rollover. If it cannot be mended now, move the readers to the old cluster by "
                    + "hand and say so: `crossfade rollback \(recipe.typed) --readers-moved` does not start it")
        }
    }
}
