import Seeds
import Testing

@testable import Indexing

@Suite struct PartitionAssignmentTests {
    private typealias Assignment = PartitionAssignment<Int>

    /// An asynchronous commit that failed was said to be repeated by the next one. But its offset counted as committed,
    /// and equal offsets were left out: an idle partition stayed uncommitted, and its lag above 0.
    @Test func anIdlePartitionIsCommittedAgainAfterAFailedCommit() {
        var assignment = Assignment()
        assignment.assign(0, start: 0)
        let settled: [Int32: Int64] = [0: 7]
        let first = assignment.offsetsToCommit(settled: settled, last: false)
        #expect(first == settled)
        assignment.commitSent(settled)
        let meanwhile = assignment.offsetsToCommit(settled: settled, last: false)
        #expect(meanwhile.isEmpty, "it is under way")
        assignment.commitAnswered(settled, isKept: false)
        let again = assignment.offsetsToCommit(settled: settled, last: false)
        #expect(again == settled, "it failed, so it is sent again")
        assignment.commitSent(settled)
        assignment.commitAnswered(settled, isKept: true)
        let after = assignment.offsetsToCommit(settled: settled, last: true)
        #expect(after.isEmpty, "it is kept")
    }

    /// At shutdown nobody waits for the answer to an asynchronous commit.
    @Test func theLastCommitCarriesWhatIsUnderWay() {
        var assignment = Assignment()
        assignment.assign(0, start: 0)
        assignment.commitSent([0: 7])
        let last = assignment.offsetsToCommit(settled: [0: 7], last: true)
        #expect(last == [0: 7])
    }

    /// A broker that loses commits, or answers late: what it keeps is never ahead of what is settled, nothing is sent
    /// without need, and in the end it keeps everything.
    @Test func everythingSettledIsKeptInTheEnd() {
        let seed = newSeed("everythingSettledIsKeptInTheEnd")
        var random = Seeded(seed)
        for _ in 0..<300 {
            var assignment = Assignment()
            var settled: [Int32: Int64] = [:]
            var broker: [Int32: Int64] = [:]
            var underWay: [(offsets: [Int32: Int64], isKept: Bool)] = []
            func answer(_ assignment: inout Assignment) {
                let commit = underWay.removeFirst()
                assignment.commitAnswered(commit.offsets, isKept: commit.isKept)
            }
            for partition in 0..<Int32(1 + random.below(3)) { assignment.assign(partition, start: 0) }
            for _ in 0..<60 {
                let partition = Int32(random.below(3))
                switch random.below(5) {
                case 0, 1: settled[partition, default: 0] += Int64(1 + random.below(3))
                case 2, 3:
                    let offsets = assignment.offsetsToCommit(settled: settled, last: false)
                    guard !offsets.isEmpty else { continue }
                    assignment.commitSent(offsets)
                    let isKept = random.below(3) > 0
                    if isKept { broker.merge(offsets) { _, new in new } }
                    underWay.append((offsets, isKept))
                default: if !underWay.isEmpty { answer(&assignment) }
                }
                #expect(broker.allSatisfy { $0.value <= settled[$0.key] ?? 0 }, "seed \(seed)")
            }
            let last = assignment.offsetsToCommit(settled: settled, last: true)
            broker.merge(last) { _, new in new }
            let ours = settled.filter { assignment.numbers.contains($0.key) }
            #expect(broker == ours, "seed \(seed)")
            while !underWay.isEmpty { answer(&assignment) }
        }
    }

    @Test func anAnswerForAFormerAssignmentDoesNoHarm() {
        var assignment = Assignment()
        assignment.assign(0, start: 0)
        assignment.commitSent([0: 7])
        #expect(revoked(&assignment, [0]))
        assignment.commitAnswered([0: 7], isKept: true)
        assignment.assign(0, start: 7)
        assignment.commitSent([0: 9])
        assignment.commitAnswered([0: 7], isKept: true)
        let offsets = assignment.offsetsToCommit(settled: [0: 12], last: false)
        #expect(offsets == [0: 12])
    }

    @Test func commitsAreDueEverySoOftenAndAfterAnAssignment() {
        var assignment = Assignment(commitEvery: 100)
        var due: [Int64] = []
        for now: Int64 in stride(from: 1000, through: 1300, by: 50)
        where assignment.isCommitDue(now: now) { due.append(now) }
        #expect(due == [1000, 1100, 1200, 1300])
        assignment.assign(0, start: 0)
        let isDue = assignment.isCommitDue(now: 1301)
        #expect(isDue)
    }

    /// A bounded replay ends where it was frozen, though the log has grown, and markers at the end count as read.
    @Test func frozenEndsAreReached() {
        var assignment = Assignment(ends: [0: 10, 1: 0, 2: 5])
        assignment.assign(0, start: 0)
        assignment.assign(2, start: 0)
        #expect(!assignment.isOver && assignment.end(of: 0) == 10 && assignment.end(of: 7) == .max)
        #expect(read(&assignment, 0, next: 8))
        let reached = assignment.reached(0, 400)
        #expect(reached == 10 && assignment.positions == [0: 10, 2: 0])
        #expect(!assignment.isOver)
        let end = assignment.reached(2, 5)
        #expect(end == 5 && assignment.isOver)
        #expect(!Assignment().isOver)
    }

