import JSONText
@testable import Recipe
import SearchCluster
import Seeds
import State
import Testing

@testable import Planning

/// Which indices of the source belong to a migration, and whether the source is asked at all.
@Suite struct SourceScopeTests {
    @Test func nothingWasConfirmed() {
        #expect(SourceScope(confirmed: nil, there: ["a", "b"]).names == ["a", "b"])
        #expect(SourceScope(confirmed: nil, there: nil).names.isEmpty)
    }

    @Test func indicesThatComeAndGo() {
        let beside = SourceScope(confirmed: ["a", "b"], there: ["b", "c"])
        #expect((beside.names, beside.fresh, beside.gone) == (["a", "b"], ["c"], ["a"]))
        #expect(beside.readable == ["b", "c"])
        let begins = SourceScope(confirmed: ["a", "b"], there: ["b", "c"], copy: .begins)
        #expect((begins.names, begins.fresh, begins.gone) == (["b", "c"], [], ["a"]))
        let goesOn = SourceScope(confirmed: ["a", "b"], there: ["b", "c"], copy: .goesOn)
        #expect((goesOn.names, goesOn.fresh, goesOn.gone) == (["b"], ["c"], ["a"]))
        let unknown = SourceScope(confirmed: ["a", "b"], there: nil, copy: .begins)
        #expect((unknown.names, unknown.fresh, unknown.gone) == (["a", "b"], [], []))
    }

