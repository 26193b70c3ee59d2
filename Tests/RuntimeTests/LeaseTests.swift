import Synchronization
import Testing

@testable import Runtime

@Suite struct LeaseTests {
    @Test func runsOutWithoutThePollThread() {
        let shared = SharedClock()
        let lease = Lease(clock: { shared.read() })
        shared.set(9_000_000)
        #expect(lease.isValid)
        lease.runsOut(after: 3000)
        shared.set(9_003_000)
        #expect(lease.isValid)
        shared.set(9_003_001)
        #expect(!lease.isValid)
        #expect(!lease.renewIfValid() && !lease.isValid)
        lease.renew()
        #expect(lease.isValid)
        shared.set(9_006_000)
        #expect(lease.renewIfValid())
        shared.set(9_009_000)
        #expect(lease.isValid)
    }

    final class SharedClock: Sendable {
        private let now = Atomic<Int64>(0)
        func read() -> Int64 { now.load(ordering: .relaxed) }
        func set(_ value: Int64) { now.store(value, ordering: .relaxed) }
    }
}
