import Indexing
import Seeds
import Testing

@Suite struct ForgottenDeletesTests {
    private typealias Stretch = ForgottenDeletes.Stretch
    private let day: Int64 = 86_400_000

    private func stretch(
        _ since: ForgottenDeletes.Since, gaps: [ForgottenDeletes.Gap], looked: Int64? = nil
    ) -> ForgottenDeletes.Stretch {
        var stretch = Stretch(partition: 3, offsets: 10..<20, since: since)
        stretch.gaps = gaps
        stretch.looked = looked ?? 10
        return stretch
    }

    @Test func aGapCountsOnlyAfterTheRetention() {
        let gap = ForgottenDeletes.Gap(offsets: 12..<13, after: 5)
        let late = stretch(.commit(0), gaps: [gap])
        #expect(ForgottenDeletes.judge([late], now: day, retention: day) == .fine)
        #expect(ForgottenDeletes.judge([late], now: day + 6, retention: day) == .refused(late, gap))
        let copied = stretch(.snapshot(0), gaps: [gap])
        #expect(ForgottenDeletes.judge([copied], now: 2 * day, retention: day) == .refused(copied, gap))
    }

    /// An idle follower has committed nothing for days. Then a transaction leaves its marker.
    @Test func aGapAfterAYoungRecordIsNoForgottenDelete() {
        let marker = ForgottenDeletes.Gap(offsets: 11..<12, after: 3 * day - 1000)
        #expect(ForgottenDeletes.judge([stretch(.commit(0), gaps: [marker])], now: 3 * day, retention: day) == .fine)
    }

    @Test func withoutGapsNothingIsForgotten() {
        let whole = stretch(.commit(0), gaps: [])
        #expect(ForgottenDeletes.judge([whole], now: 9 * day, retention: day) == .fine)
        let partly = stretch(.commit(0), gaps: [], looked: 4)
        #expect(ForgottenDeletes.judge([partly], now: 9 * day, retention: day) == .partly(looked: 4, of: 10))
        let empty = Stretch(partition: 0, offsets: 5..<5, since: .commit(0))
        #expect(ForgottenDeletes.judge([empty], now: 9 * day, retention: day) == .fine)
    }

    @Test func aCommitWithoutATimeIsUnknown() {
        let gap = ForgottenDeletes.Gap(offsets: 12..<13, after: 5)
        let old = stretch(.unknown, gaps: [gap])
        #expect(ForgottenDeletes.judge([old], now: 9 * day, retention: day) == .unknown(old, gap))
        let other = stretch(.commit(0), gaps: [gap])
        #expect(ForgottenDeletes.judge([old, other], now: 9 * day, retention: day) == .refused(other, gap))
    }

    /// Where two records of one key are still there, compaction has not come as far as the second.
    @Test func gapsAfterARepeatedKeyAreMarkers() {
        var reader = ForgottenDeletes.Reader(at: 10, after: 7)
        for (offset, key) in [(10, 1), (12, 2), (13, nil), (14, nil), (16, 1), (18, 3), (25, 4)] as [(Int64, UInt64?)] {
            reader.read(offset, timestamp: offset, key: key)
        }
        #expect(reader.gaps == [.init(offsets: 11..<12, after: 10), .init(offsets: 15..<16, after: 14)])
        #expect(reader.isUncompacted)
        var next = ForgottenDeletes.Reader(at: 26, isUncompacted: true)
        next.read(30, timestamp: 30, key: nil)
        #expect(next.gaps.isEmpty)
        // Read from further back, where gaps do not matter.
        var early = ForgottenDeletes.Reader(at: 0, from: 10)
        for offset in [Int64(5), 12] { early.read(offset, timestamp: offset, key: nil) }
        #expect(early.gaps == [.init(offsets: 10..<12, after: 5)])
    }

    /// A log that is written, read up to some place, and compacted. If a delete that was not read is gone, it is
    /// refused; where everything is young, it is not.
    @Test func everyForgottenDeleteIsNoticed() {
        let seed = newSeed("forgotten deletes")
        for round in 0..<3000 {
            var random = Seeded(seed &+ UInt64(round))
            let retention = Int64(1 + random.below(40))
            var records: [(offset: Int64, time: Int64, id: Int, isDelete: Bool)] = []
            var time: Int64 = 0
            for offset in 0..<Int64(5 + random.below(40)) {
                time += Int64(random.below(5))
                records.append((offset, time, random.below(4), random.below(3) == 0))
            }
            let read = random.below(records.count)
            let committed = records[read].time
            let now = time + Int64(random.below(60))
            let end = Int64(records.count)
            // Compaction goes over a first part of the log. There it keeps the last record of each id, and of deletes
            // only the young.
            let limit = Int64(random.below(records.count))
            var gone = false
            let left = records.filter { record in
                guard record.offset < limit else { return true }
                let isLast = !records.contains {
                    $0.id == record.id && $0.offset > record.offset && $0.offset < limit
                }
                guard isLast else { return false }
                let isOld = now - record.time > retention
                if record.isDelete, isOld, record.offset > Int64(read) { gone = true }
                return !(record.isDelete && isOld)
            }
            var reader = ForgottenDeletes.Reader(at: Int64(read) + 1)
            for record in left where record.offset > Int64(read) {
                reader.read(record.offset, timestamp: record.time, key: UInt64(record.id))
            }
            var stretch = Stretch(partition: 0, offsets: (Int64(read) + 1)..<end, since: .commit(committed))
            stretch.gaps = reader.gaps
            stretch.looked = Int64(stretch.offsets.count)
            let verdict = ForgottenDeletes.judge([stretch], now: now, retention: retention)
            if gone { #expect(verdict != .fine, "seed \(seed), round \(round)") }
            if now - committed <= retention { #expect(verdict == .fine, "seed \(seed), round \(round)") }
        }
    }
}
