import Parity
import Seeds
import Testing

@Suite struct RepairRuleTests {
    private let rule = RepairRule(trustsSource: false, floor: 1)
    private let trusting = RepairRule(trustsSource: true, floor: 1)

    private func step(
        _ log: RepairRule.Log, _ source: RepairRule.Source, _ target: RepairRule.Target, trusts: Bool = false
    ) -> RepairStep {
        (trusts ? trusting : rule).step(log: log, source: source, target: target, isSame: ==)
    }

    @Test func theLogDecidesWhateverTheOldSideHas() {
        let old = RepairRule.Source.document([9], version: 1)
        #expect(
            step(.document([1], version: 5), old, .init(document: [2], version: 5)) == .write([1], version: 5))
        #expect(
            step(.document([1], version: 5), .absent, .init(document: [2], version: 8)) == .write([1], version: 8),
            "the version that the target holds is greater")
        #expect(
            step(.document([1], version: 5), old, .init(document: nil, version: 7)) == .write([1], version: 7),
            "a tombstone that no delete explains")
        #expect(step(.document([1], version: 5), old, .init(document: nil, version: nil)) == .write([1], version: 5))
        #expect(step(.deleted(version: 5), old, .init(document: [9], version: 1)) == .delete(version: 5))
        #expect(step(.deleted(version: 5), .absent, .init(document: nil, version: nil)) == .nothing)
    }

    /// A part of a document was written over the whole of it, because its partition had the greater offset.
    @Test func whereTwoPartitionsHaveCommandsNobodyKnowsWhichIsNewer() {
        let held = RepairRule.Target(document: [2], version: 5)
        let old = RepairRule.Source.document([9], version: 1)
        #expect(step(.split, old, held) == .leave(.twoPartitions))
        #expect(step(.split, .absent, held) == .leave(.twoPartitions))
        #expect(step(.split, old, held, trusts: true) == .write([9], version: 5))
    }

    @Test func whatTheApplicationWroteOnTheNewSideStaysWhereItIsNewer() {
        var shared = RepairRule(trustsSource: true, floor: 1)
        shared.keepsNewer = true
        func step(_ theirs: Int64) -> RepairStep {
            shared.step(
                log: .unnamed, source: .document([1], version: 10), target: .init(document: [2], version: theirs),
                isSame: ==)
        }
        #expect(step(11) == .leave(.targetNewer))
        #expect(step(10) == .write([1], version: 10) && step(9) == .write([1], version: 10))
    }

    /// Both stay different, whatever is repaired. That nothing is to be done does not mean that both are alike.
    @Test func whatTheLogSaysAndTheOldSideDoesNotIsNamed() {
        let log = RepairRule.Log.document([1], version: 5)
        let same = RepairRule.Target(document: [1], version: 5)
        #expect(step(log, .document([1], version: 1), same) == .nothing)
        for source in [RepairRule.Source.document([9], version: 1), .absent, .uncopied] {
            #expect(step(log, source, same) == .leave(.logAgrees))
        }
        let deleted = RepairRule.Log.deleted(version: 5)
        let tombstone = RepairRule.Target(document: nil, version: 5)
        #expect(step(deleted, .document([9], version: 1), tombstone) == .leave(.logAgrees))
        #expect(step(deleted, .absent, tombstone) == .nothing)
        let without = RepairRule(trustsSource: false, readsSource: false, floor: 1)
        #expect(without.step(log: log, source: .absent, target: same, isSame: ==) == .nothing)
    }

    @Test func theOldSideCountsOnlyForWhatTheLogNeverNames() {
        let old = RepairRule.Source.document([9], version: 1)
        #expect(step(.unnamed, old, .init(document: nil, version: nil)) == .write([9], version: 1))
        #expect(step(.unnamed, old, .init(document: [8], version: 3)) == .write([9], version: 3))
        #expect(step(.unnamed, .uncopied, .init(document: [8], version: 3)) == .leave(.uncopied))
        #expect(step(.baseLost, .absent, .init(document: [8], version: 3)) == .leave(.baseLost))
    }

    /// A shard has one document of an id, whatever its routing: a write below it never came through, for good.
    @Test func whatIsWrittenOutranksTheSameIDUnderAnotherRouting() {
        let old = RepairRule.Source.document([9], version: 1)
        #expect(
            step(.unnamed, old, .init(document: nil, version: nil, other: 2)) == .write([9], version: 2))
        #expect(
            step(.document([1], version: 5), old, .init(document: nil, version: nil, other: 8))
                == .write([1], version: 8))
    }

    /// A command that retention has taken may have written it: the old side may never have seen that.
    @Test func aNewerVersionIsNotPutBackWhereTheLogHasForgotten() {
        let old = RepairRule.Source.document([9], version: 1)
        let newer = RepairRule.Target(document: [8], version: 8)
        var forgetful = rule
        forgetful.hasForgotten = true
        func step(_ rule: RepairRule, _ target: RepairRule.Target) -> RepairStep {
            rule.step(log: .unnamed, source: old, target: target, isSame: ==)
        }
        #expect(step(rule, newer) == .write([9], version: 8))
        #expect(step(forgetful, newer) == .leave(.versionNotExplained))
        #expect(step(forgetful, .init(document: [8], version: 1)) == .write([9], version: 1))
        #expect(step(forgetful, .init(document: [9], version: 8)) == .nothing)
        forgetful.trustsSource = true
        #expect(step(forgetful, newer) == .write([9], version: 8))
    }

    @Test func whatIsNotProvedNeedsTrust() {
        let extra = RepairRule.Target(document: [8], version: 3)
        #expect(step(.unnamed, .absent, extra) == .leave(.extraNotProved))
        #expect(step(.unnamed, .absent, extra, trusts: true) == .delete(version: 3))
        let tombstone = RepairRule.Target(document: nil, version: 4)
        let old = RepairRule.Source.document([9], version: 1)
        #expect(step(.unnamed, old, tombstone) == .leave(.tombstoneNotExplained))
        #expect(step(.unnamed, old, tombstone, trusts: true) == .write([9], version: 4))
    }

    /// A repair is the last one: what it has written it leaves alone.
    @Test func aSecondRepairChangesNothing() {
        var seed = Seeded(newSeed("aSecondRepairChangesNothing"))
        for _ in 0..<5000 {
            let log: RepairRule.Log = seed.pick([
                .unnamed, .document([UInt8(seed.below(3))], version: 5), .deleted(version: 6), .baseLost,
            ])
            let source: RepairRule.Source = seed.pick([
                .absent, .document([UInt8(seed.below(3))], version: 1), .uncopied,
            ])
            var target = RepairRule.Target(
                document: seed.chance(60) ? [UInt8(seed.below(3))] : nil, version: Int64(seed.below(9)))
            if target.document == nil, seed.chance(50) { target.version = nil }
            let trusts = seed.chance(50)
            let first = step(log, source, target, trusts: trusts)
            switch first {
            case .write(let document, let version):
                #expect(version >= target.version ?? 0, "the write would be refused")
                target = .init(document: document, version: version)
            case .delete(let version):
                #expect(version >= target.version ?? 0)
                target = .init(document: nil, version: version)
            case .nothing, .leave:
                #expect(step(log, source, target, trusts: trusts) == first)
                continue
            }
            #expect([.nothing, .leave(.logAgrees)].contains(step(log, source, target, trusts: trusts)))
        }
    }
}
