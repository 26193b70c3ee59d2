import Commands
import JSONText
import Testing

@testable import Indexing

@Suite struct ParkedOperationsTests {
    private func park(_ id: String, _ token: UInt64, in parked: inout ParkedOperations) {
        let operation = LaneOperation(kind: .merge, version: 1, document: [], token: token)
        Array(id.utf8).withUnsafeBufferPointer { parked.park(operation, entry: 0, id: $0) }
    }

    private func key(_ id: String, _ entry: Int) -> UInt64 {
        Array(id.utf8).withUnsafeBufferPointer { KeyHash.hash($0, seed: entry) }
    }

    /// Found by reading: with ten thousand ids that wait, the end of each lane looked at all of them.
    @Test func onlyWhatIsAwakeIsLookedAt() {
        var parked = ParkedOperations(entries: 2)
        for number in 0..<1000 { park("\(number)", UInt64(number), in: &parked) }
        park("7", 1007, in: &parked)
        var seen: [UInt64] = []
        func release(_ takes: Bool) -> Bool {
            parked.release { _, _, operation in
                seen.append(operation.token)
                return takes
            }
        }
        #expect(!release(true) && seen.isEmpty)
        parked.wake(key("7", 1))
        parked.wake(key("other", 0))
        #expect(!release(false) && seen == [7])
        // It sleeps again until something ends.
        #expect(!release(true) && seen == [7])
        parked.wake(key("7", 0))
        #expect(release(true) && seen == [7, 7, 1007])
        parked.wake(key("7", 0))
        #expect(!release(true) && seen.count == 3)
        #expect(Array("8".utf8).withUnsafeBufferPointer { parked.holds($0) })
        #expect(Set(parked.removeAll()).count == 999 && parked.isEmpty && parked.heldBytes == 0)
    }
}
