import CommandLog
import Commands
import Failures
import Foundation
import Indexing
import JSONText
import Pipeline
import Planning
import Runtime
import SearchCluster
import State
import Synchronization
import Telemetry

/// `copy`: the bulk copy old -> new, in slices that are the unit of resume (docs/architecture.md). The source is only
/// ever read.
package struct CopyWork: WatchedWork {
    package static let (command, purpose, depth) = ("copy", Purpose.copy, Preflight.Depth.samples)
    package static let refused = HistoryEvent.What.copyRefused
    package let live: LiveWork
    package let confirmation: String?
    /// What is copied; nil: everything, or what is left of an interrupted copy.
    package let since: CopySince?

    package init(_ live: LiveWork, confirmation: String?) { self.init(live, confirmation: confirmation, since: nil) }

    package init(_ live: LiveWork, confirmation: String?, since: CopySince?) {
        (self.live, self.confirmation, self.since) = (live, confirmation, since)
    }

    /// Rails that a copy answers itself.
    package static let unneeded: Set<String> = ["copy_deaths", "command_deaths"]

    package func run() throws -> Summary {
        guard let source = prepared.survey.source else {
            throw WorkError(
                .recipe, "the recipe has no source: there is nothing to copy, `crossfade replay` does it all")
        }
        let confirmed = try admitted()
        let store = prepared.store
        let claim = try WorkClaim("copy", prepared, logger: logger)
        let begun = try begin(store, confirmed, source, claim)
        defer { claim.giveBack(store) }
        return try recorded(
            begun: .copyBegun, begun.copy?.words ?? "", finished: .copyFinished, stopped: .copyStopped
        ) { try run(store, begun, source) }
    }

    private func run(_ store: StateStore, _ begun: MigrationState, _ source: Cluster) throws -> Summary {
        try TombstoneRestore(prepared: prepared, store: store, command: "copy", logger: logger).run(begun)
        let state = try open(store, begun)
        guard let copy = state.copy else { throw WorkError(.state, "the state lost its copy while it was written") }
        try copy.checkIsPlanned(prepared.survey, in: store.index)
        live.knows(state)
        let progress = Progress("copy", logger: logger)
        let pipeline = prepared.pipeline(state: state, writing: .copy, live: live)
        let run = PipelineRun(prepared, pipeline, command: "copy", isReading: false, live: live)
        defer { run.close() }
        let already = OutsideNumber.sum(copy.slices.lazy.filter(\.done).map(\.returned))
        let conflicts = ConflictWatch(pipeline, already: already, copy, logger: logger)
        let feed = CopyFeed(
            feedOptions(copy, store, conflicts, keepAlive: source.reader.keepAlive()), source: source,
            pipeline: pipeline)
        live.runs(pipeline, watch: nil, feed: feed)
        feed.start(readers: min(4, max(1, prepared.recipe.limits.inFlight ?? 4)))
        StopSignal.drains(atMost: Double(Pipeline.drainsFor) / 1000)
        var deaths = CopyDeathWatch(prepared, copy, pipeline)
        var stop: Int64?
        while !feed.isOver {
            if StopSignal.isAsked { stop = stop ?? MonotonicClock.milliseconds() + Pipeline.drainsFor }
            if let stop, MonotonicClock.milliseconds() > stop { break }
            Thread.sleep(forTimeInterval: 0.02)
            live.beat()
            try pipeline.checkAwake()
            conflicts.look()
            try feed.record()
            if let why = deaths?.look(), let error = try deaths?.stop(why, store) { pipeline.failure.set(error) }
            progress.tell(
                done: already + pipeline.ledger.outcomes.total, total: copy.expected,
                trouble: pipeline.sink.presentTrouble ?? feed.presentTrouble)
        }
        feed.join()
        conflicts.look()
        try feed.record()
        progress.end()
        if let error = pipeline.failure.value { throw error }
        if feed.isComplete, let why = deaths?.look(isOver: true), let error = try deaths?.stop(why, store) {
            throw error
        }
        return try finish(store, copy, feed, pipeline, seconds: progress.seconds)
    }

    private func feedOptions(
        _ begun: MigrationState.Copy, _ store: StateStore, _ conflicts: ConflictWatch, keepAlive: String
    ) -> CopyFeed.Options {
        let entries = prepared.survey.entries
        let slices = begun.slices.map { slice in
            let index =
                entries.indices.contains(slice.entry)
                ? entries[slice.entry].source.first { $0.name == slice.index } : nil
            var part = CopyFeed.Slice(
                entry: slice.entry, index: slice.index, spec: slice.spec, query: index.flatMap { begun.query($0) },
                isDone: slice.done,
                returned: slice.returned)
            part.page = index?.maximumPage ?? part.page
            return part
        }
        let copy = prepared.recipe.copy
        return CopyFeed.Options(
            slices: slices, page: copy.page, keepAlive: keepAlive, documentsPerSecond: copy.documentsPerSecond,
            bytesPerSecond: copy.bytesPerSecond
        ) { finished in
            try store.updateIfReachable { state in
                try state.checkIsPresent(begun)
                if state.copy?.conflictsFrom == nil { state.copy?.conflictsFrom = conflicts.from }
                for (number, slice) in finished where state.copy?.slices.indices.contains(number) == true {
                    state.copy?.slices[number].finish(slice)
                }
            }
        }
    }

    /// Opens the copy's alias.
    private func open(_ store: StateStore, _ state: MigrationState) throws -> MigrationState {
        let steps = state.copyGate.stepsToOpen(copyIsFinished: state.copy?.finished != nil)
        return try perform(steps, of: state.copy, store) ?? state
    }

    /// Opens or closes the copy's alias, step by step. Returns the last written state; nil: nothing was written.
    private func perform(
        _ steps: [CopyGate.Step], of copy: MigrationState.Copy?, _ store: StateStore
    ) throws -> MigrationState? {
        let alias = CopyAlias(writer: prepared.survey.target.writer, stateIndex: store.index)
        var state: MigrationState?
        for step in steps {
            switch step {
            case .record(let word):
                state = try store.update {
                    try $0.checkIsPresent(copy)
                    $0.copyGate = word
                }
            case .openAliases: for entry in prepared.survey.entries { try alias.open(entry.index) }
            case .closeAliases: for entry in prepared.survey.entries { try alias.close(entry.index) }
            case .recordFinished:
                state = try store.update {
                    try $0.checkIsPresent(copy)
                    $0.copyGate = .closed
                    $0.copy?.finished = WallClock.now()
                    if $0.phase == .copying { $0.phase = .copied }
                }
            }
        }
        return state
    }

    private func finish(
        _ store: StateStore, _ copy: MigrationState.Copy, _ feed: CopyFeed, _ pipeline: Pipeline, seconds: Double
    ) throws -> Summary {
        let complete = feed.isComplete
        if complete {
            let accepts = prepared.recipe.accepts("identity")
            try CopyCollisions(survey: prepared.survey, accepts: accepts, logger: logger).check(store)
        }
        let closed = complete ? try perform(CopyGate.stepsToClose, of: copy, store) : nil
        let state = try closed ?? store.update { _ in }
        live.knows(state)
        var summary = Summary(
            "copy", counts: pipeline.ledger.outcomes, seconds: seconds, complete: complete,
            accepted: prepared.recipe.accept)
        summary.returned = feed.returned
        summary.expected = state.copy?.expected
        summary.copy = state.copy
        if !prepared.recipe.hasCommands, let round = state.copy?.round, round > 1 {
            summary.notes.append(
                "what was deleted in the source since the copies before is still in the target: "
                    + "`crossfade verify \(prepared.recipe.typed)` finds it")
        }
        summary.replayDue = state.replayDue && prepared.recipe.hasCommands
        summary.reasons = pipeline.deadLetters.reasons
        summary.next = prepared.next(after: state, letters: summary.reasons, store: store)
        return summary
    }
}