    /// No index is lost, and none comes in unnoticed.
    @Test func everyIndexHasAPlace() {
        let seed = newSeed("source scope")
        var random = Seeded(seed)
        for round in 0..<2000 {
            func some() -> [String] { (0..<8).filter { _ in random.chance(50) }.map { "i\($0)" } }
            let (confirmed, there) = (some(), some())
            let copy = random.pick([SourceScope.Copy.none, .begins, .goesOn])
            let scope = SourceScope(confirmed: confirmed, there: there, copy: copy)
            let about = "seed \(seed), round \(round)"
            #expect(Set(scope.names + scope.fresh).isSuperset(of: there), "\(about)")
            #expect(Set(scope.gone) == Set(confirmed).subtracting(there), "\(about)")
            #expect(Set(scope.names).isDisjoint(with: scope.fresh), "\(about)")
            #expect(Set(scope.readable) == Set(there), "\(about)")
            // Only a copy changes what was confirmed.
            if copy == .none { #expect(scope.names == confirmed, "\(about)") }
            if copy != .none { #expect(Set(scope.names).isSubset(of: there), "\(about)") }
        }
    }

    @Test func sourcesThatAStateNames() throws {
        let work: JSONValue = [
            "recipe": [
                "indices": [["from": "a-*", "to": "all"], ["from": "b-*", "to": "{index}-v2"], ["to": "log"]]
            ],
            "indices": [
                ["index": "all", "from": ["a-1", "a-2"], "filters": ["a-1": ["term": ["k": 1]]]],
                ["index": "b-1-v2", "from": ["b-1"]], ["index": "b-2-v2", "from": ["b-2"]],
            ],
        ]
        let known = KnownSources(work)
        func entry(_ from: String?, _ to: String) -> Recipe.IndexEntry {
            Recipe.IndexEntry(
                from: from, to: to, aliases: [], mapping: nil, settings: nil, transform: [], merge: .deep,
                missing: .create, id: nil)
        }
        #expect(known[entry("a-*", "all")]?.map(\.from) == [["a-1", "a-2"]])
        #expect(known[entry("a-*", "all")]?.first?.filters.keys.sorted() == ["a-1"])
        #expect(known[entry("b-*", "{index}-v2")]?.map(\.index) == ["b-1-v2", "b-2-v2"])
        #expect(known[entry("c-*", "all")] == nil && known[entry("a-*", "{index}-v2")] == nil)
        #expect(known[entry(nil, "log")]?.map(\.from) == [[]])
        #expect(KnownSources(nil)[entry("a-*", "all")] == nil)
    }

    // MARK: Whether it is asked

    private func recipe(merges: Bool, source: Bool = true) throws -> Recipe {
        let text = """
            name: small
            commands:
              bootstrap: "b:1"
              topic: t
              format: envelope
              envelope: { id: id, operation: c, index: [I]\(merges ? ", merge: [U]" : ""), document: m }
            \(source ? "source: { url: \"http://old:9200\" }" : "")
            target: { url: "http://new:9200" }
            indices: [ { \(source ? "from: o, " : "")to: n } ]
            """
        return try RecipeLoader.load(text: Array(text.utf8), path: "r.yaml", environment: [:])
    }

    private func state(copied: Bool?) -> MigrationState {
        var state = MigrationState(name: "small", phase: .created, fingerprint: "f", work: [:], created: 1, indices: [])
        guard let copied else { return state }
        state.copy = MigrationState.Copy(
            round: 1, expected: 0, started: 1, finished: copied ? 2 : nil, slices: [])
        return state
    }

    private func use(
        _ purpose: Purpose, merges: Bool = true, copied: Bool? = true, isKnown: Bool = true, isConfirming: Bool = false
    ) throws -> String {
        let use = SourceUse.of(
            purpose, recipe: try recipe(merges: merges), state: state(copied: copied), isKnown: isKnown,
            isConfirming: isConfirming)
        return switch use {
        case .needed(_, let waits): waits ? "waits" : "needed"
        case .wanted: "wanted"
        case .spared: "spared"
        }
    }

    @Test func afterTheCopyNothingNeedsTheSource() throws {
        for purpose in [Purpose.plan, .initialise, .replay, .follow, .redrive, .status, .purge] {
            #expect(try use(purpose) != "needed", "\(purpose)")
        }
        #expect(try use(.follow) == "spared" && use(.redrive) == "spared" && use(.purge) == "spared")
        #expect(try use(.follow, isConfirming: true) == "wanted" && use(.replay) == "wanted")
    }

    @Test func partialUpdatesNeedItWhileTheCopyIsUnfinished() throws {
        for purpose in [Purpose.replay, .follow, .redrive] {
            #expect(try use(purpose, copied: false) == "needed" && use(purpose, copied: nil) == "needed")
            #expect(try use(purpose, merges: false, copied: false) != "needed")
        }
        #expect(try use(.purge, copied: false) == "spared")
    }

    @Test func whatNobodyConfirmedIsLookedUp() throws {
        for purpose in [Purpose.plan, .initialise, .replay, .follow, .redrive, .purge] {
            #expect(try use(purpose, isKnown: false) == "needed", "\(purpose)")
        }
        #expect(try use(.status, isKnown: false) == "wanted")
        let without = SourceUse.of(.copy, recipe: try recipe(merges: true, source: false), state: nil, isKnown: false)
        #expect(without == .spared)
    }

    /// A source that was there at `init` is waited for; one that nobody saw, or that may be switched off, is not.
    @Test func aCopyWaitsForASourceThatIsLikelyToComeBack() throws {
        #expect(try use(.copy, copied: nil) == "waits" && use(.copy, copied: false) == "waits")
        #expect(try use(.copy, copied: true) == "needed" && use(.copy, copied: nil, isKnown: false) == "needed")
        #expect(try use(.copy, copied: false, isConfirming: true) == "needed")
    }

    @Test func itWaitsForTwoMinutesAndNotForWhatStays() {
        var random = Seeded(newSeed("source wait"))
        var wait = SourceWait()
        #expect(wait.failed(ClusterError(.forbidden, "no"), now: 0, using: &random) == .giveUp && wait.isFirst)
        var now: Int64 = 1000
        var questions = 0
        while case .askAgain(let milliseconds) = wait.failed(
            ClusterError(.unavailable, "away"), now: now, using: &random)
        {
            #expect((1...5000).contains(milliseconds))
            now += Int64(milliseconds)
            questions += 1
        }
        #expect(now >= 121_000 && now < 127_000 && questions > 20 && !wait.isFirst, "\(now) \(questions)")
    }
}
