import LogGuard
import Pipeline
import Planning
import Recipe
import SearchCluster
import State
import Telemetry

/// A pipeline at work, with what runs beside it: the target monitor always, and the member's heartbeat and the log
/// monitor where the work asks for them.
package final class PipelineRun {
    package let pipeline: Pipeline
    package let watch: LogMonitor?
    private let targetMonitor: TargetMonitor
    private let heartbeat: MemberHeartbeat?
    private let letters: LetterNotes

    /// Starts all of it.
    ///
    /// - Parameters:
    ///   - isFollowing: it purges old tombstones and looks at the state.
    ///   - command: under which others see it as a member; nil: they do not see it.
    ///   - isReading: it reads the log as it stands.
    package init(
        _ prepared: Preflight, _ pipeline: Pipeline, isFollowing: Bool = false, command: String? = nil,
        isReading: Bool = true, live: LiveWork
    ) {
        let logger = live.events.logger
        self.pipeline = pipeline
        pipeline.lease.runsOut(after: pipeline.plan.longestStop)
        pipeline.confirmed.runsOut(after: Pipeline.isConfirmedFor)
        pipeline.start()
        // What is asked beside the work can be asked again: a target that hangs must not hold up the end.
        let target = prepared.survey.target.answering(withinSeconds: TargetMonitor.secondsPerQuestion)
        let store = prepared.store(on: target)
        let watch = command != nil && isReading ? prepared.watch(store, pipeline, logger: logger) : nil
        self.watch = watch
        heartbeat = command.map {
            MemberHeartbeat(
                $0, pipeline, watch: watch, fingerprint: prepared.fingerprint, store: store, target: target)
        }
        heartbeat?.start()
        // Letters of work that is not the confirmed one any more are in the topic, too.
        letters = LetterNotes(
            prepared.recipe, store: StateStore(target: target, name: prepared.recipe.name),
            letters: pipeline.deadLetters, logger: logger)
        targetMonitor = TargetMonitor(
            prepared, pipeline, target: target, isFollowing: isFollowing, letters: letters, live: live)
        watch?.start()
        live.runs(pipeline, watch: watch)
    }

    /// Keeps in the state how many dead letters were written so far, and which are resolved by now.
    package func settleLetters(_ recipe: Recipe, _ store: StateStore, logger: Logger) {
        letters.keepLast()
        LetterSettlement(recipe: recipe, store: store, logger: logger).keep()
    }

    /// Ends the threads. The heartbeat is the last: it tells of the pipeline as long as there is one.
    package func close() {
        targetMonitor.askToStop()
        watch?.stop()
        targetMonitor.stop()
        pipeline.close()
        letters.keepLast()
        heartbeat?.stop()
    }
}
