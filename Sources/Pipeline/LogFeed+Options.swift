import CommandLog
import LogGuard

extension LogFeed {
    /// Where partitions begin, and records by which their log is known.
    package struct Start {
        package var offsets: [Int32: Int64]
        package var known: [Int32: RecordFingerprint]
        /// From where on no process can have applied a record; see ``OutcomeBook/own(_:start:unappliedFrom:)``.
        package var unappliedFrom: [Int32: Int64] = [:]

        package init(offsets: [Int32: Int64], known: [Int32: RecordFingerprint], unappliedFrom: [Int32: Int64] = [:]) {
            (self.offsets, self.known, self.unappliedFrom) = (offsets, known, unappliedFrom)
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
        /// Whether a group may give our partitions to others.
        package var isMember = false
        package var watch: LogMonitor?
        package var onTick: () -> Void

        package init(
            topic: String, ends: [Int32: Int64]? = nil,
            start: @escaping (_ partitions: [Int32]) throws -> Start,
            commit: @escaping Commit,
            commitEvery: Int64 = 1000, isMember: Bool = false, watch: LogMonitor? = nil,
            onTick: @escaping () -> Void
        ) {
            (self.topic, self.ends, self.start, self.commit) = (topic, ends, start, commit)
            (self.commitEvery, self.isMember, self.watch, self.onTick) = (commitEvery, isMember, watch, onTick)
        }
    }
}
