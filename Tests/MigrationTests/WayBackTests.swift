import Planning
import SearchCluster
import State
import Testing

@Suite struct WayBackTests {
    private static func back(_ conditions: WayBack.Condition..., lag: Int64? = 0) -> WayBack {
        let indices = conditions.enumerated().map { WayBack.Index("old-\($0.offset)", $0.element) }
        return WayBack(indices: indices, lag: lag, group: "app")
    }

    @Test func indicesThatCanBeReadAndWrittenAreNoReason() {
        #expect(Self.back(.ready, .ready).reasons.isEmpty)
        #expect(Self.back(.ready, lag: nil).reasons.isEmpty, "a rollback compares, whatever the lag is")
    }

    @Test func withoutTheTopicOnlyTheWayWithoutAComparisonIsLeft() {
        var back = Self.back(.ready, lag: nil)
        back.uncompared = "crossfade rollback r.yaml --accept-loss"
        #expect(back.reasons.count == 1 && back.reasons[0].contains("`crossfade rollback r.yaml --accept-loss`"))
    }

    @Test func eachIndexHasItsReason() {
        let reasons = Self.back(.gone, .ready, .closed, .blocked(["write"]), .remade, .unknown("no answer")).reasons
        #expect(reasons.count == 5)
        #expect(reasons[0] == "the old index old-0 is gone" && reasons[2].contains("(write)"))
    }

    @Test func anOldIndexerWithoutMembersIsAReasonAsSoonAsItIsBehind() {
        var back = Self.back(.ready, lag: 3)
        back.runs = true
        #expect(back.reasons.isEmpty)
        back.runs = false
        #expect(back.reasons == ["the old indexer (group app) has no members, and is 3 records behind"])
        back.lag = 0
        #expect(back.reasons.isEmpty)
    }

    @Test func anOldIndexerThatHasStoppedIsAReason() {
        #expect(Self.back(.ready, lag: WayBack.lagAllowed).reasons.isEmpty)
        #expect(
            Self.back(.ready, lag: WayBack.lagAllowed + 1).reasons
                == ["the old indexer (group app) is 1001 records behind"])
    }

    /// Status said "rollback ready: yes", and the rollback failed at its first write to the state.
    @Test func aStateThatTakesNoWritesIsAReasonAndSaysWhatToDo() throws {
        var back = Self.back(.ready)
        back.state = StateBlock(index: ".crossfade-m", blocks: ["read_only_allow_delete"])
        let reason = try #require(back.reasons.first)
        #expect(reason.contains("index.blocks.read_only_allow_delete") && reason.contains("disk"))
        #expect(reason.contains(#"PUT /.crossfade-m/_settings {"index": {"blocks.read_only_allow_delete": false}}"#))
        let byHand = try #require(StateBlock(index: ".crossfade-m", blocks: ["write"]))
        #expect(!byHand.words.contains("disk") && byHand.mend.hasPrefix("PUT /.crossfade-m/_settings"))
        #expect(StateBlock(index: ".crossfade-m", blocks: []) == nil)
    }

    @Test func aGroupThatNeverWasIsNamed() {
        func words(_ group: String, committed: Bool = false, groups: [String]?) -> String {
            ApplicationGroup.handover(group, hasCommitted: committed, groups: groups)
        }
        #expect(words("new-indexr", groups: ["new-indexer"]).contains("did you mean \"new-indexer\"?"))
        #expect(words("fresh", groups: ["other"]).contains("check the name"))
        for known in [words("g", groups: ["g"]), words("g", committed: true, groups: []), words("g", groups: nil)] {
            #expect(known == "group g has no members")
        }
    }
}

/// An old index that its lifecycle policy deletes two days after the rollover was said to be a way back.
@Suite struct PolicyOfTheOldIndexTests {
    private static let day: Int64 = 86_400_000, now: Int64 = 1_790_000_000_000

    private func dues(_ fate: IndexFate) -> [String] {
        var back = WayBack(indices: [.init("logs-1", .ready)], lag: 0, group: nil)
        back.fates["logs-1"] = fate
        #expect(back.reasons.isEmpty, "until then the readers can go back")
        return back.dues(now: Self.now)
    }

    @Test func whatIsDueSoonIsNamedWithItsDayAndTheWayOut() {
        let told = dues(IndexFate(policy: "days", action: "delete", due: Self.now + 2 * Self.day))
        #expect(
            told == [
                "the lifecycle policy days manages the old index logs-1 and has delete, due on 2026-09-23: take it off "
                    + "the index (POST /logs-1/_ilm/remove)"
            ])
        #expect(dues(IndexFate(policy: "days", action: "delete", due: Self.now + 30 * Self.day)).isEmpty)
        #expect(
            dues(IndexFate(policy: "days", action: "shrink", due: Self.now - 1))[0].contains("may come at any time"))
    }

    @Test func aTimeThatNobodyTellsMayBeNow() {
        #expect(dues(IndexFate(policy: "days", action: "delete"))[0].contains("has delete: take it off"))
        #expect(dues(IndexFate(policy: "days", action: "-"))[0].contains("cannot be read"))
    }
}
