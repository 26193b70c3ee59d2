import Parity
import Testing

@Suite struct GroupPositionsTests {
    private func doubt(
        _ application: [Int32: Int64]?, starts: [Int32: Int64] = [0: 0], ends: [Int32: Int64] = [0: 13]
    ) -> String? {
        GroupPositions(application: application, crossfade: [:], starts: starts, ends: ends).sourceDoubt
    }

    @Test func aGroupThatDoesNotMoveStandsStill() {
        func at(_ application: [Int32: Int64]?, end: Int64) -> GroupPositions {
            GroupPositions(
                application: application, crossfade: [0: 9, 1: 9], starts: [0: 0, 1: 0], ends: [0: end, 1: 5])
        }
        #expect(at([0: 4, 1: 5], end: 9).applicationStandsStill(since: at([0: 4, 1: 5], end: 6)))
        #expect(!at([0: 5, 1: 5], end: 9).applicationStandsStill(since: at([0: 4, 1: 5], end: 6)))
        #expect(!at([0: 9, 1: 5], end: 9).applicationStandsStill(since: at([0: 9, 1: 5], end: 9)), "nothing waits")
        #expect(!at(nil, end: 9).applicationStandsStill(since: at(nil, end: 9)))
        #expect(at([0: 9, 1: 5], end: 12).commands(since: at([0: 4, 1: 5], end: 6)) == 8)
    }

    @Test func whatTheOldSideLacksProvesNothingWhereCommandsMayBeLost() {
        #expect(doubt([0: 13]) == nil)
        #expect(doubt([0: 8]) == nil, "the rest is still in the log")
        #expect(doubt(nil)?.contains("commands.application_group") == true)
        #expect(doubt([:])?.contains("partition 0") == true)
        #expect(doubt([0: 8], starts: [0: 13])?.contains("offset 8 of partition 0") == true)
        #expect(doubt([0: 13], starts: [0: 13]) == nil, "an idle topic whose records are all over age")
        #expect(doubt([0: 13], starts: [0: 0, 1: 0], ends: [0: 13, 1: 0]) == nil, "a partition without records")
        #expect(doubt(nil, ends: [0: 0]) == nil, "no command was ever written")
    }
}
