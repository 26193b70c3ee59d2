import Failures
import JSONText
import Parity
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Telemetry

extension CopyWork {
    /// Goes on with an interrupted copy, or begins a new one. A new one records the counts, the slices, and the present
    /// offsets of the application's group: the copy is sure to hold all that was applied before them.
    func begin(
        _ store: StateStore, _ state: MigrationState, _ source: Cluster, _ claim: WorkClaim
    ) throws -> MigrationState {
        let isAccepted = prepared.recipe.accepts("copy_deaths")
        if let copy = state.copy, copy.finished == nil, copy.stopped == nil || isAccepted {
            return try goOn(store, copy, source, claim)
        }
        let reader = source.reader
        let part = try part(after: state)
        // Before the refresh: what is written after it may be in the copy or not.
        let written = part.map { $0.isChained } ?? true ? sourceWritten() : state.copy?.sourceWritten
        // Before anything is counted or read, and after the offsets were asked: see `SourceRefresh`.
        let refreshed = try refresh(source)
        var slices: [MigrationState.Slice] = []
        var expected = 0
        for (number, entry) in prepared.survey.entries.enumerated() {
            for index in entry.source {
                let found = try SourceWait.ask(logger) {
                    try reader.count(index.name, query: MigrationState.Copy.query(index, part))
                }
                expected = OutsideNumber.sum([expected, Int(found)])
                for spec in reader.slices(index, wanted: prepared.recipe.copy.slices) {
                    slices.append(
                        MigrationState.Slice(
                            entry: number, index: index.name, spec: spec.text, done: false, returned: 0, outcomes: [:]))
                }
            }
        }
        try tellOfUnfound(part, reader)
        return try store.update {
            try claim.take(&$0)
            $0.phase = .copying
            // The offsets were asked before anything was read, so the old index holds all that was applied before them.
            $0.record(
                prepared.survey.application, epoch: prepared.recipe.commands.format.epoch, at: WallClock.now())
            $0.copy = MigrationState.Copy(
                round: ($0.copy?.round ?? 0) + 1, expected: expected, started: WallClock.now(), finished: nil,
                slices: slices, refreshed: refreshed)
            $0.copy?.part = part
            $0.copy?.sourceWritten = written
        }
    }

    private func goOn(
        _ store: StateStore, _ copy: MigrationState.Copy, _ source: Cluster, _ claim: WorkClaim
    ) throws -> MigrationState {
        try checkGoesOn(copy)
        let names = Set(prepared.survey.entries.flatMap(\.scope.names))
        let sources = prepared.survey.entries.flatMap(\.source)
        let shards = Dictionary(sources.map { ($0.name, max($0.shards, 1)) }) { one, _ in one }
        if let trouble = copy.sliceTrouble(entries: prepared.survey.entries.count, names: names, shards: shards) {
            throw copy.damaged(trouble, in: store.index)
        }
        let left = copy.slices.filter { !$0.done }.count
        logger.info("going on with the copy that was interrupted", ["slices_left": left])
        let refreshed = try copy.refreshed ?? refresh(source)
        let leftOut = Set(copy.slices.filter { !$0.done }.map(\.index)).subtracting(names)
        if !leftOut.isEmpty {
            logger.warning(
                "indices of the interrupted copy are left out: they are gone, or the confirmed work has them no more",
                ["indices": leftOut.sorted().joined(separator: ", ")])
        }
        return try store.update {
            try claim.take(&$0)
            $0.phase = .copying
            $0.copy?.refreshed = refreshed
            $0.copy?.stopped = nil
            // That an index is gone was confirmed.
            for number in copy.slices.indices where !names.contains(copy.slices[number].index) {
                $0.copy?.slices[number].done = true
            }
        }
    }

    /// How far the source is written, where no commands tell what comes later.
    private func sourceWritten() -> [WriteMark]? {
        guard !prepared.recipe.hasCommands else { return nil }
        do {
            return try prepared.survey.writeMarks()
        } catch {
            logger.warning("it is not known how far the source is written", ["error": "\(error)"])
            return nil
        }
    }

