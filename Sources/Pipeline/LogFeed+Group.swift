import CommandLog
import Failures
import Foundation
import Indexing
import LogGuard
import Runtime
import Telemetry

/// Commits, and what the group gives and takes.
extension LogFeed {
    // MARK: Commit

    /// Commits what is settled and not yet kept. `last`: waits for the answer.
    func commit(_ consumer: LogConsumer, last: Bool) throws {
        guard !isHalted else { return }
        let offsets = assignment.offsetsToCommit(settled: pipeline.ledger.committable(), last: last)
        options.watch?.moved(assignment.positions, applied: assignment.settledMarks)
        if let told = options.watch?.agedEnds { unread.ended(told.ends, at: WallClock.now() - told.age) }
        guard !offsets.isEmpty else { return }
        switch try options.commit(consumer, offsets, notes(offsets), last) {
        case .underWay: assignment.commitSent(offsets)
        case .kept:
            assignment.commitAnswered(offsets, isKept: true)
            pipeline.events.offsetsKept(now: WallClock.now())
        case .notKept: pipeline.events.offsetsNotKept()
        }
    }

    /// Commits before the end. A failure does no harm, because the records are read again; but a partition in which
    /// nothing more is written would look as if something was left to do. So a broker that says no is asked again.
    func commitLast(_ consumer: LogConsumer) {
        let end = MonotonicClock.milliseconds() + 1000
        while true {
            do {
                return try commit(consumer, last: true)
            } catch {
                pipeline.events.commitFailed((error as? LogError)?.message ?? "\(error)")
                guard (error as? LogError)?.code != .groupActive, MonotonicClock.milliseconds() < end else { return }
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    private func notes(_ offsets: [Int32: Int64]) -> [Int32: String] {
        let epoch = pipeline.plan.format.epoch
        return offsets.reduce(into: [:]) { notes, commit in
            let (partition, offset) = commit
            notes[partition] =
                CommitNote(
                    epoch: epoch, fingerprint: assignment.mark(of: partition),
                    anchor: options.watch?.anchor(of: partition), time: unread.since(partition, before: offset),
                    mark: options.mark
                ).text
        }
    }

    // MARK: Rebalance

    package func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] {
        let begin: Start
        do {
            begin = try options.start(partitions)
        } catch {
            refusal = error as? WorkError
            throw error
        }
        for partition in partitions {
            // The consumer makes an error of a partition without a start.
            guard let start = begin.offsets[partition] else { continue }
            pipeline.ledger.own(partition, start: start, unappliedFrom: begin.unappliedFrom[partition])
            // Committed before anything is read: where a member began is known even if it is killed before its first
            // commit and retention takes what it had read.
            pipeline.ledger.advance(partition, to: start)
            let known = begin.known[partition].flatMap { $0.offset < start ? $0 : nil }
            assignment.assign(partition, start: start, known: known)
            let stretch = begin.unread[partition]
            unread.assign(
                partition, start: start, from: stretch?.offsets.lowerBound ?? start,
                since: stretch.map(\.since.time) ?? WallClock.now())
        }
        options.watch?.began(begin.offsets, known: begin.known)
        pipeline.events.partitionsAssigned(partitions)
        return begin.offsets
    }

    package func revoked(_ partitions: [Int32], lost: Bool) {
        let revocation = GroupTimeouts.revocation(
            isLost: lost, leaseIsValid: pipeline.lease.isValid, isStillMember: { isStillMember(partitions) })
        pipeline.lease.renew()
        var drained = false
        if revocation == .handOver {
            drained = !isHalted && pipeline.drain(partitions, seconds: seconds(timeouts.drain))
            if let consumer { try? commit(consumer, last: true) }
        }
        for partition in partitions { pipeline.ledger.giveUp(partition) }
        if assignment.revoke(partitions) { pipeline.abandonAll() }
        unread.revoke(partitions)
        options.watch?.ended(partitions)
        pipeline.events.partitionsRevoked(partitions, lost: revocation == .lost, drained: drained)
    }

    // MARK: After a stop

    /// The process did not run for so long that the group may have given its partitions away. Nothing is written before
    /// the group has taken a commit of ours, which it refuses to a member it no longer knows, or has taken the
    /// partitions away.
    func askGroup(_ consumer: LogConsumer, _ records: RecordBatch) throws {
        guard !assignment.isEmpty else { return }
        pipeline.events.processWasStopped(
            milliseconds: pipeline.lease.age, sessionTimeout: timeouts.session)
        while !assignment.isEmpty, !StopSignal.isAsked, !pipeline.failure.isSet {
            if isStillMember(assignment.numbers) { return }
            try consumer.poll(into: records, timeoutMs: 100, paused: true)
            tell(records.events)
        }
    }

    private func isStillMember(_ partitions: [Int32]) -> Bool {
        guard let consumer, !isHalted else { return false }
        let offsets = assignment.offsetsThatProveMembership(partitions, settled: pipeline.ledger.committable())
        let left = try? consumer.commit(
            offsets, notes: notes(offsets), synchronously: true, timeout: min(2, seconds(timeouts.commit)))
        guard left?.isEmpty == true else { return false }
        assignment.commitAnswered(offsets, isKept: true)
        return true
    }
}
