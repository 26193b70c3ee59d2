import LogGuard
import Pipeline
import Planning
import SearchCluster
import State
import Telemetry

/// A pipeline at work, with what runs beside it: the keeper of the target always, the member's beacon and the watch over
/// the log where the log is read as it stands.
package final class PipelineRun {
    package let pipeline: Pipeline
    package let watch: LogMonitor?
    private let keeper: TargetMonitor
    private let beacon: MemberHeartbeat?

    /// Starts all of it. `telling`: the command, as a member that others see, and where the state is kept; `isReading`: it reads
    /// the log as it stands.
    package init(
        _ prepared: Preflight, _ pipeline: Pipeline, purging: Bool = false,
        telling: (command: String, store: StateStore)? = nil, isReading: Bool = true, live: LiveWork
    ) {
        let logger = live.events.logger
        self.pipeline = pipeline
        pipeline.lease.runsOut(after: pipeline.plan.longestStop)
        pipeline.start()
        let watch = (isReading ? telling : nil).map { prepared.watch($0.store, pipeline, logger: logger) }
        self.watch = watch
        beacon = telling.map {
            MemberHeartbeat($0.command, pipeline, watch: watch, store: $0.store, target: prepared.survey.target)
        }
        beacon?.start()
        keeper = TargetMonitor(prepared, pipeline, purging: purging, live: live)
        watch?.start()
        live.runs(pipeline, watch: watch)
    }

    /// Ends the threads, the beacon last: it tells of the pipeline as long as there is one.
    package func close() {
        watch?.stop()
        keeper.stop()
        pipeline.close()
        beacon?.stop()
    }
}