extension MigrationState.Slice {
    fileprivate mutating func finish(_ finished: CopyFeed.Finished) {
        done = true
        returned = finished.returned
        for outcome in Outcome.allCases where finished.outcomes[outcome] > 0 {
            outcomes[outcome.name] = finished.outcomes[outcome]
        }
        if finished.created > 0 { outcomes["created"] = finished.created }
    }
}

extension MigrationState.Copy {
    fileprivate var words: String {
        "copy \(round)\(part.map { " of \($0.words)" } ?? ""): \(slices.count { !$0.done }) of \(slices.count) "
            + "slices to read, \(expected) documents expected"
    }

    /// Throws if a slice that is to be read is not one of the plan. Whoever can write the state could otherwise have
    /// any index of the source copied.
    fileprivate func checkIsPlanned(_ survey: Survey, in index: String) throws(WorkError) {
        for (number, slice) in slices.enumerated() where !slice.done {
            guard
                !survey.entries.indices.contains(slice.entry)
                    || !survey.entries[slice.entry].scope.names.contains(slice.index)
            else { continue }
            throw damaged(
                "slice \(number) of the copy names entry \(slice.entry) and index \(slice.index), which the "
                    + "recipe does not", in: index)
        }
    }
}

extension MigrationState {
    /// Throws if the state holds another copy than this process works on. The other copy has other slices, but writes
    /// its pages through the same alias.
    func checkIsPresent(_ copy: Copy?) throws(WorkError) {
        guard self.copy?.started != copy?.started else { return }
        throw Refusal.copyIsOver.error()
    }
}
