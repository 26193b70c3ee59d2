import Seeds
import Testing

@testable import Indexing

@Suite struct BulkTrafficTests {
    private func traffic(maximum: Int = 4, start: Int = 4, byteLimit: Int = 1000) -> BulkTraffic {
        BulkTraffic(limit: ConcurrencyLimit(maximum: maximum, start: start), byteLimit: byteLimit)
    }

    private func verdicts(_ status: Int?) -> ItemVerdicts {
        var verdicts = ItemVerdicts()
        if let status { _ = verdicts.judge(0, status: status, errorType: nil, reason: nil) }
        return verdicts
    }

    /// Never more requests than the limit, never more bytes unless it is one batch alone, and what left is gone.
    @Test func staysWithinItsLimits() {
        let seed = newSeed("staysWithinItsLimits")
        var random = Seeded(seed)
        var traffic = traffic()
        var inside: [Int] = []
        for _ in 0..<5000 {
            if random.below(2) == 0 {
                let bytes = random.chance(5) ? 2000 : random.below(500)
                let mayEnter = inside.count < 4 && (inside.isEmpty || inside.reduce(0, +) + bytes <= 1000)
                let isIn = traffic.enter(bytes: bytes)
                #expect(isIn == mayEnter, "seed \(seed)")
                if isIn { inside.append(bytes) }
            } else if let at = inside.indices.randomElement(using: &random) {
                traffic.leave(bytes: inside.remove(at: at))
            }
            #expect(traffic.inFlight == inside.count && traffic.bytes == inside.reduce(0, +), "seed \(seed)")
            #expect(traffic.load.inFlight == inside.count, "seed \(seed)")
        }
    }

    @Test func aFailedRequestIsATroubleAtOnceAndSaidOnce() {
        var traffic = traffic()
        var delivery = BulkDelivery()
        delivery.begin(items: 1)
        let first = traffic.failed(traffic.began(), BulkFailure(.connection, because: "refused"), documents: 1)
        #expect(first == .refusesAll(because: "refused") && traffic.trouble == "refused")
        let second = traffic.failed(traffic.began(), BulkFailure(.connection, because: "timed out"), documents: 1)
        #expect(second == .none && traffic.trouble == "timed out" && traffic.load.throttled == 0)
        let third = traffic.answered(traffic.began(), delivery, verdicts(nil), bytes: 9, tookMilliseconds: 1)
        #expect(third == .over && traffic.trouble == nil)
        let fourth = traffic.answered(traffic.began(), delivery, verdicts(nil), bytes: 9, tookMilliseconds: 1)
        #expect(fourth == .none)
    }

    /// Throttling passes by itself: it is a trouble only when the same items are refused again and again.
    @Test func refusedItemsAreATroubleWhenItGoesOn() {
        var random = Seeded(3)
        var traffic = traffic()
        var delivery = BulkDelivery()
        delivery.begin(items: 1)
        var changes: [BulkTraffic.Change] = []
        for _ in 0..<8 {
            let verdicts = verdicts(429)
            changes.append(traffic.answered(traffic.began(), delivery, verdicts, bytes: 9, tookMilliseconds: 1))
            _ = delivery.answered(verdicts, using: &random)
        }
        let words = "items are answered with 429"
        #expect(changes == [.none, .none, .none, .none, .none, .refusesSome(because: words), .none, .none])
        #expect(traffic.trouble == words && traffic.load.throttled == 8 && traffic.load.limit == 1)
    }

    @Test func tooLargeMakesBatchesSmaller() {
        var traffic = traffic()
        let before = traffic.batchLimits
        traffic.tooLarge(bytes: 200_000)
        #expect(traffic.batchLimits == BatchLimits(documents: before.documents, bytes: 100_000))
        #expect(traffic.batchLimits.areReached(documents: 1, bytes: 100_000))
        #expect(!traffic.batchLimits.areReached(documents: before.documents - 1, bytes: 99_999))
    }

    /// Only a request that carries all of its batch says how large a batch should be.
    @Test func partsOfABatchDoNotMakeBatchesLarger() {
        var random = Seeded(5)
        var traffic = traffic()
        let limits = traffic.batchLimits
        var delivery = BulkDelivery()
        delivery.begin(items: limits.documents * 2)
        let rejection = BulkRejection(status: 400, errorType: nil, reason: nil, isPassing: false, description: "")
        #expect(delivery.rejected(rejection, using: &random) == .sendHalf)
        _ = traffic.answered(traffic.began(), delivery, verdicts(nil), bytes: limits.bytes, tookMilliseconds: 1)
        #expect(traffic.batchLimits == limits)
        delivery.begin(items: limits.documents)
        _ = traffic.answered(traffic.began(), delivery, verdicts(nil), bytes: limits.bytes, tookMilliseconds: 1)
        #expect(traffic.batchLimits.documents > limits.documents)
    }
}
