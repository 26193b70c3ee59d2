import Failures
import Foundation
import Pipeline
import Planning
import Runtime
import SearchCluster
import State
import Telemetry

/// Looks after the target beside the work, on a thread of its own, so that polling and writing never wait for it: that
/// each target index still is the one that `init` made, and now and then that old tombstones are purged.
///
/// `@unchecked Sendable` because `stopped` is touched only under `condition`, and the rest only by the thread.
package final class TargetMonitor: @unchecked Sendable {
    private let prepared: Preflight
    private let pipeline: Pipeline
    private let live: LiveWork
    private let purge: Purge?
    private let board: MemberDirectory
    private let condition = MonotonicCondition()
    private var stopped = false
    private var thread: JoinableThread?
    private var nextPurge: Int64
    /// In how many looks in a row an index, or its alias, was missing.
    private var missing: [String: Int] = [:]
    private var liveLook = LiveLook()

    /// Milliseconds between two looks at the indices.
    private static let lookEvery: Int64 = 2000

    /// Milliseconds between two purges: a sixth of the age, so that none stays much longer than that, at most 10 min.
    private let purgeEvery: Int64

    package init(_ prepared: Preflight, _ pipeline: Pipeline, purging: Bool, live: LiveWork) {
        self.prepared = prepared
        self.pipeline = pipeline
        self.live = live
        purge = purging ? prepared.purge(logger: live.events.logger) : nil
        board = MemberDirectory(
            StateStore(target: prepared.survey.target, name: prepared.recipe.name), target: prepared.survey.target)
        purgeEvery = max(1000, min(prepared.recipe.tombstoneAge / 6, 600_000))
        nextPurge = MonotonicClock.milliseconds() + purgeEvery
        thread = JoinableThread("cf-keeper") { [self] in run() }
    }

    package func stop() {
        condition.lock()
        stopped = true
        condition.signal()
        condition.unlock()
        // A purge ends at its next page.
        thread?.join(seconds: 10)
    }

    private var isStopped: Bool {
        condition.lock()
        defer { condition.unlock() }
        return stopped || pipeline.failure.isSet || StopSignal.isAsked
    }

    private func run() {
        while !isStopped {
            look()
            liveLook.look(live, board)
            if pipeline.sink.presentTrouble != nil || isAnyoneWaiting {
                // Tombstones that waited for the cluster are younger than they say, and so are requests that still wait.
                nextPurge = max(nextPurge, MonotonicClock.milliseconds() + prepared.recipe.tombstoneAge)
            }
            if let purge, MonotonicClock.milliseconds() >= nextPurge {
                run(purge)
                nextPurge = MonotonicClock.milliseconds() + purgeEvery
            }
            condition.lock()
            let pause = min(Self.lookEvery, purge == nil ? Self.lookEvery : purgeEvery)
            if !stopped { condition.wait(milliseconds: Int(pause)) }
            condition.unlock()
        }
    }

    /// Whether a member, here or elsewhere, says that the target does not take its writes. Asked where it matters, before a
    /// purge.
    private var isAnyoneWaiting: Bool {
        guard purge != nil, MonotonicClock.milliseconds() >= nextPurge else { return false }
        let now = WallClock.now()
        return ((try? board.read()) ?? []).contains { $0.waiting != nil && !$0.isStale(now: now) }
    }

    /// An index that was deleted takes its aliases with it, and writes are refused by the cluster itself; but reads of
    /// merges are not, and one that was made again, aliases and all, would be written on as if nothing was missing.
    private func look() {
        for entry in prepared.survey.entries {
            guard let known = entry.uuid else { continue }
            // A cluster that is away says nothing about its indices.
            guard let found = uuid(of: entry.index) else {
                judgeMissing(entry.index)
                continue
            }
            guard found != known else {
                // Asked only where writes are refused: an alias goes alone when somebody takes it away by hand.
                if pipeline.sink.presentTrouble == nil || hasAlias(entry.index) {
                    missing[entry.index] = nil
                } else {
                    isMissing(entry.index, "alias_missing")
                }
                continue
            }
            pipeline.failure.set(Refusal.indexMadeAgain(entry.index, before: known, now: found).error())
        }
    }

    /// nil: there is no such index, or the target does not answer.
    private func uuid(of index: String) -> String? {
        live.targetIsAsked()
        do {
            let found = try prepared.survey.target.writer.indexUUID(index)
            live.targetAnswered(nil)
            return found
        } catch {
            live.targetAnswered(error.message)
            return nil
        }
    }

    /// Several looks in a row, because a node that has just started may not know its indices yet.
    private func judgeMissing(_ index: String) {
        guard (try? prepared.survey.target.writer.indexExists(index)) == false else {
            missing[index] = nil
            return
        }
        isMissing(index)
    }

    private func hasAlias(_ index: String) -> Bool {
        guard let present = try? prepared.survey.target.writer.aliases(of: index) else { return true }
        return pipeline.plan.entries.contains { $0.index == index && present[$0.alias] != nil }
    }

    /// The third time in a row it ends the work.
    private func isMissing(_ index: String, _ reason: String = "index_not_found") {
        missing[index, default: 0] += 1
        guard missing[index, default: 0] > 2 else { return }
        let name = pipeline.plan.entries.first { $0.index == index }?.alias ?? index
        pipeline.failure.set(
            WriteRefusal.error(
                reason, BulkSink.Destination(index: index, name: name, path: ""), detail: ""))
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
