import Commands
import Foundation
import Runtime
import SearchCluster
import Synchronization

/// Reads the unfinished slices of a copy, a few at a time, and feeds their pages into the pipeline.
///
/// `@unchecked Sendable` because `returnedBySlice`, `written` and `waiting` are touched only under `lock`.
final class CopyFeed: @unchecked Sendable {
    private let prepared: Preparation
    private let reader: SourceReader
    private let pipeline: Pipeline
    private let store: StateStore
    private let slices: [MigrationState.Slice]
    private let lock = NSLock()
    private var waiting: [Int]
    private var returnedBySlice: [Int: Int] = [:]
    private var written: Set<Int> = []
    private var readers: [JoinableThread] = []
    private let running = Atomic<Int>(0)
    private let pace: RateLimiter

    init(
        _ prepared: Preparation, source: Cluster, pipeline: Pipeline, copy: MigrationState.Copy, store: StateStore
    ) {
        self.prepared = prepared
        reader = source.reader
        self.pipeline = pipeline
        self.store = store
        slices = copy.slices
        waiting = copy.slices.indices.filter { !copy.slices[$0].done }.reversed()
        pace = RateLimiter(
            documentsPerSecond: prepared.recipe.copy.documentsPerSecond,
            bytesPerSecond: prepared.recipe.copy.bytesPerSecond)
        for slice in waiting { pipeline.ledger.own(Int32(slice)) }
    }

    func start(readers count: Int) {
        running.store(count, ordering: .releasing)
        readers = (0..<count).map { number in
            JoinableThread("cf-copy-\(number)") { [self] in
                readSlices()
                running.wrappingSubtract(1, ordering: .acquiringAndReleasing)
            }
        }
    }

    /// Whether nothing more comes: all read and settled, or stopped with what was read settled, or failed.
    var isOver: Bool {
        guard !pipeline.failure.isSet else { return true }
        guard running.load(ordering: .acquiring) == 0 else { return false }
        guard pipeline.ledger.unsettled > 0 else { return true }
        pipeline.flush()
        return false
    }

    /// Documents that the source has returned and slices that are done, of this run and of earlier ones.
    var progress: (returned: Int, done: Int) {
        lock.withLock {
            let earlier = slices.filter(\.done)
            return (
                earlier.reduce(0) { $0 + $1.returned } + returnedBySlice.values.reduce(0, +),
                earlier.count + written.count
            )
        }
    }

    /// Documents the source returned in this run.
    var returned: Int { lock.withLock { returnedBySlice.values.reduce(0, +) } }

    /// Whether every slice of the copy is recorded as done.
    var isComplete: Bool {
        lock.withLock { slices.indices.allSatisfy { slices[$0].done || written.contains($0) } }
    }

    func join() { for reader in readers { reader.join(seconds: 30) } }

    /// Writes into the state which slices are read to the end and settled since the last time.
    func record() throws {
        let ready = lock.withLock { slices.indices.filter { !slices[$0].done && !written.contains($0) } }.filter {
            guard let lane = pipeline.ledger.lane(Int32($0)) else { return false }
            return lane.exhausted && lane.tracker.unsettled == 0
        }
        guard !ready.isEmpty else { return }
        let kept = try store.updateIfReachable { state in
            for number in ready where state.copy?.slices.indices.contains(number) == true {
                guard let lane = pipeline.ledger.lane(Int32(number)) else { continue }
                state.copy?.slices[number].done = true
                state.copy?.slices[number].returned = lock.withLock { returnedBySlice[number] ?? 0 }
                for outcome in Outcome.allCases where lane.outcomes[outcome] > 0 {
                    state.copy?.slices[number].outcomes[outcome.name] = lane.outcomes[outcome]
                }
            }
        }
        if kept { lock.withLock { written.formUnion(ready) } }
    }

    // MARK: Readers

    private func readSlices() {
        while !StopSignal.isAsked, !pipeline.failure.isSet {
            guard let number = lock.withLock({ waiting.popLast() }) else { return }
            do {
                try read(number)
            } catch {
                let failed = error as? ClusterError
                pipeline.failure.set(
                    WorkError(
                        .cluster,
                        "the copy of index \(slices[number].index), slice \(slices[number].spec), stopped: "
                            + "\(failed?.message ?? "\(error)"). Finished slices are kept: start `copy` again to go on",
                        underlying: failed?.underlying))
            }
        }
    }

    private func read(_ number: Int) throws {
        let slice = slices[number]
        guard let spec = SliceSpec(index: slice.index, text: slice.spec) else {
            throw WorkError(.state, "the state names a slice \(slice.spec) that this version does not know")
        }
        let index = prepared.survey.entries.flatMap(\.source).first { $0.name == slice.index }
        let scroll = reader.openScroll(spec, pageSize: prepared.recipe.copy.page, query: index?.liveQuery)
        defer { scroll.close() }
        var done = 0
        while let page = try scroll.nextPage() {
            guard !StopSignal.isAsked, !pipeline.failure.isSet else { return }
            pace.wait(documents: page.hits.count, bytes: page.sourceBytes)
            while pipeline.isFull, !pipeline.failure.isSet, !StopSignal.isAsked {
                Thread.sleep(forTimeInterval: 0.005)
            }
            guard !StopSignal.isAsked else { return }
            let first = Int64(done)
            done += page.hits.count
            lock.withLock { returnedBySlice[number] = done }
            if let run = pipeline.ledger.open(
                lane: Int32(number), first: first, next: Int64(done), count: page.hits.count)
            {
                pipeline.feed(PageChunk(run: run, page: page, entry: slice.entry))
            }
        }
        pipeline.ledger.exhaust(lane: Int32(number))
    }
}

extension SliceSpec {
    /// As the state keeps it: `slice 3/16`.
    var text: String { "\(kind.rawValue) \(number)/\(of)" }

    init?(index: String, text: String) {
        let words = text.split(separator: " ")
        let numbers = words.last?.split(separator: "/") ?? []
        guard words.count == 2, numbers.count == 2, let kind = Kind(rawValue: String(words[0])),
            let number = Int(numbers[0]), let of = Int(numbers[1])
        else { return nil }
        self.init(index: index, kind: kind, number: number, of: of)
    }
}
