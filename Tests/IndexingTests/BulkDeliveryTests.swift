import Commands
import Seeds
import Testing

@testable import Indexing

/// A server that takes so many bytes per request, and has an answer for every item.
private struct FakeServer {
    struct Item {
        var number: Int
        var bytes: Int
        /// Answers still to come that refuse it for now.
        var busy: Int
        /// It spoils a request as a whole, with 400.
        var isFaulty: Bool
        /// It is refused for good by itself.
        var isDead: Bool
    }
    let byteLimit: Int
    /// Requests that get no good answer before the first one does.
    var outage: Int
}

@Suite struct BulkDeliveryTests {
    /// Whatever the server does, every item gets exactly one outcome, in a bounded number of requests, and only those
    /// are buried that are at fault.
    @Test func everyItemGetsItsVerdict() {
        let seed = newSeed("everyItemGetsItsVerdict")
        var random = Seeded(seed)
        for _ in 0..<500 {
            var server = FakeServer(byteLimit: 50 + random.below(200), outage: random.below(3))
            let all = (0..<(1 + random.below(40))).map { number in
                FakeServer.Item(
                    number: number, bytes: 1 + random.below(60), busy: random.chance(20) ? random.below(4) : 0,
                    isFaulty: random.chance(5), isDead: random.chance(5))
            }
            var outcomes: [Int: String] = [:]
            let requests = deliver(all, &server, &random, "seed \(seed)") { number, outcome in
                #expect(outcomes[number] == nil, "item \(number) has two outcomes, seed \(seed)")
                outcomes[number] = outcome
            }
            for item in all {
                let expected =
                    item.bytes > server.byteLimit
                    ? "too_large" : item.isFaulty ? "bad_request" : item.isDead ? "mapper_parsing" : "applied"
                #expect(outcomes[item.number] == expected, "item \(item), limit \(server.byteLimit), seed \(seed)")
            }
            #expect(requests < 1000, "seed \(seed)")
        }
    }

    /// Plays a whole delivery; returns how many requests it took.
    private func deliver(
        _ all: [FakeServer.Item], _ server: inout FakeServer, _ random: inout Seeded, _ seed: Comment,
        _ settle: (Int, String) -> Void
    ) -> Int {
        var delivery = BulkDelivery()
        var queue = all
        var smallestRefused = Int.max
        delivery.begin(items: queue.count)
        for request in 1...1000 {
            #expect(delivery.items == queue.count && delivery.window >= 1 && delivery.window <= queue.count, seed)
            var step = answer(&delivery, &queue, &server, &smallestRefused, &random, seed, settle)
            if case .buryFirst(let reason) = step {
                #expect(delivery.window == 1, seed)
                settle(queue.removeFirst().number, reason)
                step = delivery.firstBuried()
            }
            switch step {
            case .finish:
                #expect(queue.isEmpty, seed)
                return request
            case .stop, .buryFirst: Issue.record("\(step), \(seed)")
            case .sendItemsAgain(let wait), .sendAgain(_, let wait): #expect(wait > 0, seed)
            case .send, .sendHalf: break
            }
        }
        return 1000
    }

