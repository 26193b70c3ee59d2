import Foundation
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

    /// The gate looked at the index's own blocks alone, and the rollover failed at its first write.
    @Test func aClusterThatIsReadOnlyBlocksTheStateAndIsReleasedFirst() throws {
        let whole = try #require(
            StateBlock(index: ".crossfade-m", blocks: [], cluster: [ClusterBlock(.persistent, "read_only")]))
        #expect(whole.words.contains("cluster.blocks.read_only") && whole.words.contains("the whole cluster"))
        #expect(whole.mend == #"PUT /_cluster/settings {"persistent": {"cluster.blocks.read_only": null}}"#)
        let both = try #require(
            StateBlock(
                index: ".crossfade-m", blocks: ["write"],
                cluster: [
                    ClusterBlock(.persistent, "read_only"), ClusterBlock(.transient, "read_only"),
                    ClusterBlock(.transient, "read_only_allow_delete"),
                ]))
        #expect(
            both.mend.components(separatedBy: ", then ") == [
                #"PUT /_cluster/settings {"persistent": {"cluster.blocks.read_only": null}}"#,
                #"PUT /_cluster/settings {"transient": {"cluster.blocks.read_only": null}}"#,
                #"PUT /_cluster/settings {"transient": {"cluster.blocks.read_only_allow_delete": null}}"#,
                #"PUT /.crossfade-m/_settings {"index": {"blocks.write": false}}"#,
            ])
        #expect(both.words.components(separatedBy: "cluster.blocks.read_only:").count == 2, "named once")
    }

    /// `status` and `rollback` told of the old side in two ways.
    @Test func whatFailsReadersIsToldInTheSameWords() {
        let troubles: [(WayBack.Condition, fails: Bool)] = [
            (.ready, false), (.remade, false), (.blocked(["write"]), false), (.blocked(["read"]), true),
            (.gone, true), (.closed, true), (.unknown("no answer"), true),
        ]
        for (condition, fails) in troubles {
            let index = WayBack.Index("old", condition)
            #expect(index.failsReaders == fails, "\(condition)")
            #expect(WayBack(indices: [index], lag: 0, group: nil).reasons == index.trouble.map { [$0] } ?? [])
        }
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
