import Commands
import State
import Telemetry

/// What a running `follow`, `replay` or `copy` knows of itself at one moment: all that `/statusz`, `/metrics`, the
/// dashboard and a progress line show. Times are milliseconds since 1970; what is not known is nil, never 0.
package struct WorkSnapshot: Sendable {
    /// Yes, or no with the reasons.
    package struct Verdict: Sendable, Equatable {
        /// Why not; empty: yes.
        package var reasons: [String] = []
        package var isReady: Bool { reasons.isEmpty }
    }

    /// A cluster, as it said when the work began.
    package struct Server: Sendable, Equatable {
        package var product: String
        package var version: String
        package var name: String
        /// Without credentials.
        package var url: String
    }

    /// A partition of the topic, as far as this process knows it.
    package struct Partition: Sendable, Equatable {
        package var partition: Int32
        /// Whether this process reads it at present.
        package var isOwned = false
        /// The first offset read here, the next one to read, and the one before which everything has its final outcome.
        package var start: Int64?
        package var position: Int64?
        package var committed: Int64?
        /// Where the log ends, or where the replay is to; nil: no broker has said so lately.
        package var end: Int64?
        /// Records from `committed` to `end`.
        package var lag: Int64?
        /// For how long the oldest of these may have waited at most, by the records' own timestamps.
        package var lagSeconds: Double?
        package var read = 0
        package var inFlight = 0
        /// In the order of `Outcome.allCases`.
        package var outcomes = Array(repeating: 0, count: Outcome.allCases.count)
    }

    package struct Copy: Sendable, Equatable {
        /// Documents that the source held when the copy began, and that it has returned since.
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
        /// Bulk requests that may be under way, and that are.
        package var limit = 0
        package var inFlight = 0
        /// Size of a full batch.
        package var batchDocuments = 0
        package var batchBytes = 0
        /// Answers in which the target said that it has too much to do.
        package var throttled = 0
        /// Requests by HTTP status (`none`: no answer came), and repetitions by reason; only those that there were.
        package var requests: [String: Int] = [:]
        package var retries: [String: Int] = [:]
        /// From sending a request to the end of its answer, in seconds.
        package var latency = HistogramFigures(bounds: [], counts: [0], sum: 0)
    }

    package struct Memory: Sendable, Equatable {
        /// Bytes between reading and acknowledgement, the most there may be of them, and the whole process's.
        package var inFlight = 0
        package var limit = 0
        package var resident = 0
        /// Of those in flight, what waits for a worker.
        package var queued = 0
    }

    package struct DeadLetterFigures: Sendable, Equatable {
        package var topic: String
        /// Acknowledged ones of this process: the records with that outcome, and the same by reason.
        package var written = 0
        package var reasons: [String: Int] = [:]
        /// Those in the topic that nothing has resolved, whoever wrote them; nil: nobody has looked them up.
        package var unresolved: [String: Int]?
    }

    /// A target index.
    package struct Index: Sendable, Equatable {
        package var index: String
        package var documents: Int
        package var tombstones: Int
        /// Fields of its mapping; nil: it was not asked.
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
    /// Whether readers could be moved to the target, as far as can be said by what runs.
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
    /// Bytes of records, or of pages' documents, that were read by now: with `read` what a rate is made of.
    package var bytesRead = 0
    /// Whether nothing is read at the moment because as much is in flight as may be.
    package var isFull = false
    /// For how long no partition's settled prefix has grown while records of it are in flight, at most, in seconds.
    package var oldestUnsettled: Double?
    package var partitions: [Partition] = []
    package var copy: Copy?
    package var replay: Replay?
    package var bulk = Bulk()
    package var memory = Memory()
    package var deadLetters: DeadLetterFigures
    /// Processes that work on this migration, this one too; looked at every 10 s.
    package var members: [MemberReport] = []
    /// Looked at every 30 s, while anybody asks.
    package var indices: [Index] = []
    package var alarms: [Alarm] = []
    /// What keeps the work from going on; nil: nothing does.
    package var waiting: String?
    /// Command lines to type next.
    package var next: [String] = []
}
