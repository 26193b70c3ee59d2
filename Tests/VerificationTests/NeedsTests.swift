import Migration
import Parity
import Testing

@testable import Verification

/// What a verification says of work that has not run, or that does not run.
@Suite struct NeedsTests {
    private func needs(isBehind: Bool = true, _ change: (inout Standing) -> Void) -> [Receipt.Need] {
        var standing = Standing()
        (standing.phase, standing.copy, standing.replay) = (.following, .done, .done)
        change(&standing)
        return standing.needs(isBehind: isBehind).map(\.need)
    }

    @Test func theFirstThingComesFirst() {
        #expect(needs { $0.copy = .none } == [.copy])
        #expect(needs { $0.copy = .unfinished } == [.copy])
        #expect(needs { ($0.copy, $0.hasSource, $0.running) = (.none, false, ["follow"]) } == [])
        #expect(needs { $0.replay = .unfinished } == [.replay])
        #expect(needs { $0.replay = .none } == [.replay])
        #expect(needs { _ in } == [.follow])
        #expect(needs { $0.running = ["follow", "verify"] } == [])
        #expect(needs(isBehind: false) { _ in } == [], "nothing waits for a follower")
    }

    @Test func anIndexerThatStandsStillIsNamed() {
        func at(_ application: Int64) -> GroupPositions {
            GroupPositions(application: [0: application], crossfade: [0: 9], starts: [0: 0], ends: [0: 9])
        }
        func words(_ before: Int64, _ now: Int64, _ hasMembers: Bool?) -> String? {
            VerifyWork.stillIndexer("g", before: at(before), now: at(now), seconds: 60, hasMembers: hasMembers)
        }
        #expect(
            words(4, 4, false)
                == "the group g has no members and has not moved for 60 s, although commands wait for it: start the "
                + "application's indexer")
        #expect(words(4, 4, nil)?.contains("look at the application's indexer") == true)
        #expect(words(4, 5, false) == nil && words(9, 9, false) == nil)
    }
}
