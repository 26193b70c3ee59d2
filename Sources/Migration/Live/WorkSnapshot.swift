import Commands
import Telemetry

/// What a running `follow`, `replay` or `copy` knows of itself at one moment: all that `/statusz`, `/metrics`, the
/// dashboard and a progress line show. Times are milliseconds since 1970; what is not known is nil, never 0.
public struct WorkSnapshot: Sendable {
    /// Yes, or no with the reasons.
    public struct Verdict: Sendable, Equatable {
        /// Why not; empty: yes.
        public var reasons: [String] = []
        public var isReady: Bool { reasons.isEmpty }
    }

    /// A cluster, as it said when the work began.
    public struct Server: Sendable, Equatable {
        public var product: String
        public var version: String
        public var name: String
        /// Without credentials.
        public var url: String
    }

    /// A partition of the topic, as far as this process knows it.
    public struct Partition: Sendable, Equatable {
        public var partition: Int32
        /// Whether this process reads it at present.
        public var isOwned = false
        /// The first offset read here, the next one to read, and the one before which everything has its final outcome.
        public var start: Int64?
        public var position: Int64?
        public var committed: Int64?
        /// Where the log ends, or where the replay is to; nil: no broker has said so lately.
        public var end: Int64?
        /// Records from `committed` to `end`.
        public var lag: Int64?
        /// For how long the oldest of these may have waited at most, by the records' own timestamps.
        public var lagSeconds: Double?
        public var read = 0
        public var inFlight = 0
        /// In the order of `Outcome.allCases`.
        public var outcomes = Array(repeating: 0, count: Outcome.allCases.count)
    }

    public struct Copy: Sendable, Equatable {
        /// Documents that the source held when the copy began, and that it has returned since.
        public var expected: Int
        public var returned: Int
        public var slices: Int
        public var slicesDone: Int
        public var isFinished: Bool
    }

    public struct Replay: Sendable, Equatable {
        /// Records up to the frozen ends that have no final outcome yet.
        public var remaining: Int64
        public var isFinished: Bool
    }

    /// How hard the target is being worked.
    public struct Bulk: Sendable, Equatable {
        /// Bulk requests that may be under way, and that are.
        public var limit = 0
        public var inFlight = 0
        /// Size of a full batch.
        public var batchDocuments = 0
        public var batchBytes = 0
        /// Answers in which the target said that it has too much to do.
        public var throttled = 0
        /// Requests by HTTP status (`none`: no answer came), and repetitions by reason; only those that there were.
        public var requests: [String: Int] = [:]
        public var retries: [String: Int] = [:]
        /// From sending a request to the end of its answer, in seconds.
        public var latency = HistogramFigures(bounds: [], counts: [0], sum: 0)
    }

    public struct Memory: Sendable, Equatable {
        /// Bytes between reading and acknowledgement, the most there may be of them, and the whole process's.
        public var inFlight = 0
        public var limit = 0
        public var resident = 0
        /// Of those in flight, what waits for a worker.
        public var queued = 0
    }

    public struct DeadLetterFigures: Sendable, Equatable {
        public var topic: String
        /// Acknowledged ones of this process: the records with that outcome, and the same by reason.
        public var written = 0
        public var reasons: [String: Int] = [:]
        /// Those in the topic that nothing has resolved, whoever wrote them; nil: nobody has looked them up.
        public var unresolved: [String: Int]?
    }

    /// A target index.
    public struct Index: Sendable, Equatable {
        public var index: String
        public var documents: Int
        public var tombstones: Int
        /// Fields of its mapping; nil: it was not asked.
        public var fields: Int?
    }

    public var migration: String
    public var command: String
    /// Crossfade's own version.
    public var version: String
    public var started: Int64
    public var now: Int64
    public var phase: String
    public var fingerprint: String
    /// Whether this process does its work: partitions assigned, the target answers, the lag is known.
    public var ready = Verdict()
    /// Whether readers could be moved to the target, as far as can be said by what runs.
    public var switching = Verdict()
    public var source: Server?
    public var target: Server?
    public var topic: String
    public var topicPartitions: Int
    public var group: String
    /// Of the partitions that this process reads.
    public var lag: Int64?
    public var lagSeconds: Double?
    /// At any moment `read == outcomes + inFlight`.
    public var read = 0
    public var inFlight = 0
    /// In the order of `Outcome.allCases`.
    public var outcomes = Array(repeating: 0, count: Outcome.allCases.count)
    /// Bytes of records, or of pages' documents, that were read by now: with `read` what a rate is made of.
    public var bytesRead = 0
    /// Whether nothing is read at the moment because as much is in flight as may be.
    public var isFull = false
    /// For how long no partition's settled prefix has grown while records of it are in flight, at most, in seconds.
    public var oldestUnsettled: Double?
    public var partitions: [Partition] = []
    public var copy: Copy?
    public var replay: Replay?
    public var bulk = Bulk()
    public var memory = Memory()
    public var deadLetters: DeadLetterFigures
    /// Processes that work on this migration, this one too; looked at every 10 s.
    public var members: [MemberReport] = []
    /// Looked at every 30 s, while anybody asks.
    public var indices: [Index] = []
    public var alarms: [Alarm] = []
    /// What keeps the work from going on; nil: nothing does.
    public var waiting: String?
    /// Command lines to type next.
    public var next: [String] = []
}
