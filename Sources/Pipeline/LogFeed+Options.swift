import CommandLog
import Failures
import Indexing
import LogGuard

extension LogFeed {
    /// Where partitions begin, and records by which their log is known.
    package struct Start {
        package var offsets: [Int32: Int64]
        package var known: [Int32: RecordFingerprint]
        /// From where on no process can have applied a record; see ``OutcomeBook/own(_:start:unappliedFrom:)``.
        package var unappliedFrom: [Int32: Int64] = [:]
        /// What was not read yet, and since when compaction may have met deletes of it. Where nothing is known, since
        /// this moment.
        package var unread: [Int32: ForgottenDeletes.Stretch] = [:]

        package init(
            offsets: [Int32: Int64], known: [Int32: RecordFingerprint], unappliedFrom: [Int32: Int64] = [:],
            unread: [Int32: ForgottenDeletes.Stretch] = [:]
        ) {
            (self.offsets, self.known) = (offsets, known)
            (self.unappliedFrom, self.unread) = (unappliedFrom, unread)
        }
    }

    package typealias Commit = (
        LogConsumer, _ offsets: [Int32: Int64], _ notes: [Int32: String], _ synchronously: Bool
    ) throws -> CommitResult

    package enum CommitResult {
        case kept
        /// The broker's answer comes with a later poll.
        case underWay
        /// They could not be kept now; the next call has them again.
        case notKept
    }

    /// How a compacted log forgets its deletes.
    package struct Forgetting {
        /// How long it keeps them, in milliseconds.
        package var retention: Int64
        package var refusal: (_ partition: Int32, _ loss: UnreadDeletes.Loss, _ now: Int64) -> Refusal

        package init(
            retention: Int64,
            refusal: @escaping (_ partition: Int32, _ loss: UnreadDeletes.Loss, _ now: Int64) -> Refusal
        ) {
            (self.retention, self.refusal) = (retention, refusal)
        }
    }

    package struct Options {
        package var topic: String
        /// Frozen end of each partition for a bounded replay; nil: stay until told to stop.
        package var ends: [Int32: Int64]?
        /// Where each partition starts that becomes ours.
        package var start: (_ partitions: [Int32]) throws -> Start
        /// Keeps settled offsets, with a note beside each; called every `commitEvery` milliseconds while there are some
        /// that are not kept.
        package var commit: Commit
        package var commitEvery: Int64 = 1000
        /// nil: the log keeps its deletes, or its forgetting is not to be judged.
        package var compaction: Forgetting?
        /// Whether a group may give our partitions to others.
        package var isMember = false
        package var watch: LogMonitor?
        /// Of which work the committed offsets are; nil: that is not written beside them.
        package var mark: CommitNote.Mark?
        package var onTick: () -> Void
        /// Records of one partition were read, before they are handed over; nil: nobody wants to know.
        package var onRead: ((RecordBatch, PolledRun) -> Void)?

        package init(
            topic: String, ends: [Int32: Int64]? = nil,
            start: @escaping (_ partitions: [Int32]) throws -> Start,
            commit: @escaping Commit,
            commitEvery: Int64 = 1000, compaction: Forgetting? = nil, isMember: Bool = false, watch: LogMonitor? = nil,
            mark: CommitNote.Mark? = nil, onTick: @escaping () -> Void
        ) {
            (self.topic, self.ends, self.start, self.commit) = (topic, ends, start, commit)
            (self.commitEvery, self.compaction, self.isMember) = (commitEvery, compaction, isMember)
            (self.watch, self.mark, self.onTick) = (watch, mark, onTick)
        }
    }
}