    /// Makes visible what was written to the source. Returns when that was.
    private func refresh(_ source: Cluster) throws -> Int64 {
        let began = WallClock.now()
        let accepts = prepared.recipe.accepts("source_refresh")
        try SourceRefresh(reader: source.reader, logger: logger, accepts: accepts)
            .run(prepared.survey.entries.flatMap(\.source))
        return began
    }

    /// Throws where an interrupted copy is not the one that is asked for.
    private func checkGoesOn(_ copy: MigrationState.Copy) throws(WorkError) {
        guard let since, !since.isSame(as: copy.part) else { return }
        let what = copy.part.map { "of what is \($0.words)" } ?? "of everything"
        throw WorkError(
            .refused,
            "copy \(copy.round), \(what), was interrupted, and --since asks for another one. Finish it first: "
                + "`crossfade copy \(prepared.recipe.typed)`")
    }

    /// What a new copy reads; nil: everything. Throws where a part would bring nothing, or has nothing to add to.
    private func part(after state: MigrationState) throws(WorkError) -> MigrationState.Copy.Part? {
        let recipe = prepared.recipe
        let isShared = state.adopted.isSuperset(of: prepared.survey.entries.map(\.index)) || recipe.accepts("adopted")
        if recipe.hasCommands, !isShared, state.cutover.position.isOver {
            throw WorkError(
                .refused,
                "the readers are on the new indices, and no receipt would stand after a copy, not even one that writes "
                    + "nothing: `rollback` and `finish` would have to compare everything again. What is missing "
                    + "there comes with `crossfade verify \(recipe.typed) --repair`. To copy all the same, roll back "
                    + "first, or write in the recipe: `accept: [{ rail: adopted, why: \"...\" }]`, and confirm that: "
                    + "`crossfade plan \(recipe.typed)` prints the line")
        }
        if !recipe.hasCommands, !isShared, state.cutover.position.isOver {
            throw WorkError(
                .refused,
                "the readers are on the new indices, and the application may write there: a copy could overwrite that "
                    + "with older documents. Roll back first. Where the application gives its documents the same "
                    + "versions on both sides, the new index can be adopted (init --adopt) before; or write in the "
                    + "recipe: `accept: [{ rail: adopted, why: \"...\" }]`, and confirm that: "
                    + "`crossfade plan \(recipe.typed)` prints the line")
        }
        guard let since else { return nil }
        guard !recipe.hasCommands || recipe.commands.format.copiedVersion != .floor else {
            throw WorkError(
                .refused,
                "--since would bring nothing: with commands, copied documents have a version below every command "
                    + "(copy.version: floor), so what is there already stays. What changed since comes with the "
                    + "commands: `crossfade follow \(recipe.typed)`. If the documents have versions of their own, say "
                    + "copy.version: field or source")
        }
        guard let before = state.copy?.covered else {
            throw WorkError(
                .refused,
                "--since adds to a finished copy, and there is none: run `crossfade copy \(recipe.typed)` first")
        }
        return try since.part(prepared, before: before)
    }

    /// Documents without the field are in no later copy of a part.
    private func tellOfUnfound(_ part: MigrationState.Copy.Part?, _ reader: ClusterReader) throws {
        guard let part, let since else { return }
        logger.info("copying a part of the source", ["since": part.words])
        let without = since.without ?? prepared.recipe.copy.since.map { CopySince.without($0.field) }
        guard let without, since.without != nil || since == .last else { return }
        for index in prepared.survey.entries.flatMap(\.source) {
            let count = try SourceWait.ask(logger) { try reader.count(index.name, query: without) }
            guard count > 0 else { continue }
            logger.warning(
                "documents without the field are in no copy with --since; verify finds what changed in them",
                ["index": index.name, "documents": Int(count)])
        }
    }
}
