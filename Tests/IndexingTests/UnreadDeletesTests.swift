import Indexing
import Seeds
import Testing

@Suite struct UnreadDeletesTests {
    private typealias Record = UnreadDeletes.Record
    private let day: Int64 = 86_400_000

    private func read(
        _ deletes: inout UnreadDeletes, _ records: [(offset: Int64, time: Int64)], now: Int64, sameKey: Bool = false
    ) -> UnreadDeletes.Loss? {
        deletes.read(0, count: records.count, next: (records.last?.offset ?? 0) + 1, now: now) { place in
            Record(
                offset: records[place].offset, timestamp: records[place].time,
                key: sameKey ? 1 : UInt64(bitPattern: records[place].offset))
        }
    }

    @Test func aGapAfterALongStandstill() {
        var deletes = UnreadDeletes(retention: day)
        deletes.assign(0, start: 10, from: 10, since: 0)
        #expect(read(&deletes, [(10, 5), (12, 6)], now: day) == nil, "nothing is older than a day")
        deletes.ended([0: 13], at: day)
        #expect(read(&deletes, [(13, day), (14, day)], now: 9 * day) == nil, "there is no gap")
        let loss = read(&deletes, [(16, 2 * day)], now: 9 * day)
        #expect(loss?.from == 15 && loss?.since == day && loss?.gap == .init(offsets: 15..<16, after: day))
        var other = UnreadDeletes(retention: nil)
        other.assign(0, start: 10, from: 10, since: 0)
        #expect(read(&other, [(12, 6)], now: 9 * day) == nil, "the log keeps its deletes")
    }

    @Test func whatTheOldIndexHadAppliedDoesNotMatter() {
        var deletes = UnreadDeletes(retention: 1)
        deletes.assign(0, start: 0, from: 10, since: 0)
        #expect(read(&deletes, [(1, 1), (5, 1), (9, 1)], now: 99) == nil)
        #expect(read(&deletes, [(11, 1)], now: 99)?.gap.offsets == 10..<11)
    }

    /// A replay ends at an offset behind which there are records.
    @Test func aGapBeforeTheEndOfAReplayCountsToo() {
        var deletes = UnreadDeletes(retention: day)
        deletes.assign(0, start: 0, from: 0, since: 0)
        #expect(read(&deletes, [(0, 5)], now: day) == nil)
        #expect(deletes.passed(0, to: 1, now: 9 * day) == nil)
        #expect(deletes.passed(0, to: 3, now: 9 * day)?.gap == .init(offsets: 1..<3, after: 5))
        deletes.assign(0, start: 0, from: 3, since: 0)
        #expect(deletes.passed(0, to: 3, now: 9 * day) == nil)
    }

    @Test func nothingIsJudgedUntilATimeIsKnown() {
        var deletes = UnreadDeletes(retention: 1)
        deletes.assign(0, start: 0, from: 0, since: nil)
        #expect(read(&deletes, [(3, 1)], now: 99) == nil && deletes.since(0, before: 4) == nil)
        deletes.ended([0: 5], at: 99)
        #expect(deletes.since(0, before: 4) == nil, "the log ends further on")
        deletes.ended([0: 4], at: 99)
        #expect(deletes.since(0, before: 4) == 99 && read(&deletes, [(6, 1)], now: 200) != nil)
    }

    /// What was read and is not applied yet would be read again by the next process.
    @Test func theTimeOfACommitIsThatOfItsOffset() {
        var deletes = UnreadDeletes(retention: day)
        deletes.assign(0, start: 0, from: 0, since: 5)
        for offset in Int64(0)..<1000 {
            #expect(read(&deletes, [(offset, offset)], now: 1000 + offset) == nil)
            deletes.ended([0: offset + 1], at: 1000 + offset)
        }
        #expect(deletes.since(0, before: 0) == 5)
        let middle = deletes.since(0, before: 500) ?? 0
        #expect(middle <= 1499 && middle > 1400, "\(middle)")
        #expect(deletes.since(0, before: 1000) == 1999)
        deletes.revoke([0])
        #expect(deletes.since(0, before: 1000) == nil)
    }

