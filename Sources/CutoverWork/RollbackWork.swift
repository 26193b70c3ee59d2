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
                decision = try state.cutover.rollback(options.only)
            } catch {
                throw error.error
            }
            guard case .begin(let moves) = decision else {
                return try over(state, [], Result(position: state.cutover.position))
            }
            if let result = try run(state, moves, compare) { return result }
        }
        throw WorkError(.state, "other processes keep moving the aliases: look who is at it (crossfade status)")
    }

    /// nil: another process was faster.
    private func run(_ state: MigrationState, _ moves: [AliasMove], _ compare: Compare) throws -> Result? {
        try checkOldSide(moves)
        var notes: [String] = []
        if options.acceptsLoss {
            notes.append("what the old side lacks was given up (--accept-loss)")
        } else {
            let found = try compare(state)
            guard found.lost == 0 else {
                throw WorkError(
                    .refused,
                    "the old side lacks what was written since the rollover: \(found.text). Let the old indexer catch "
                        + "up, or give them up with --accept-loss")
            }
            notes.append(found.text)
        }
        var result = Result(position: state.cutover.position)
        if !session.isOneCluster { try moveReaders(&result) }
        guard try AliasMover(session: session).perform(.rollback, moves, notes: notes) else { return nil }
        result.moves = moves
        return try over(try session.state(), moves, result)
    }

    /// Throws if the old indices are not the ones that the readers came from.
    private func checkOldSide(_ moves: [AliasMove]) throws {
        for place in moves.flatMap(\.to) {
            guard let uuid = try session.target.writer.indexUUID(place.index) else {
                throw WorkError(.refused, "the old index \(place.index) is gone: there is nothing to go back to")
            }
            guard place.uuid == nil || place.uuid == uuid else {
                throw WorkError(
                    .refused, "the old index \(place.index) was made again since the rollover, so it is another one")
            }
        }
    }

    private func over(_ state: MigrationState, _ moved: [AliasMove], _ into: Result) throws -> Result {
        var result = into
        for move in moved {
            let indices = try session.target.writer.indices(behind: move.alias).map(\.index)
            guard move.standing(indices) != .after else { continue }
            let place = indices.isEmpty ? "no index" : indices.sorted().joined(separator: ", ")
            throw WorkError(.cluster, "alias \(move.alias) stands on \(place): somebody else has moved it")
        }
        let nodes = try EveryNode.await(moved, session.target)
        (result.nodes, result.unreachable) = (nodes.asked, nodes.unreachable)
        result.position = state.cutover.position
        return result
    }

    private func moveReaders(_ result: inout Result) throws {
        guard let words = recipe.cutover.command else {
            result.remarks.append("move the readers back to the old cluster (cutover.command would do that)")
            return
        }
        try Hook(key: "cutover.command", words: words, timeout: recipe.cutover.timeout)
            .run(session.variables("rollback"))
        session.tell(.readersMoved, "back, by cutover.command")
        result.remarks.append("cutover.command moved the readers back")
    }
}