    private func answer(
        _ delivery: inout BulkDelivery, _ queue: inout [FakeServer.Item], _ server: inout FakeServer,
        _ smallestRefused: inout Int, _ random: inout Seeded, _ seed: Comment, _ settle: (Int, String) -> Void
    ) -> BulkStep {
        if server.outage > 0 {
            server.outage -= 1
            return delivery.failed(BulkFailure(.connection, because: "no connection"), using: &random)
        }
        let sent = queue.prefix(delivery.window)
        if sent.reduce(0, { $0 + $1.bytes }) > server.byteLimit {
            #expect(
                delivery.window < smallestRefused || delivery.window == 1, "it grew again to what is too large, \(seed)"
            )
            smallestRefused = delivery.window
            return delivery.rejected(rejection(413), using: &random)
        }
        if sent.contains(where: \.isFaulty) { return delivery.rejected(rejection(400), using: &random) }
        var verdicts = ItemVerdicts()
        for (place, item) in sent.enumerated() {
            let status = item.busy > 0 ? 429 : item.isDead ? 400 : 200
            guard !ItemClass.isApplied(status: status) else {
                settle(item.number, "applied")
                continue
            }
            let type = status == 429 ? "es_rejected_execution_exception" : "mapper_parsing_exception"
            switch verdicts.judge(place, status: status, errorType: type, reason: nil) {
            case .keep: queue[place].busy -= 1
            case .bury(let reason): settle(item.number, reason)
            case .settle(let done): Issue.record("\(done), \(seed)")
            }
        }
        queue = verdicts.again.map { queue[$0] } + queue.dropFirst(delivery.window)
        return delivery.answered(verdicts, using: &random)
    }

    private func rejection(_ status: Int, _ type: String? = nil, isPassing: Bool = false) -> BulkRejection {
        BulkRejection(status: status, errorType: type, reason: "said", isPassing: isPassing, description: "in words")
    }

    @Test func eachRejectionHasItsStep() {
        func step(_ status: Int, _ type: String? = nil, isPassing: Bool = false, items: Int = 8) -> BulkStep {
            var random = Seeded(1)
            var delivery = BulkDelivery()
            delivery.begin(items: items)
            let step = delivery.rejected(rejection(status, type, isPassing: isPassing), using: &random)
            // Without the time, which is random.
            if case .sendAgain(let failure, _) = step { return .sendAgain(failure, afterMilliseconds: 0) }
            return step
        }
        func again(_ kind: BulkFailure.Kind, isOverload: Bool = false, _ because: String = "in words") -> BulkStep {
            .sendAgain(BulkFailure(kind, isOverload: isOverload, because: because), afterMilliseconds: 0)
        }
        #expect(step(413) == .sendHalf)
        #expect(step(400) == .sendHalf)
        #expect(step(413, items: 1) == .buryFirst(reason: "too_large"))
        #expect(step(400, items: 1) == .buryFirst(reason: "bad_request"))
        #expect(step(400, "invalid_index_name_exception") == again(.unavailable))
        #expect(step(400, "validation_exception") == .stop(.blocked(.clusterLimit, detail: "said")))
        #expect(
            step(429) == again(.throttled, isOverload: true, "the bulk request was answered with 429"))
        #expect(
            step(503) == again(.unavailable, isOverload: true, "the bulk request was answered with 503"))
        #expect(step(403, isPassing: true) == again(.unavailable))
        #expect(step(404, "index_not_found_exception") == again(.unavailable))
        for status in [301, 401, 403, 404] { #expect(step(status) == .stop(.status(status))) }
    }

    /// A blocked item keeps no outcome, and the batch is not sent again.
    @Test func aBlockStopsTheDelivery() {
        var random = Seeded(1)
        var delivery = BulkDelivery()
        delivery.begin(items: 3)
        var verdicts = ItemVerdicts()
        let reason = "no write index is defined for alias [copy]"
        for place in 0..<2 {
            let verdict = verdicts.judge(place, status: 400, errorType: "illegal_argument_exception", reason: reason)
            #expect(verdict == .keep)
        }
        let step = delivery.answered(verdicts, using: &random)
        #expect(step == .stop(.blocked(.aliasClosed, detail: reason)))
        #expect(verdicts.again.isEmpty && verdicts.why == nil)
    }

    /// An index that a starting node does not know yet is waited for.
    @Test func anIndexThatMayBeThereSoonIsWaitedFor() {
        var verdicts = ItemVerdicts()
        let verdict = verdicts.judge(4, status: 404, errorType: "index_not_found_exception", reason: nil)
        #expect(verdict == .keep && verdicts.again == [4] && verdicts.block == nil)
        #expect(verdicts.why == "items are answered with 404 index_not_found_exception")
    }

    @Test func permissions() {
        #expect(BulkDelivery.permission(isOurs: true, leaseIsValid: true) == .send)
        #expect(BulkDelivery.permission(isOurs: true, leaseIsValid: false) == .wait(milliseconds: 20))
        #expect(BulkDelivery.permission(isOurs: false, leaseIsValid: false) == .drop)
    }
}

@Suite struct PayloadBisectionTests {
    @Test func halvesDownToTheSingleItem() {
        var bisection = PayloadBisection()
        bisection.carryAll(10)
        var windows: [Int] = [bisection.window]
        while bisection.halve(tooLarge: true) { windows.append(bisection.window) }
        #expect(windows == [10, 5, 2, 1])
        bisection.taken(left: 9)
        #expect(bisection.window == 1)
    }

    /// A faulty line says nothing about the size: the window grows again behind it.
    @Test func growsAgainBehindAFaultyLine() {
        var bisection = PayloadBisection()
        bisection.carryAll(8)
        for _ in 0..<2 { #expect(halved(&bisection)) }
        bisection.taken(left: 6)
        #expect(bisection.window == 4)
        bisection.taken(left: 2)
        #expect(bisection.window == 2)
        bisection.carryAll(1)
        #expect(!halved(&bisection))
    }

    private func halved(_ bisection: inout PayloadBisection) -> Bool { bisection.halve(tooLarge: false) }
}
