import Testing

@testable import Runtime

private enum Fault: Error, Equatable { case first, second }

@Suite struct FailureLatchTests {
    @Test func theFirstFailureStays() {
        let latch = FailureLatch<Fault>()
        #expect(!latch.isSet && latch.value == nil)
        latch.set(.first)
        latch.set(.second)
        #expect(latch.isSet && latch.value == .first)
    }
}

@Suite struct ByteSemaphoreTests {
    @Test func waitsForRoom() {
        let room = ByteSemaphore(100)
        let failure = FailureLatch<Fault>()
        let box = Mailbox<String>()
        room.enter(60, unless: failure)
        let thread = JoinableThread("enters") {
            room.enter(60, unless: failure)
            box.put("in")
        }
        #expect(box.take(waiting: 30) == nil)
        room.leave(60)
        #expect(box.take(waiting: 60_000) == "in")
        #expect(thread.join(seconds: 60))
    }

    @Test func somethingTooLargeGoesInAlone() {
        let room = ByteSemaphore(100)
        room.enter(.max, unless: FailureLatch<Fault>())
        room.leave(.max)
        room.enter(100, unless: FailureLatch<Fault>())
    }

    @Test func aFailureEndsTheWait() {
        let room = ByteSemaphore(100)
        let failure = FailureLatch<Fault>()
        room.enter(100, unless: failure)
        let thread = JoinableThread("enters") { room.enter(1, unless: failure) }
        failure.set(.first)
        #expect(thread.join(seconds: 60))
    }
}
