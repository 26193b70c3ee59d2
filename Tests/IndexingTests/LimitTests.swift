import Seeds
import Testing

@testable import Indexing

@Suite struct LimitTests {
    @Test func backoffStaysInItsBounds() {
        let seed = newSeed("backoffStaysInItsBounds")
        var random = Seeded(seed)
        var backoff = Backoff()
        var bound = 100
        for _ in 0..<200 {
            let wait = backoff.next(using: &random)
            #expect((1...bound).contains(wait), "seed \(seed)")
            bound = min(30_000, bound * 2)
        }
        backoff.reset()
        #expect(backoff.next(using: &random) <= 100)
        var odd = Backoff(base: 0, cap: -3)
        #expect(odd.next(using: &random) == 1)
        var huge = Backoff(base: .max / 2, cap: .max)
        for _ in 0..<100 { #expect(huge.next(using: &random) > 0) }
    }

    @Test func limitRisesOnlyWhenReached() {
        var limit = ConcurrencyLimit(maximum: 8)
        for _ in 0..<100 {
            let ticket = limit.began(inFlight: 1)
            limit.ended(ticket, .success, documents: 1_000, tookMilliseconds: 100)
        }
        #expect(limit.limit == 2)
        for _ in 0..<100 {
            let ticket = limit.began(inFlight: limit.limit)
            limit.ended(ticket, .success, documents: 1_000, tookMilliseconds: 100)
        }
        #expect(limit.limit == 8)
    }

    @Test func oneOverloadIsOneDecrease() {
        var limit = ConcurrencyLimit(maximum: 100, start: 10)
        let tickets = (1...10).map { limit.began(inFlight: $0) }
        for ticket in tickets { limit.ended(ticket, .throttled, documents: 1_000, tookMilliseconds: 10) }
        #expect(limit.limit == 7)
        for _ in 0..<50 { limit.ended(limit.began(inFlight: 1), .failed, documents: 0, tookMilliseconds: -1) }
        #expect(limit.limit == 1)
    }

    @Test func risingTimeADocumentLowersIt() {
        var limit = ConcurrencyLimit(maximum: 100, start: 10)
        for _ in 0..<20 {
            limit.ended(limit.began(inFlight: 1), .success, documents: 1_000, tookMilliseconds: 100)
        }
        #expect(limit.limit == 10)
        for _ in 0..<5 {
            limit.ended(limit.began(inFlight: 10), .success, documents: 1_000, tookMilliseconds: 1_000)
        }
        #expect(limit.limit < 10)
    }

    /// A server that does four requests at once and queues the rest: the limit settles near four, not at its maximum.
    @Test func settlesNearWhatTheServerCanDo() {
        var limit = ConcurrencyLimit(maximum: 64)
        for _ in 0..<2_000 {
            let inFlight = limit.limit
            let took = 100 * max(1, (inFlight + 3) / 4)
            limit.ended(limit.began(inFlight: inFlight), .success, documents: 1_000, tookMilliseconds: took)
        }
        #expect((3...16).contains(limit.limit), "\(limit.limit)")
    }

    /// Whatever a server answers, a batch has at least one document and stays within its bounds; what was refused as
    /// too large is never asked of it again; and a quick server gets large batches again.
    @Test func batchesStayInTheirBounds() {
        let seed = newSeed("batchesStayInTheirBounds")
        var random = Seeded(seed)
        for _ in 0..<200 {
            var sizer = BatchSizer(
                documents: Int.random(in: -5...20_000, using: &random),
                bytes: Int.random(in: -5...40_000_000, using: &random))
            var ceiling = BatchSizer.largestBytes
            for _ in 0..<200 {
                switch Int.random(in: 0..<4, using: &random) {
                case 0:
                    let bytes = Int.random(in: 1...max(1, sizer.bytes), using: &random)
                    sizer.tooLarge(bytes: bytes)
                    ceiling = min(ceiling, max(BatchSizer.smallestBytes, bytes / 2))
                case 1:
                    let before = (sizer.documents, sizer.bytes)
                    sizer.answered(documents: sizer.documents / 2, bytes: sizer.bytes / 2, tookMilliseconds: 9_000)
                    #expect((sizer.documents, sizer.bytes) == before, "half a batch says nothing; seed \(seed)")
                default:
                    sizer.answered(
                        documents: sizer.documents, bytes: sizer.bytes,
                        tookMilliseconds: Int.random(in: -1...10_000, using: &random))
                }
                #expect((1...BatchSizer.largestDocuments).contains(sizer.documents), "seed \(seed)")
                #expect((BatchSizer.smallestBytes...BatchSizer.largestBytes).contains(sizer.bytes), "seed \(seed)")
                #expect(sizer.bytes <= ceiling, "seed \(seed)")
            }
            for _ in 0..<200 { sizer.answered(documents: sizer.documents, bytes: sizer.bytes, tookMilliseconds: 1) }
            #expect(sizer.documents == BatchSizer.largestDocuments, "seed \(seed)")
            #expect(sizer.bytes >= min(ceiling, BatchSizer.roomyBytes), "seed \(seed)")
        }
    }

    @Test func batchesFollowTheServer() {
        var sizer = BatchSizer()
        #expect(sizer.limits.areReached(documents: 1_000, bytes: 0))
        #expect(sizer.limits.areReached(documents: 1, bytes: 524_288))
        #expect(!sizer.limits.areReached(documents: 999, bytes: 524_287))
        for _ in 0..<100 { sizer.answered(documents: sizer.documents, bytes: sizer.bytes, tookMilliseconds: 5) }
        #expect(sizer.documents == 5_000 && sizer.bytes == BatchSizer.roomyBytes)
        sizer.tooLarge(bytes: 1_000_000)
        for _ in 0..<100 { sizer.answered(documents: sizer.documents, bytes: sizer.bytes, tookMilliseconds: 5) }
        #expect(sizer.bytes == 500_000)
        for _ in 0..<100 { sizer.answered(documents: 5_000, bytes: 15_000_000, tookMilliseconds: 9_000) }
        #expect(sizer.documents >= 1 && sizer.bytes == BatchSizer.smallestBytes)
        for _ in 0..<100 { sizer.tooLarge(bytes: 1) }
        #expect(sizer.bytes == BatchSizer.smallestBytes)
        var halved = BatchSizer()
        halved.tooLarge(bytes: 1_048_576)
        #expect(halved.bytes == 524_288 && halved.documents == 1_000)
    }
}