    @Test func recordsOfAPartitionThatWasTakenAwayAreDropped() {
        var assignment = Assignment()
        assignment.assign(0, start: 3)
        assignment.assign(1, start: 4)
        #expect(!revoked(&assignment, [0]))
        #expect(!read(&assignment, 0, next: 9))
        let reached = assignment.reached(0, 9)
        #expect(reached == nil && assignment.positions == [1: 4])
        let offsets = assignment.offsetsToCommit(settled: [0: 9], last: true)
        #expect(offsets.isEmpty)
        #expect(revoked(&assignment, [1]) && assignment.isEmpty)
    }

    @Test func theMarkBesideAnOffsetIsThatOfTheRecordBeforeIt() {
        var assignment = Assignment()
        assignment.assign(0, start: 10, known: 9)
        #expect(assignment.mark(of: 0) == 9 && assignment.settledMarks == [0: 9])
        #expect(read(&assignment, 0, next: 20))
        #expect(read(&assignment, 0, next: 30))
        _ = assignment.offsetsToCommit(settled: [0: 20], last: false)
        #expect(assignment.mark(of: 0) == 20)
        let proof = assignment.offsetsThatProveMembership([0, 1], settled: [:])
        #expect(proof == [0: 10])
        let later = assignment.offsetsThatProveMembership([0], settled: [0: 30])
        #expect(later == [0: 30] && assignment.mark(of: 0) == 30)
    }

    private func revoked(_ assignment: inout Assignment, _ partitions: [Int32]) -> Bool {
        assignment.revoke(partitions)
    }

    private func read(_ assignment: inout Assignment, _ partition: Int32, next: Int64) -> Bool {
        assignment.read(partition, next: next, Int(next))
    }
}

@Suite struct RunTrailTests {
    /// The settled mark is always that of the last run below what is settled, whatever is read meanwhile.
    @Test func followsThePrefix() {
        let seed = newSeed("followsThePrefix")
        var random = Seeded(seed)
        for _ in 0..<20 {
            var trail = RunTrail<Int64>(known: -1)
            var lasts: [Int64] = [-1]
            var (next, settled): (Int64, Int64) = (0, 0)
            for _ in 0..<1000 {
                next += Int64(1 + random.below(7))
                trail.read(next - 1, next - 1)
                lasts.append(next - 1)
                settled = max(settled, next - Int64(random.below(40)))
                trail.settle(upTo: settled)
                #expect(trail.settled == lasts.last { $0 < settled }, "seed \(seed)")
            }
        }
    }
}

@Suite struct PolledRunTests {
    /// Cutting what a poll brought into runs loses nothing, changes no order, and applies nothing behind a frozen end.
    @Test func runsAreTheRecordsInOrder() {
        let seed = newSeed("runsAreTheRecordsInOrder")
        var random = Seeded(seed)
        for round in 0..<60 {
            var next: [Int32: Int64] = [:]
            var partition: Int32 = 0
            let records = (0..<random.below(round % 20 == 0 ? 3000 : 60)).map { _ in
                if random.below(round % 20 == 0 ? 2000 : 4) == 0 { partition = Int32(random.below(3)) }
                next[partition, default: 0] += Int64(1 + random.below(2))
                return PolledRecord(
                    partition: partition, offset: next[partition] ?? 0, bytes: random.below(100))
            }
            let ends: [Int32: Int64] =
                random.below(2) == 0 ? [:] : [0: 20, 1: 3, 2: Int64(random.below(100))]
            var from = 0
            while from < records.count {
                let run = PolledRun.next(
                    from: from, count: records.count, end: { ends[$0] ?? .max }, record: { records[$0] })
                #expect(run.records.lowerBound == from && run.records.upperBound == run.surplus.lowerBound)
                #expect(
                    run.surplus.upperBound > from && run.records.count <= PolledRun.longest, "seed \(seed)")
                let (taken, dropped) = (records[run.records], records[run.surplus])
                let end = ends[run.partition] ?? .max
                var bytes = 0
                for record in taken {
                    #expect(record.partition == run.partition && record.offset < end, "seed \(seed)")
                    bytes += record.bytes
                }
                for record in dropped {
                    #expect(record.partition == run.partition && record.offset >= end, "seed \(seed)")
                }
                #expect(run.bytes == bytes, "seed \(seed)")
                from = run.surplus.upperBound
            }
            #expect(from == records.count)
        }
    }
}

@Suite struct GroupTimeoutsTests {
    @Test func boundsComeFromTheGroup() {
        let usual = GroupTimeouts(session: 45_000, heartbeat: 3000, poll: 300_000)
        #expect(usual.lease == 39_000 && usual.drain == 22_500 && usual.commit == 10_000)
        let short = GroupTimeouts(session: 6000, heartbeat: 2500, poll: 4000)
        #expect(short.lease == 3000 && short.drain == 2000 && short.commit == 1000)
    }

    @Test func whoWasStoppedAsksTheGroup() {
        func revocation(_ isLost: Bool, lease: Bool, member: Bool) -> GroupTimeouts.Revocation {
            GroupTimeouts.revocation(isLost: isLost, leaseIsValid: lease, isStillMember: { member })
        }
        for member in [true, false] {
            #expect(revocation(true, lease: true, member: member) == .lost)
            #expect(revocation(false, lease: true, member: member) == .handOver)
            #expect(revocation(false, lease: false, member: member) == (member ? .handOver : .lost))
        }
    }
}
