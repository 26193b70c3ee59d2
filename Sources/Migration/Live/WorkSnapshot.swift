import Commands
import State
import Telemetry

/// All that a running `follow`, `replay` or `copy` knows of itself at one moment. `/statusz`, `/metrics`, the dashboard
/// and the progress line show it. Times are milliseconds since 1970. Unknown values are nil, never 0.
package struct WorkSnapshot: Sendable {
    /// Yes, or no with the reasons.
    package struct Verdict: Sendable, Equatable {
        /// Why not; empty: yes.
        package var reasons: [String] = []
        package var isReady: Bool { reasons.isEmpty }
    }

    /// A cluster, by its own answer when the work began.
    package struct Server: Sendable, Equatable {
        /// nil: this process has not asked it.
        package var product: String?
        package var version: String?
        package var name: String?
        /// Without credentials.
        package var url: String
    }

    /// A partition of the topic, as far as this process knows it.
    package struct Partition: Sendable, Equatable {
        package var partition: Int32
        /// Whether this process reads it at present.
        package var isOwned = false
        /// The first offset read here, the next offset to read, and the offset before which every record has its final
        /// outcome.
        package var start: Int64?
        package var position: Int64?
        package var committed: Int64?
        /// The end of the log, or of the replay; nil: no broker has told it lately.
        package var end: Int64?
        /// Records from `committed` to `end`.
        package var lag: Int64?
        /// The greatest possible age of the oldest of these records, in seconds, by the records' own timestamps.
        package var lagSeconds: Double?
        package var read = 0
        package var inFlight = 0
        /// In the order of `Outcome.allCases`.
        package var outcomes = Array(repeating: 0, count: Outcome.allCases.count)
    }

    package struct Copy: Sendable, Equatable {
        /// Documents that the source held when the copy began, and documents that it has returned since.
        package var expected: Int
        package var returned: Int
        package var slices: Int
        package var slicesDone: Int
        package var isFinished: Bool
    }

    package struct Replay: Sendable, Equatable {
        /// Records up to the frozen ends that have no final outcome yet.
        package var remaining: Int64
        package var isFinished: Bool
    }

    /// How hard the target is being worked.
    package struct Bulk: Sendable, Equatable {
        /// Bulk requests that may be under way, and those that are.
        package var limit = 0
        package var inFlight = 0
        /// Size of a full batch.
        package var batchDocuments = 0
        package var batchBytes = 0
        /// Answers in which the target said that it is overloaded.
        package var throttled = 0
        /// Requests by HTTP status (`none`: no answer came), and repeated requests by reason. Zeros are left out.
        package var requests: [String: Int] = [:]
        package var retries: [String: Int] = [:]
        /// From sending a request to the end of its answer, in seconds.
        package var latency = HistogramFigures(bounds: [], counts: [0], sum: 0)
    }

    package struct Memory: Sendable, Equatable {
        /// Bytes between reading and acknowledgement, their limit, and the resident memory of the process.
        package var inFlight = 0
        package var limit = 0
        package var resident = 0
        /// The part of `inFlight` that waits for a worker.
        package var queued = 0
    }

    package struct DeadLetterFigures: Sendable, Equatable {
        package var topic: String
        /// Acknowledged dead letters of this process, in all and by reason.
        package var written = 0
        package var reasons: [String: Int] = [:]
        /// All unresolved letters of the topic, by reason; nil: they were not looked up.
        package var unresolved: [String: Int]?
    }

    /// A target index.
    package struct Index: Sendable, Equatable {
        package var index: String
        package var documents: Int
        package var tombstones: Int
        /// Fields of its mapping; nil: unknown.
        package var fields: Int?
    }

    package var migration: String
    package var command: String
    /// Crossfade's own version.
    package var version: String
    package var started: Int64
    package var now: Int64
    package var phase: String
    package var fingerprint: String
    /// Whether this process does its work: partitions assigned, the target answers, the lag is known.
    package var ready = Verdict()
    /// Whether readers could be moved to the target, as far as this process knows.
    package var switching = Verdict()
    package var source: Server?
    package var target: Server?
    package var topic: String
    package var topicPartitions: Int
    package var group: String
    /// Of the partitions that this process reads.
    package var lag: Int64?
    package var lagSeconds: Double?
    /// At any moment `read == outcomes + inFlight`.
    package var read = 0
    package var inFlight = 0
    /// In the order of `Outcome.allCases`.
    package var outcomes = Array(repeating: 0, count: Outcome.allCases.count)
    /// Bytes of the records or of the pages' documents that were read. Rates are made of it and of `read`.
    package var bytesRead = 0
    /// Whether reading is paused because the bytes in flight have reached their limit.
    package var isFull = false
    /// The longest time, in seconds, for which a partition's settled prefix has not grown although records are in
    /// flight.
    package var oldestUnsettled: Double?
    package var partitions: [Partition] = []
    package var copy: Copy?
    package var replay: Replay?
    /// nil: there is no command topic.
    package var log: Log?
    /// How the last work ended that is to go on, or why it was refused; nil: it runs, or that is not known.
    package var lastStop: HistoryEvent?
    package var readers = Readers(position: "before")
    /// What was verified last; nil: nothing yet.
    package var receipt: ReceiptEntry?
    /// How far a verification is that runs, here or in another process; nil: none does.
    package var verification: StageReport?
    package var bulk = Bulk()
    package var memory = Memory()
    package var deadLetters: DeadLetterFigures
    /// Processes that work on this migration, including this one. Looked up every 3 s while somebody watches.
    package var members: [MemberReport] = []
    /// Looked up every 30 s while somebody watches.
    package var indices: [Index] = []
    package var alarms: [Alarm] = []
    /// What the work waits for; nil: nothing.
    package var waiting: String?
    /// Command lines to type next.
    package var next: [String] = []
}