    /// A log that is written, compacted now and then, and read with pauses. A delete that is gone before it was read is
    /// noticed; a reader that keeps up is never stopped.
    @Test func everyLostDeleteIsNoticed() {
        let seed = newSeed("unread deletes")
        var losses = 0
        for round in 0..<2000 {
            var random = Seeded(seed &+ UInt64(round))
            losses += follow(&random, "seed \(seed), round \(round)") ? 1 : 0
        }
        #expect(losses > 10, "only \(losses) of the logs lost a delete")
    }

    /// Whether a delete was lost.
    private func follow(_ random: inout Seeded, _ about: String) -> Bool {
        let retention = Int64(5 + random.below(40))
        let keepsUp = random.chance(30)
        var log = CompactedLog(retention: retention)
        var deletes = UnreadDeletes(retention: retention)
        var position: Int64 = 0
        var seen: Set<Int64> = []
        var told: (end: Int64, time: Int64) = (0, 0)
        deletes.assign(0, start: 0, from: 0, since: 0)
        for now in Int64(1)..<120 {
            while random.chance(60) { log.write(now, &random) }
            if random.chance(20) { log.compact(upTo: Int64(random.below(Int(log.end) + 1)), now: now) }
            guard keepsUp || random.chance(8) else { continue }
            let records = log.records.filter { $0.offset >= position }.prefix(keepsUp ? 1000 : 1 + random.below(20))
            let lost = log.removedDeletes.contains { gone in
                gone >= position && gone < (records.last?.offset ?? position) && !seen.contains(gone)
            }
            let loss = deletes.read(0, count: records.count, next: (records.last?.offset ?? 0) + 1, now: now) {
                Record(
                    offset: records[records.startIndex + $0].offset, timestamp: records[records.startIndex + $0].time,
                    key: UInt64(records[records.startIndex + $0].id))
            }
            if keepsUp { #expect(loss == nil, "\(about), at \(now)") }
            if lost { #expect(loss != nil, "\(about), at \(now)") }
            if loss != nil { return lost }
            seen.formUnion(records.map(\.offset))
            position = max(position, (records.last?.offset ?? -1) + 1)
            // Behind the last record there is nothing but a marker.
            if !log.records.contains(where: { $0.offset >= position }) {
                position = log.end
                deletes.reached(0, log.end)
            }
            // The answer may be older than the look at the position.
            if random.chance(50) { deletes.ended([0: told.end], at: told.time) }
            told = (log.end, now)
            deletes.ended([0: told.end], at: now)
        }
        return false
    }

    private struct CompactedLog {
        let retention: Int64
        var records: [(offset: Int64, time: Int64, id: Int, isDelete: Bool)] = []
        /// When a pass first found a delete to be the last record of its id.
        var horizons: [Int64: Int64] = [:]
        var removedDeletes: Set<Int64> = []
        var end: Int64 = 0

        init(retention: Int64) { self.retention = retention }

        mutating func write(_ now: Int64, _ random: inout Seeded) {
            records.append((end, now, random.below(5), random.chance(30)))
            // The marker of a transaction.
            end += random.chance(20) ? 2 : 1
        }

        /// One pass, which never reaches the newest record.
        mutating func compact(upTo: Int64, now: Int64) {
            let limit = min(upTo, records.last?.offset ?? 0)
            var last: [Int: Int64] = [:]
            for record in records where record.offset < limit { last[record.id] = record.offset }
            records.removeAll { record in
                guard record.offset < limit else { return false }
                if last[record.id] != record.offset {
                    // A delete that a later record of its id replaces is no loss.
                    return true
                }
                guard record.isDelete else { return false }
                let horizon = horizons[record.offset] ?? now + retention
                horizons[record.offset] = horizon
                guard now > horizon else { return false }
                removedDeletes.insert(record.offset)
                return true
            }
        }
    }
}
