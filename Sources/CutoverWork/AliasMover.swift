import Cutover
import Failures
import Foundation
import JSONText
import Migration
import Runtime
import SearchCluster
import State

/// Moves aliases: stores what is about to be sent, sends one request, and finds out what became of it.
///
/// Whatever is cut off, the state holds the move, and the next command settles it: see ``Turn``.
struct AliasMover {
    let session: CutoverSession
    private var writer: TargetWriter { session.target.writer }

    /// How long somebody else's move is waited for before it is settled in their place, in milliseconds.
    static let patience: Int64 = 30_000

    /// Performs the moves. Throws if they were not applied; then they cannot be applied any more.
    /// - Parameter isTold: the history has its begin already.
    /// - Returns: false if another process was faster, so that nothing was sent.
    func perform(
        _ kind: CutoverState.Kind, _ moves: [AliasMove], notes: [String], isTold: Bool = false
    ) throws -> Bool {
        let home = try home(moves)
        var begun: CutoverState.Intent?
        let state: MigrationState
        do {
            state = try session.store.update { state in
                begun = try state.cutover.begin(
                    kind, moves, home: home, by: session.by, process: ProcessMark.own.json, at: WallClock.now())
            }
        } catch let refusal as CutoverRefusal {
            if refusal.isRace { return false }
            throw refusal.error
        }
        guard let intent = begun else { return false }
        if !isTold { session.tell(kind == .rollover ? .rolloverBegun : .rollbackBegun, Self.words(moves, notes)) }
        var failure: ClusterError?
        do throws(ClusterError) {
            try writer.updateAliases(.array(try request(intent, mark: state.cutover.mark)))
        } catch {
            failure = error
        }
        guard case .applied = try resolve(intent) else {
            let reason = failure.map { "\($0)" } ?? "the cluster took the request and applied nothing"
            let late =
                writer.capabilities.writeIndex
                ? "this request cannot move them any more"
                : "a server before 6.4 may still apply a request that comes late: look at the aliases again"
            throw WorkError(.cluster, "the aliases were not moved, and \(late): \(reason)")
        }
        return true
    }

    /// All actions of a move's request.
    private func request(
        _ intent: CutoverState.Intent, mark: CutoverState.Mark?
    ) throws(ClusterError) -> [JSONValue] {
        let capabilities = writer.capabilities
        var actions = intent.moves.flatMap { $0.actions(mustExist: capabilities.mustExist) }
        guard capabilities.writeIndex else { return actions }
        actions.append(turn(intent.turn).mark(home: intent.home))
        if let mark {
            let last = turn(mark.turn)
            // An index that was deleted has taken its marker along. Then the marker has only to be sealed.
            let home = try writer.indices(behind: last.alias).contains { $0.index == mark.home }
            actions += home ? last.retire(home: mark.home) : last.seal
        }
        return actions
    }

    static func words(_ moves: [AliasMove], _ notes: [String]) -> String {
        ([names(moves)] + notes).joined(separator: "; ")
    }

    private static func names(_ moves: [AliasMove]) -> String { moves.map(\.alias).joined(separator: ", ") }

    private func turn(_ number: Int) -> Turn { Turn(number, stateIndex: session.store.index) }

    /// The index that carries the marker: a target index, or an old one where no target index is left.
    private func home(_ moves: [AliasMove]) throws -> String {
        let names = session.prepared.survey.entries.map(\.index) + moves.flatMap { ($0.to + $0.from).map(\.index) }
        for name in names where try writer.indexUUID(name) != nil { return name }
        throw WorkError(.refused, "none of the indices \(names.joined(separator: ", ")) is there")
    }

    /// Finds out what became of a move, seals it if it was not applied, and records it.
    @discardableResult
    func resolve(_ intent: CutoverState.Intent) throws -> Turn.Fate {
        let fate = writer.capabilities.writeIndex ? try sealed(intent) : try settledByAliases(intent)
        var isOurs = false
        try session.store.update { state in
            isOurs = state.cutover.settle(turn: intent.turn, fate, at: WallClock.now())
        }
        guard isOurs else { return fate }
        if case .applied = fate {
            session.tell(intent.kind == .rollover ? .rolledOver : .rolledBack, Self.names(intent.moves))
        } else {
            session.tell(.notMoved, Self.names(intent.moves))
        }
        return fate
    }

    /// Waits for somebody else's move, and settles it if they do not.
    func settle(_ intent: CutoverState.Intent) throws {
        session.logger.info(
            "waiting for a move of aliases that is under way",
            ["by": intent.by, "kind": intent.kind.rawValue, "settled_after_seconds": Self.patience / 1000])
        let deadline = MonotonicClock.milliseconds() + Self.patience
        while MonotonicClock.milliseconds() < deadline, !StopSignal.isAsked {
            guard try session.state().cutover.intent?.turn == intent.turn else { return }
            // A process of this machine that is gone will not settle it.
            if intent.process.flatMap(ProcessMark.init)?.fate == .isGone { break }
            Thread.sleep(forTimeInterval: 0.2)
        }
        if StopSignal.isAsked { throw WorkError(.interrupted, "stopped while another \(intent.kind.rawValue) ran") }
        session.logger.warning("nobody has settled the move; it is settled now", ["by": intent.by])
        try resolve(intent)
    }

    private func sealed(_ intent: CutoverState.Intent) throws -> Turn.Fate {
        let turn = turn(intent.turn)
        func look() throws -> Turn.Fate { turn.fate(try writer.indices(behind: turn.alias).map(\.index)) }
        var trouble: ClusterError?
        for _ in 0..<10 {
            do {
                let fate = try look()
                guard fate == .open else { return fate }
                // Refused where the move is applied between the two requests. The next look sees that.
                try writer.updateAliases(.array(turn.seal))
            } catch let error as ClusterError {
                trouble = error
                Thread.sleep(forTimeInterval: 0.5)
            }
        }
        throw WorkError(
            .cluster,
            "it is not known whether the aliases were moved, because the cluster does not answer; run the command "
                + "again when it does. The state keeps the move", underlying: trouble.map { "\($0)" })
    }

    /// Servers before 6.4: where the aliases stand decides, once no change is waiting on the master.
    private func settledByAliases(_ intent: CutoverState.Intent) throws -> Turn.Fate {
        for _ in 0..<60 {
            if try writer.pendingTasks() == 0 {
                let applied = try intent.moves.map { $0.isApplied(try writer.indices(behind: $0.alias).map(\.index)) }
                if applied.allSatisfy({ $0 == true }) { return .applied(home: intent.home) }
                if applied.allSatisfy({ $0 == false }) { return .sealed }
                throw WorkError(.cluster, "the aliases stand neither as before nor as after: look at them by hand")
            }
            Thread.sleep(forTimeInterval: 0.5)
        }
        throw WorkError(.cluster, "the cluster has changes waiting; run the command again when it has none")
    }
}
