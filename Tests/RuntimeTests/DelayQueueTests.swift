import Testing

@testable import Runtime

@Suite struct DelayQueueTests {
    @Test func runsInTheOrderInWhichThingsAreDue() {
        let delays = DelayQueue()
        defer { delays.stop() }
        let box = Mailbox<Int>()
        // Before it is started, so that all are there when the first is due.
        for wait in [60, 20, 40, 0] { delays.after(milliseconds: wait) { box.put(wait) } }
        let begun = MonotonicClock.milliseconds()
        delays.start()
        #expect((0..<4).map { _ in box.take(waiting: 60_000) } == [0, 20, 40, 60])
        #expect(MonotonicClock.milliseconds() - begun >= 59)
    }

    @Test func somethingEarlierIsNotHeldUp() {
        let delays = DelayQueue()
        defer { delays.stop() }
        delays.start()
        let box = Mailbox<Int>()
        delays.after(milliseconds: 3_600_000) { box.put(1) }
        delays.after(milliseconds: 1) { box.put(2) }
        #expect(box.take(waiting: 60_000) == 2)
    }

    @Test func whatRunsMayAskForMore() {
        let delays = DelayQueue()
        defer { delays.stop() }
        delays.start()
        let box = Mailbox<Int>()
        delays.after(milliseconds: 1) { delays.after(milliseconds: 1) { box.put(1) } }
        #expect(box.take(waiting: 60_000) == 1)
    }

    @Test func aStoppedQueueDropsWhatWaits() {
        let delays = DelayQueue()
        delays.start()
        let box = Mailbox<Int>()
        delays.after(milliseconds: 20) { box.put(1) }
        delays.stop()
        delays.after(milliseconds: 0) { box.put(2) }
        #expect(box.take(waiting: 50) == nil)
    }
}
