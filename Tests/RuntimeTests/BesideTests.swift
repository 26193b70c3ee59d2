import Testing

@testable import Runtime

@Suite struct BesideTests {
    private struct Broken: Error {}

    @Test func itsValueIsWaitedFor() throws {
        let gate = Mailbox<Int>()
        let work = Beside("cf-test") { gate.take(waiting: nil).map { $0 * 2 } }
        gate.put(21)
        #expect(try work.value() == 42)
        // As often as it is asked for.
        #expect(try work.value() == 42)
    }

    @Test func whatItThrowsComesToWhoeverAsks() {
        let work = Beside<Int>("cf-test") { throw Broken() }
        #expect(throws: Broken.self) { try work.value() }
        #expect(throws: Broken.self) { try work.value() }
    }

    @Test func anEndThatIsNotWaitedForLong() throws {
        let gate = Mailbox<Int>()
        let work = Beside("cf-test") { gate.take(waiting: nil) }
        work.end(seconds: 0.001)
        gate.put(1)
        #expect(try work.value() == 1)
    }
}
