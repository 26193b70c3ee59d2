import Cutover
import Failures
import Foundation
import Migration
import Parity
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry
import Verification

/// `run`: the whole way up to the rollover, in one process. ``RunMachine`` says what comes next; each step is the work
/// of the command of its name.
/// One thread drives it; the follower has its own.
package final class RunWork {
    /// Does work that can be watched from outside meanwhile. `command`: its name.
    package typealias Serve =
        @Sendable (_ prepared: Preflight, _ command: String, (LiveWork) throws -> Void) throws -> Void

    package struct Options: Sendable {
        package var goal = RunMachine.Goal.ready
        /// Without commands: copies follow each other until one has read fewer documents.
        package var below = 1000
        /// The fingerprint that the user confirms; nil: what the state says counts.
        package var confirmation: String?
        /// Crossfade's own version, for receipts.
        package var version = ""

        package init() {}
    }

    package struct Result: Sendable {
        package var end: RunMachine.End
        package var lines: [RunBoard.Line]
        package var fingerprint: String
        package var position: CutoverState.Position
        /// As they were asked last; empty: they were not.
        package var gates: [Gate]
        /// The newest of this run.
        package var receipt: Receipt?
        /// Whether everything was asked for that was reached, and nothing was left under way.
        package var isComplete: Bool
    }

    let recipe: Recipe
    let options: Options
    let logger: Logger
    let serve: Serve
    /// Shows the plan and asks for a confirmation; nil: there is none.
    let confirm: (Preflight) -> String?
    package let board: RunBoard
    var confirmation: String?
    var planned: Preflight?
    var follower: RunFollower?
    var receipt: Receipt?
    var gates: [Gate] = []
    var position = CutoverState.Position.before
    /// Aliases that somebody has moved by hand after the rollover.
    var misplaced: [MisplacedAlias] = []
    var fingerprint = ""
    var failure: (any Error)?
    /// The last look, while another one fails.
    var seen = RunMachine.Facts()
    private var failsSince: Int64?
    /// Milliseconds.
    private static let patience: Int64 = 30_000

    package init(
        _ recipe: Recipe, options: Options, logger: Logger, serve: @escaping Serve,
        confirm: @escaping (Preflight) -> String?
    ) {
        (self.recipe, self.options, self.logger) = (recipe, options, logger)
        (self.serve, self.confirm) = (serve, confirm)
        (board, confirmation) = (RunBoard(options.goal, recipe.hasCommands), options.confirmation)
    }

    static var unserved: WorkError { WorkError(.state, "the work was not begun") }

    /// Throws the error of the step that failed. A verification that found documents wrong is a result.
    package func run() throws -> Result {
        defer { _ = follower?.end() }
        var machine = RunMachine(options.goal, parityAge: recipe.cutover.parityAge, way: way)
        var outcome = RunMachine.Outcome.looked
        var end: RunMachine.End?
        while end == nil {
            let facts = try look()
            let action = machine.next(facts, after: outcome)
            if case .end(let reached) = action { end = reached } else { outcome = try perform(action) }
        }
        let followed = follower?.end()
        if let error = follower?.failure { throw error }
        guard let end else { throw Self.unserved }
        switch end {
        case .failed:
            if let failure { throw failure }
        case .undone(let step):
            throw WorkError(
                .state, "\(step.rawValue) was done and is due again: another process works on this migration, too")
        case .needsSince: throw needsSince
        default: break
        }
        if let followed { board.end(.follow, followed.complete ? .done : .next, followed.words) }
        // The last look may have seen that somebody else moved the readers.
        if follower != nil { say() }
        let isDrained = follower == nil || followed?.complete == true
        let isReached = end == .reached || end == .finished || (end == .stopped && machine.wasReady)
        return Result(
            end: end, lines: board.all, fingerprint: fingerprint, position: position, gates: gates, receipt: receipt,
            isComplete: isReached && isDrained)
    }

    // MARK: What is found

    private func look() throws -> RunMachine.Facts {
        var isSeen = false
        while !isSeen {
            do {
                seen = try facts(Status.look(recipe, for: .cutover, letters: .unread, logger: logger))
                (isSeen, failsSince) = (true, nil)
            } catch {
                let since = failsSince ?? MonotonicClock.milliseconds()
                // The follower waits for servers that are away, and so does the rest. Before there is one, it waits for
                // an index whose shards are starting: somebody was killed who had just made it. Without commands it
                // waits as a follower would, once there is something to keep current.
                let passes = (error as? ClusterError)?.code == .unavailable
                let isLate = MonotonicClock.milliseconds() - since > Self.patience && !keepsByCopies
                guard follower != nil || (passes && !isLate && !StopSignal.isAsked) else { throw error }
                if failsSince == nil { logger.warning("where it stands cannot be seen now", ["error": "\(error)"]) }
                failsSince = since
                seen.isCurrent = false
                isSeen = follower != nil
                if !isSeen { Thread.sleep(forTimeInterval: 0.2) }
            }
        }
        seen.now = MonotonicClock.milliseconds()
        seen.isStopAsked = StopSignal.isAsked
        return seen
    }

    private func facts(_ status: Status) throws -> RunMachine.Facts {
        let prepared = status.prepared
        let state = prepared.survey.state
        if state?.cutover.end == .cancelled { try prepared.checkConfirmed(nil) }
        if follower == nil { fingerprint = prepared.fingerprint }
        var facts = RunMachine.Facts()
        facts.isMade = prepared.isMade
        if facts.isMade, follower == nil, let confirmation { try Initialisation.check(confirmation, prepared) }
        // An index that was deleted is not made again unasked; one that init was making when it was killed is.
        let isBegun =
            state?.fingerprint == prepared.fingerprint
            && prepared.survey.entries.allSatisfy { $0.exists || state?.uuids[$0.index] == "" }
        facts.isConfirmed = confirmation != nil || isBegun
        facts.isCopyDue = status.standing.isCopyDue
        facts.isReplayDue = status.standing.isReplayDue
        facts.isCurrent = follower?.isAtWork == true && status.standing.isCurrent
        facts.isFollowed = status.standing.unread.isEmpty
        if let newest = state?.newestReceipt(of: prepared.fingerprint),
            newest.basis == VerifyOptions.basis(of: recipe), newest.verdict == .equal || newest.verdict == .settling,
            newest.voided == nil
        {
            facts.receipt = RunMachine.Receipt(
                id: newest.id, age: max(0, status.now - newest.oldestRead), isEqual: newest.verdict == .equal)
        }
        if !recipe.hasCommands { try addCopies(&facts, prepared) }
        position = state?.cutover.position ?? .before
        misplaced = prepared.survey.wayBack?.misplaced ?? []
        // Somebody has moved an alias by hand, who has a reason: it is not moved again.
        if position == .rolledOver, !misplaced.isEmpty { position = .rolledBack }
        facts.position = position
        show(facts, status.standing.hasSource)
        return facts
    }

    /// What was done before.
    private func show(_ facts: RunMachine.Facts, _ hasSource: Bool) {
        guard facts.isMade else { return }
        board.find(.plan, "fingerprint \(fingerprint)")
        board.find(.initialise, "made before")
        guard !facts.isCopyDue else { return }
        board.find(.copy, hasSource ? "copied before" : "there is no source to copy from")
        guard !facts.isReplayDue else { return }
        board.find(.replay, "replayed before")
        if let receipt = facts.receipt, receipt.isEqual { board.find(.verify, "receipt \(receipt.id): equal") }
    }

    // MARK: What is done

    private func perform(_ action: RunMachine.Action) throws -> RunMachine.Outcome {
        switch action {
        case .perform(let step): return attempt(step) { try perform(step) }
        case .verify(let since): return attempt(.verify) { try verify(since: since) }
        case .askGates: return attempt(.rollover) { try rollover(isDry: true) }
        case .rollover: return attempt(.rollover) { try rollover(isDry: false) }
        case .wait(let milliseconds):
            say()
            return pause(milliseconds)
        case .end: return .looked
        }
    }

    private func pause(_ milliseconds: Int64) -> RunMachine.Outcome {
        let deadline = MonotonicClock.milliseconds() + milliseconds
        while MonotonicClock.milliseconds() < deadline, !StopSignal.isAsked { Thread.sleep(forTimeInterval: 0.05) }
        return .looked
    }

    /// What a step came to. Its error is kept for the end.
    private func attempt(_ step: RunMachine.Step, _ body: () throws -> RunMachine.Outcome) -> RunMachine.Outcome {
        do {
            return try body()
        } catch {
            let code = (error as? WorkError)?.code
            if code == .interrupted, StopSignal.isAsked {
                board.end(step, .next, "interrupted")
                return .looked
            }
            if (error as? WorkError)?.rail == "work_is_held", step == .verify || step == .delta {
                // Somebody does it by hand. What came of it is seen when it is over.
                board.end(step, .next, "\(error)")
                logger.info("another process is at it", ["step": step.rawValue, "error": "\(error)"])
                return pause(2_000)
            }
            failure = error
            let refused = code == .refused || code == .state
            board.end(step, .failed, "\(error)")
            return .failed(step, passes: !refused && code != .recipe, refused: refused)
        }
    }

    private func perform(_ step: RunMachine.Step) throws -> RunMachine.Outcome {
        board.begin(step)
        logger.info("a step begins", ["step": step.rawValue])
        switch step {
        case .plan: try plan()
        case .initialise: try initialise()
        case .copy: return try work(CopyWork.self, step)
        case .replay: return try work(ReplayWork.self, step)
        case .follow:
            follower = RunFollower(
                try FollowWork.prepared(recipe, confirmation: nil, logger: logger), serve)
            return .done(step)
        case .delta: return try delta()
        case .verify, .rollover: break
        }
        return .done(step)
    }

    func done(_ step: RunMachine.Step, _ words: String) {
        board.end(step, .done, words)
        logger.info("a step is done", ["step": step.rawValue, "result": words])
    }

    private func plan() throws {
        let prepared = try Preflight.prepare(recipe, for: .initialise, depth: .plan, logger: logger)
        try prepared.passRails(except: Initialisation.unneeded)
        planned = prepared
        fingerprint = prepared.fingerprint
        if confirmation == nil, !seen.isConfirmed { confirmation = confirm(prepared) }
        done(.plan, "fingerprint \(prepared.fingerprint)")
    }

    private func initialise() throws {
        guard let planned else { return }
        let indices = planned.survey.entries.map(\.index).joined(separator: ", ")
        let isNew = try Initialisation.run(
            planned, confirmation: confirmation ?? planned.fingerprint, logger: logger)
        done(.initialise, (isNew ? "created " : "confirmed ") + indices)
    }

    private func work<Work: WatchedWork>(
        _ type: Work.Type, _ step: RunMachine.Step
    ) throws -> RunMachine.Outcome {
        let prepared = try Work.prepared(recipe, confirmation: nil, logger: logger)
        var came: Summary?
        try serve(prepared, Work.command) { came = try Work($0, confirmation: nil).run() }
        guard let summary = came else { throw Self.unserved }
        guard summary.complete else {
            board.end(step, .next, "interrupted: " + summary.words)
            return .looked
        }
        done(step, summary.words)
        return .done(step)
    }

    private func verify(since: String?) throws -> RunMachine.Outcome {
        board.begin(.verify, since.map { "since receipt \($0)" } ?? "")
        logger.info("a step begins", ["step": "verify", "since": since ?? "the beginning"])
        var verifying = VerifyOptions()
        verifying.against = VerifyOptions.basis(of: recipe)
        let prepared = try VerifyWork.prepared(recipe, options: verifying, confirmation: nil, logger: logger)
        let found: Receipt
        if follower != nil {
            // The follower's dashboard shows it.
            let live = LiveWork(prepared, command: "verify", version: options.version, logger: logger)
            found = try VerifyWork.whole(unless: since, recipe, prepared, logger: logger) { since in
                verifying.since = since
                return try VerifyWork(live, options: verifying).run()
            }
        } else {
            var came: Receipt?
            try serve(prepared, "verify") { came = try VerifyWork($0, options: verifying).run() }
            guard let came else { throw Self.unserved }
            found = came
        }
        receipt = found
        let totals = found.totals
        let words =
            "receipt \(found.id): \(found.verdict.rawValue), \(totals.compared) documents compared, "
            + "\(totals.wrong) wrong, \(totals.settling) still changing"
        if found.verdict == .equal {
            done(.verify, words)
        } else {
            board.end(.verify, .failed, words)
            logger.warning("the verification did not say equal", ["result": words])
        }
        switch found.verdict {
        case .equal: return .verified(.equal)
        case .different: return .verified(.different)
        case .settling: return .verified(.settling)
        case .incomplete, .empty: return .verified(.unknown)
        }
    }

    private func rollover(isDry: Bool) throws -> RunMachine.Outcome {
        if gates.isEmpty { board.begin(.rollover, "asking the gates") }
        var asking = RolloverWork.Options()
        (asking.isDry, asking.isRepeated) = (isDry, isDry)
        let prepared = try Preflight.prepare(recipe, for: .cutover, depth: .facts, logger: logger)
        let result = try RolloverWork(prepared, options: asking, logger: logger).run()
        let before = gates.filter { $0.verdict == .failed }
        let isFirst = gates.isEmpty
        (gates, position) = (result.gates, result.position)
        let failed = result.failed
        if !failed.isEmpty, isFirst || before.map(\.text) != failed.map(\.text) {
            logger.warning("not ready for the rollover", ["gates": Self.words(failed)])
        } else if failed.isEmpty, isDry, isFirst || !before.isEmpty {
            logger.info("ready for the rollover", ["next": "crossfade rollover \(recipe.typed)"])
        } else if failed.isEmpty, !isDry {
            done(.rollover, "the readers are on the new side; the way back: crossfade rollback \(recipe.typed)")
            for remark in result.remarks { logger.info("rolled over", ["remark": remark]) }
        }
        say()
        return .asked(failed: failed.map(\.name))
    }

    /// What the last line of the board says while it waits.
    private func say() {
        let failed = gates.filter { $0.verdict == .failed }
        if let words = sourceWords { board.tell(.delta, words) }
        switch position {
        case .rolledOver: board.end(.rollover, .done, "the readers are on the new side")
        case .rolledBack where !misplaced.isEmpty:
            board.tell(.rollover, misplaced.map(\.words).joined(separator: "; "))
        case .rolledBack where failed.isEmpty:
            board.tell(.rollover, "the readers were moved back; again with crossfade rollover \(recipe.typed)")
        default:
            guard !gates.isEmpty else { return }
            board.tell(
                .rollover,
                failed.isEmpty
                    ? "READY: crossfade rollover \(recipe.typed)"
                    : "not ready: " + Self.words(failed))
        }
    }

    private static func words(_ gates: [Gate]) -> String {
        gates.map { "\($0.name.rawValue): \($0.text)" }.joined(separator: "; ")
    }
}
