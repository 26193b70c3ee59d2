import Commands
import Foundation
import Indexing
import JSONText
import LogGuard
import Pipeline
import Planning
import Recipe
import Runtime
import SearchCluster
import State
import Synchronization
import Telemetry

/// A piece of work that can be watched while it runs. Whoever starts the work makes one, gives it to the work, and may
/// ask it from any thread, before, while and after it runs: ``snapshot()`` for all that is known, ``families()`` for a
/// scrape. Asking costs the work nothing but a short look under the ledger's and the sink's locks.
package final class LiveWork: Sendable {
    /// What the work tells on its way.
    package let events: WorkEvents
    package let prepared: Preflight
    package let command: String
    package let version: String
    package let started = WallClock.now()

    /// What is told or looked up now and then, by threads that look anyway.
    package struct Book: Sendable {
        package var pipeline: Pipeline?
        package var watch: LogMonitor?
        /// The copy that runs here.
        package var feed: CopyFeed?
        /// The state as it was last read.
        package var state: MigrationState?
        /// What the last look at the target failed with.
        package var targetTrouble: String?
        /// Since when a question to the target waits for its answer, by the monotonic clock; nil: none does.
        package var targetAskedAt: Int64?
        package var members: [MemberReport] = []
        /// What `status` would have found at the last look; nil: nothing, or not now.
        package var survey: Survey?
        package var history: MigrationHistory?
        package var indices: [WorkSnapshot.Index] = []
        /// nil: they were not looked up yet.
        package var letters: Letters?
        /// When each partition was last seen without lag, milliseconds since 1970.
        package var level: [Int32: Int64] = [:]
        /// The offset before which everything of a partition is settled, and since when it stands there with more in
        /// flight.
        package var settled: [Int32: (offset: Int64?, at: Int64)] = [:]
        package var lastAsked: Int64 = 0
        /// How far work in stages is, and where its present stage began.
        package var stage: StageReport?
        package var stageBegan: StagedProgress?
    }

    /// Dead letters by reason: the unresolved ones when that was looked up, and what this process had written by then.
    package struct Letters: Sendable {
        package var unresolved: [String: Int]
        package var own: [String: Int]
        /// What nobody can read or redrive any more, in words.
        package var lost: [String] = []
    }

    private let book: Mutex<Book>
    private let heart = Atomic<Int64>(MonotonicClock.milliseconds())

    /// - Parameters:
    ///   - command: `follow`, `replay` or `copy`.
    ///   - version: Crossfade's own.
    package init(_ prepared: Preflight, command: String, version: String, logger: Logger) {
        (self.prepared, self.command, self.version) = (prepared, command, version)
        events = WorkEvents(logger, indices: prepared.survey.entries.map(\.index))
        book = Mutex(Book(state: prepared.survey.state))
    }

    // MARK: From the work

    /// The work begins.
    package func runs(_ pipeline: Pipeline, watch: LogMonitor?, feed: CopyFeed? = nil) {
        book.withLock { ($0.pipeline, $0.watch, $0.feed) = (pipeline, watch, feed) }
    }

    /// The loop that moves the work goes round once more.
    package func beat() { heart.store(MonotonicClock.milliseconds(), ordering: .relaxed) }

    /// How far work in stages is. Rates are means since the stage began.
    package func tells(stage: String, _ parts: [Progress.Part], waiting: String? = nil) {
        beat()
        let now = MonotonicClock.milliseconds()
        book.withLock { book in
            if book.stageBegan?.stage != stage || book.stageBegan?.done.count != parts.count {
                book.stageBegan = StagedProgress(stage: stage, at: now, done: parts.map(\.done))
            }
            book.stage = book.stageBegan?.report(parts, waiting: waiting, now: now)
        }
    }

    /// How far work in stages is; nil: it has not begun, or has none.
    package var stage: StageReport? { book.withLock { $0.stage } }

    package func knows(_ state: MigrationState) { book.withLock { $0.state = state } }

    /// The state as it was last read.
    package var state: MigrationState? { book.withLock { $0.state } }

    package func targetIsAsked() { book.withLock { $0.targetAskedAt = MonotonicClock.milliseconds() } }

    /// `trouble`: why the target did not answer; nil: it did.
    package func targetAnswered(_ trouble: String?) {
        book.withLock { ($0.targetTrouble, $0.targetAskedAt) = (trouble, nil) }
    }

    /// Why the target cannot be written to, as far as that is known now; nil: it can.
    package var targetTrouble: String? {
        book.withLock { Self.targetTrouble($0, now: MonotonicClock.milliseconds()) }
    }

    /// A request that hangs says nothing until its time is over, which is long after somebody wants to know.
    package static let targetPatience: Int64 = 5000

    package static func targetTrouble(_ book: Book, now: Int64) -> String? {
        if let trouble = book.pipeline?.sink.presentTrouble ?? book.targetTrouble { return trouble }
        guard let asked = book.targetAskedAt, now - asked >= targetPatience else { return nil }
        return "it has not answered for \((now - asked) / 1000) s"
    }

    /// nil: it could not be looked up now, and what was known stays.
    package func sees(members: [MemberReport]?) { if let members { book.withLock { $0.members = members } } }

    /// nil: it could not be looked up now.
    package func sees(survey: Survey?, history: MigrationHistory?) {
        book.withLock { ($0.survey, $0.history) = (survey, history) }
    }

    package func sees(indices: [WorkSnapshot.Index]?) { if let indices { book.withLock { $0.indices = indices } } }

    /// Reads the dead letters, all of them; what cannot be read now stays as it was.
    package func lookUpLetters() {
        let (known, tally) = book.withLock { ($0.watch?.ends == nil ? nil : $0.pipeline, $0.state?.letters) }
        guard let pipeline = known else { return }
        let own = pipeline.deadLetters.reasons
        let read = try? Status.Letters.read(prepared.recipe, tally: tally, logger: events.logger)
        guard let read, let found = read.unresolved else { return }
        book.withLock { $0.letters = Letters(unresolved: found, own: own, lost: read.lost) }
    }

    /// Whether dead letters were looked up already.
    package var knowsLetters: Bool { book.withLock { $0.letters != nil } }

    /// Whether it answered the last question, whatever becomes of writes.
    package var targetAnswers: Bool { book.withLock { $0.targetTrouble == nil } }

    package var targetIsThere: Bool { targetTrouble == nil }

    /// Whether anybody has asked within the last minute: only then is worth looking what only they want to know.
    package var isWatched: Bool { book.withLock { WallClock.now() - $0.lastAsked < 60_000 } }

    // MARK: For who watches

    /// What keeps the work from going on; nil: nothing does.
    package var waiting: String? { waiting(book.withLock { $0 }) }

    private func waiting(_ book: Book) -> String? {
        guard let pipeline = book.pipeline else { return nil }
        if let trouble = pipeline.sink.presentTrouble { return trouble }
        if let trouble = Self.targetTrouble(book, now: MonotonicClock.milliseconds()) {
            return "the target: \(trouble)"
        }
        if let waiting = book.watch?.waiting { return waiting }
        // Assigned none is another thing than not assigned yet.
        return command == "follow" && !events.hasAssignment ? "the group has not assigned partitions yet" : nil
    }

    /// Milliseconds since the loop that moves the work last went round, which renews the lease, or said that it stands
    /// and why; 0 before and after it runs.
    package var heartbeatAge: Int64 {
        guard let pipeline = book.withLock({ $0.pipeline }) else { return 0 }
        return max(0, min(pipeline.lease.age, MonotonicClock.milliseconds() - heart.load(ordering: .relaxed)))
    }

    /// All that is known now. `isLooking`: somebody wants to see it, so that what must be looked up is looked up, too.
    package func snapshot(isLooking: Bool = true) -> WorkSnapshot {
        let now = WallClock.now()
        var book = book.withLock { book in
            if isLooking { book.lastAsked = now }
            return book
        }
        var snapshot = begun(book, now: now)
        if let pipeline = book.pipeline { take(pipeline, book, into: &snapshot) }
        takePartitions(&book, into: &snapshot)
        self.book.withLock { ($0.level, $0.settled) = (book.level, book.settled) }
        judge(book, &snapshot)
        return snapshot
    }

    /// What needs no running pipeline.
    private func begun(_ book: Book, now: Int64) -> WorkSnapshot {
        let recipe = prepared.recipe
        let state = book.state
        var snapshot = WorkSnapshot(
            migration: recipe.name, command: command, version: version, started: started, now: now,
            phase: StopSignal.isAsked ? "stopping" : state?.phase.rawValue ?? MigrationState.Phase.created.rawValue,
            fingerprint: prepared.fingerprint, topic: recipe.commands.topic,
            topicPartitions: prepared.survey.topic.partitions.count, group: recipe.commands.group,
            deadLetters: WorkSnapshot.DeadLetterFigures(topic: recipe.deadLetterTopic))
        snapshot.source =
            prepared.survey.source.map(WorkSnapshot.Server.init)
            ?? recipe.source.map { source in
                // Work that does not need it has not asked what it is.
                WorkSnapshot.Server(product: nil, version: nil, name: nil, url: source.urls.first ?? "")
            }
        snapshot.target = WorkSnapshot.Server(prepared.survey.target)
        snapshot.members = book.members
        snapshot.indices = book.indices
        snapshot.memory.limit = recipe.memory.limit
        snapshot.memory.resident = ProcessFigures.residentBytes
        snapshot.bytesRead = events.bytesTaken
        snapshot.receipt = state?.newestReceipt
        snapshot.log = WorkSnapshot.Log(recipe, watch: book.watch, survey: book.survey)
        snapshot.readers = WorkSnapshot.Readers(recipe, state: state, survey: book.survey)
        snapshot.verification =
            book.stage ?? book.members.first { $0.command == "verify" && !$0.isStale(now: now) }?.stage
        snapshot.copy = state?.copy.map { WorkSnapshot.Copy($0, running: book.feed) }
        return snapshot
    }

    private func take(_ pipeline: Pipeline, _ book: Book, into snapshot: inout WorkSnapshot) {
        let ledger = pipeline.ledger
        snapshot.bulk = WorkSnapshot.Bulk(pipeline.sink.load, events)
        snapshot.memory.inFlight = ledger.heldBytes.total
        snapshot.memory.queued = ledger.heldBytes.queued
        snapshot.isFull = pipeline.isFull
        let parts = ledger.partitions()
        snapshot.outcomes = Outcome.allCases.map { outcome in parts.reduce(0) { $0 + $1.outcomes[outcome] } }
        snapshot.inFlight = parts.reduce(0) { $0 + $1.inFlight }
        snapshot.read = parts.reduce(0) { $0 + $1.read }
        snapshot.deadLetters.written = snapshot.outcomes[Outcome.deadLettered.rawValue]
        snapshot.deadLetters.reasons = pipeline.deadLetters.reasons
        snapshot.alarms = ledger.alarms
        snapshot.waiting = waiting(book)
    }
}

extension WorkSnapshot.Server {
    package init(_ cluster: Cluster) {
        self.init(
            product: cluster.server.product.rawValue, version: "\(cluster.server.version)",
            name: cluster.server.clusterName, url: cluster.endpoint.urls.first ?? "")
    }
}

extension WorkSnapshot.Copy {
    package init(_ copy: MigrationState.Copy, running feed: CopyFeed?) {
        let done = copy.slices.filter(\.done)
        self.init(
            expected: copy.expected, returned: OutsideNumber.sum(done.map(\.returned)), slices: copy.slices.count,
            slicesDone: done.count, isFinished: copy.finished != nil)
        if let progress = feed?.progress { (returned, slicesDone) = progress }
    }
}

extension WorkSnapshot.Bulk {
    package init(_ load: BulkLoad, _ events: WorkEvents) {
        self.init(
            limit: load.limit, inFlight: load.inFlight, batchDocuments: load.batchDocuments,
            batchBytes: load.batchBytes, throttled: load.throttled, requests: events.bulkRequests,
            retries: events.bulkRetries, latency: events.bulkLatency)
    }
}
