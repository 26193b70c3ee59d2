import Commands
import Failures
import Foundation
import Indexing
import JSONText
import Runtime
import SearchCluster
import Synchronization

/// Reads the unfinished slices of a copy, a few at a time, and feeds their pages into the pipeline.
///
/// `@unchecked Sendable` because `copy` is touched only under `lock`, and `readers` only by the thread that starts and
/// joins.
package final class CopyFeed: @unchecked Sendable {
    /// One unit of resume of the copy.
    package struct Slice: Sendable {
        /// Index into the pipeline's entries.
        package var entry: Int
        package var index: String
        /// ``SliceSpec/text``, as the migration's state keeps it.
        package var spec: String
        /// Which documents of the index are copied; nil: all.
        package var query: JSONValue?
        /// The most documents that the source gives at once.
        package var page = 10_000
        /// Read to its end and settled by an earlier run.
        package var isDone: Bool
        /// Documents that the source returned in the run that finished it.
        package var returned: Int

        package init(
            entry: Int, index: String, spec: String, query: JSONValue?, isDone: Bool, returned: Int
        ) {
            (self.entry, self.index, self.spec, self.query) = (entry, index, spec, query)
            (self.isDone, self.returned) = (isDone, returned)
        }
    }

    /// What became of a slice that this run has finished.
    package struct Finished: Sendable {
        package var returned: Int
        package var outcomes: OutcomeCounts
        /// Of those that were indexed, the documents that were not there before.
        package var created: Int
    }

    package struct Options: Sendable {
        package var slices: [Slice]
        /// Documents per page at most.
        package var page: Int
        /// How long the source keeps a scroll between two pages.
        package var keepAlive: String
        package var documentsPerSecond: Int?
        package var bytesPerSecond: Int?
        /// Keeps finished slices, by number; false when that was not possible now.
        package var record: @Sendable ([Int: Finished]) throws -> Bool

        package init(
            slices: [Slice], page: Int, keepAlive: String, documentsPerSecond: Int?, bytesPerSecond: Int?,
            record: @escaping @Sendable ([Int: Finished]) throws -> Bool
        ) {
            (self.slices, self.page, self.keepAlive, self.record) = (slices, page, keepAlive, record)
            (self.documentsPerSecond, self.bytesPerSecond) = (documentsPerSecond, bytesPerSecond)
        }
    }

    let options: Options
    let reader: ClusterReader
    let pipeline: Pipeline
    var slices: [Slice] { options.slices }
    let lock = NSLock()
    var copy: CopyProgress
    private var readers: [JoinableThread] = []
    private let running = Atomic<Int>(0)
    let pace: RateLimiter
    /// Why the source gives nothing of a slice at present, by slice.
    let troubles = Mutex<[Int: String]>([:])

    package init(_ options: Options, source: Cluster, pipeline: Pipeline) {
        self.options = options
        reader = source.reader
        self.pipeline = pipeline
        copy = CopyProgress(recorded: options.slices.map(\.isDone))
        pace = RateLimiter(documentsPerSecond: options.documentsPerSecond, bytesPerSecond: options.bytesPerSecond)
        for slice in copy.unfinished { pipeline.ledger.own(Int32(slice)) }
    }

    package func start(readers count: Int) {
        let slices = SliceReader(
            reader, page: options.page,
            pageBytes: min(32 << 20, max(1 << 20, pipeline.plan.memory.inFlight / (2 * max(1, count)))),
            keepAlive: options.keepAlive)
        running.store(count, ordering: .releasing)
        readers = (0..<count).map { number in
            JoinableThread("cf-copy-\(number)") { [self] in
                readSlices(slices)
                running.wrappingSubtract(1, ordering: .acquiringAndReleasing)
            }
        }
    }

    /// Whether nothing more comes: all read and settled, or stopped with what was read settled, or failed.
    package var isOver: Bool {
        guard !pipeline.failure.isSet else { return true }
        guard running.load(ordering: .acquiring) == 0 else { return false }
        guard pipeline.ledger.unsettled > 0 else { return true }
        pipeline.flush()
        return false
    }

    /// Documents that the source has returned and slices that are done, of this run and of earlier ones.
    package var progress: (returned: Int, done: Int) {
        lock.withLock {
            let earlier = slices.filter(\.isDone)
            return (
                OutsideNumber.sum(earlier.lazy.map(\.returned)) + copy.returned, earlier.count + copy.recordedCount
            )
        }
    }

    /// What keeps the source from giving documents at present; nil: nothing does.
    package var presentTrouble: String? { troubles.withLock { $0.min { $0.key < $1.key }?.value } }

    /// Documents the source returned in this run.
    package var returned: Int { lock.withLock { copy.returned } }

    /// Whether every slice of the copy is recorded as done.
    package var isComplete: Bool {
        lock.withLock { copy.isComplete }
    }

    package func join() { for reader in readers { reader.join(seconds: 30) } }

    /// Writes into the state which slices are read to the end and settled since the last time.
    package func record() throws {
        let now = lock.withLock { copy }
        let ready = now.recordable { slice in
            pipeline.ledger.ownership(of: Int32(slice))?.isFinished == true
        }
        guard !ready.isEmpty else { return }
        var finished: [Int: Finished] = [:]
        for number in ready {
            guard let slice = pipeline.ledger.ownership(of: Int32(number)) else { continue }
            finished[number] = Finished(
                returned: now.returned(of: number), outcomes: slice.outcomes,
                created: pipeline.sink.created(in: Int32(number)))
        }
        if try options.record(finished) { lock.withLock { copy.recorded(ready) } }
    }
}

extension SliceSpec {
    /// As the state keeps it: `slice 3/16`.
    package var text: String { "\(kind.rawValue) \(number)/\(of)" }

    package init?(index: String, text: String) {
        let words = text.split(separator: " ")
        let numbers = words.last?.split(separator: "/") ?? []
        guard words.count == 2, numbers.count == 2, let kind = Kind(rawValue: String(words[0])),
            let number = OutsideNumber.size(text: numbers[0]), let of = OutsideNumber.size(text: numbers[1]),
            0..<max(0, of) ~= number
        else { return nil }
        self.init(index: index, kind: kind, number: number, of: of)
    }
}
