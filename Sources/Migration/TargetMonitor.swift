import Failures
import Pipeline
import Planning
import Runtime
import SearchCluster
import State
import Telemetry

/// Looks after the target beside the work, on a thread of its own, so that polling and writing never wait for it:
/// whether each target index still is the one that `init` made, what the state says, and whether old tombstones are to
/// be purged.
///
/// `@unchecked Sendable` because `stopped` is touched only under `condition`, and the rest only by the thread.
package final class TargetMonitor: @unchecked Sendable {
    let prepared: Preflight
    let live: LiveWork
    /// The target, with a time limit for every question.
    let target: Cluster
    let directory: MemberDirectory
    private let pipeline: Pipeline
    private let store: StateStore
    private let letters: LetterNotes
    /// nil: this work purges nothing.
    private let purge: Purge?
    private let condition = MonotonicCondition()
    private var stopped = false
    private var thread: JoinableThread?
    private var presence = TargetPresence()
    private var purges: PurgeSchedule
    private var stateLooks = Recurring(every: 10_000, first: 0)
    var looks = LookSchedule()
    /// A question that did not matter was not answered: whether the target is there is to be asked at once.
    private var suspects = false

    /// Milliseconds between two looks at the indices.
    private static let lookEvery: Int64 = 2000

    /// How long the target may take for one answer: a target that hangs is noticed after this time, and a thread that
    /// waits for an answer can be stopped within this time.
    package static let secondsPerQuestion = 5.0

    /// - Parameters:
    ///   - target: has the time limit of ``secondsPerQuestion``.
    ///   - isFollowing: it purges old tombstones, and looks at the state.
    package init(
        _ prepared: Preflight, _ pipeline: Pipeline, target: Cluster, isFollowing: Bool, letters: LetterNotes,
        live: LiveWork
    ) {
        (self.prepared, self.pipeline, self.target, self.live) = (prepared, pipeline, target, live)
        self.letters = letters
        purge = isFollowing ? prepared.purge(logger: live.events.logger) : nil
        store = prepared.store(on: target)
        directory = MemberDirectory(store, target: target)
        purges = PurgeSchedule(age: prepared.recipe.tombstoneAge, now: MonotonicClock.milliseconds())
        thread = JoinableThread("cf-target-watch") { [self] in run() }
    }

    /// Tells the thread to end, and does not wait for that.
    package func askToStop() {
        condition.withLock {
            stopped = true
            condition.broadcast()
        }
    }

    /// Ends the thread. A purge ends at its next page.
    package func stop() {
        askToStop()
        thread?.join(seconds: 10)
    }

    private var isStopped: Bool {
        condition.withLock { stopped } || pipeline.failure.isSet || StopSignal.isAsked
    }

    private func run() {
        while !isStopped {
            let suspected = suspects
            suspects = false
            lookAtIndices()
            lookAtState()
            if letters.isDue { _ = ask { try letters.keep() } }
            lookForThoseWhoWatch()
            purgeIfDue()
            let pause = suspects && !suspected ? 0 : min(Self.lookEvery, purge == nil ? Self.lookEvery : purges.every)
            _ = condition.withLock { condition.wait(milliseconds: Int(pause)) { !stopped } }
        }
    }

    /// Asks the target something and remembers whether it answers. All questions of this thread go through here, so
    /// that a target that hangs is noticed whatever was asked. Nil when it gave no answer, or refused one.
    ///
    /// - Parameter isDecisive: without an answer the target counts as away. Any other question may also fail because it
    ///   asks too much: then a decisive one is asked at once.
    func ask<Answer>(isDecisive: Bool = false, _ question: () throws -> Answer) -> Answer? {
        guard !isStopped else { return nil }
        live.targetIsAsked()
        do {
            let answer = try question()
            live.targetAnswered(nil)
            return answer
        } catch {
            let failed = error as? ClusterError
            if isDecisive {
                live.targetAnswered(failed?.message ?? "\(error)")
            } else {
                live.targetAnswered(nil)
                suspects = suspects || failed?.retriable == true
            }
            return nil
        }
    }

    private func lookAtIndices() {
        for entry in prepared.survey.entries {
            guard let known = entry.uuid else { continue }
            let verdict = presence.look(sight(of: entry.index, known: known), at: entry.index, known: known)
            guard let verdict else { continue }
            pipeline.failure.set(refusal(verdict, entry.index, known: known).error())
        }
    }

    private func sight(of index: String, known: String) -> TargetPresence.Sight {
        guard let uuid = ask(isDecisive: true, { try target.writer.indexUUID(index) }) else { return .unknown }
        guard let uuid else {
            // The name may be that of an alias by now.
            return ask { try target.writer.indexExists(index) } == false ? .absent : .unknown
        }
        // The aliases matter only where writes are refused: one goes alone when somebody takes it away by hand.
        guard uuid == known, pipeline.sink.presentTrouble != nil,
            let aliases = ask({ try target.writer.aliases(of: index) })
        else { return .present(uuid: uuid, isRefused: false) }
        let isWritable = pipeline.plan.entries.contains { $0.index == index && aliases[$0.alias] != nil }
        return .present(uuid: uuid, isRefused: !isWritable)
    }

    private func refusal(_ verdict: TargetPresence.Verdict, _ index: String, known: String) -> Refusal {
        let alias = pipeline.plan.entries.first { $0.index == index }?.alias ?? index
        return switch verdict {
        case .indexMissing: .indexGone(index, alias: alias)
        case .aliasMissing: .aliasTaken(alias, of: index)
        case .replaced(let found): .indexMadeAgain(index, before: known, now: found)
        }
    }

    /// What the state says, for the poll thread of a follower and for those who watch; and whether this work still is
    /// the confirmed one. Without an answer, nothing more is written after ``Pipeline/isConfirmedFor``.
    private func lookAtState() {
        let isDue = stateLooks.isDue(MonotonicClock.milliseconds())
        // Who watches sees a receipt, or a rollover, as soon as it is stored.
        guard isDue || live.isWatched || !pipeline.confirmed.isValid, live.targetAnswers else { return }
        let asked = pipeline.confirmed.now
        guard let answer = ask({ try store.load() }) else { return }
        guard let state = answer else { return pipeline.failure.set(Refusal.stateGone(index: store.index).error()) }
        do throws(WorkError) {
            try state.check(isStill: prepared.fingerprint)
        } catch {
            return pipeline.failure.set(error)
        }
        pipeline.confirmed.renew(since: asked)
        live.knows(state)
    }

    private func purgeIfDue() {
        guard let purge else { return }
        let now = MonotonicClock.milliseconds()
        if pipeline.sink.presentTrouble != nil { purges.writesWait(now) }
        guard purges.isDue(now), live.targetIsThere else { return }
        // Whether another member waits must be known.
        guard let members = ask({ try directory.read() }) else { return purges.isUnknown(now) }
        let wall = WallClock.now()
        if members.contains(where: { $0.waiting != nil && !$0.isStale(now: wall) }) { return purges.writesWait(now) }
        run(purge)
        purges.ended(MonotonicClock.milliseconds())
    }

    private func run(_ purge: Purge) {
        do {
            let report = try purge.run(before: WallClock.now() - prepared.recipe.tombstoneAge) { isStopped }
            guard report.purged > 0 || report.kept["dead_letter"] != nil else { return }
            live.events.tombstonesPurged(
                report.purged, younger: report.kept["younger"] ?? 0, deadLetter: report.kept["dead_letter"] ?? 0,
                newer: report.kept["newer"] ?? 0)
        } catch {
            if let refused = error as? WorkError, refused.code == .refused {
                return live.events.logger.debug("nothing is purged now", ["because": refused.message])
            }
            live.events.logger.warning(
                "tombstones could not be purged; the next purge tries again", ["error": "\(error)"])
        }
    }
}
