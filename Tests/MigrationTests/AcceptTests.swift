import Failures
import Foundation
import JSONText
@testable import Planning
@testable import Recipe
import Testing
@testable import Migration

/// `accept`: a refusal that is right in this case.
@Suite struct AcceptTests {
    private func recipe(_ accept: String) throws -> Recipe {
        let text = """
            name: small
            commands: { bootstrap: "b:1", topic: t, format: document }
            target: { url: "http://new:9200" }
            indices: [ { to: n } ]

            """ + accept
        return try RecipeLoader.load(text: Array(text.utf8), path: "r.yaml", environment: ["WHY": "hidden"])
    }

    private let line = "write in the recipe: `accept: [{ rail: identity, why: \"...\" }]`"

    @Test func anAcceptedRefusalIsAWarningThatSaysWhy() throws {
        let refused = Rail(name: "identity", verdict: .refused, detail: "ids differ")
        let plain = refused.answered(by: try recipe(""))
        #expect(plain.verdict == .refused && plain.accepted == nil)
        #expect(plain.detail.hasPrefix("ids differ. ") && plain.detail.hasSuffix(line))
        let accepted = refused.answered(by: try recipe("accept: [{ rail: identity, why: as meant }]"))
        #expect(accepted.verdict == .warn && accepted.accepted == "as meant")
        #expect(accepted.detail == "accepted: ids differ; because as meant")
    }

    @Test func onlyRefusalsAreAnsweredAndOnlyThoseThatCanBe() throws {
        let recipe = try recipe("accept: [{ rail: identity, why: as meant }]")
        for verdict in [Rail.Verdict.ok, .warn] {
            let rail = Rail(name: "identity", verdict: verdict, detail: "x").answered(by: recipe)
            #expect(rail.verdict == verdict && rail.detail == "x" && rail.accepted == nil)
        }
        let other = Rail(name: "log_identity", verdict: .refused, detail: "x").answered(by: recipe)
        #expect(other.verdict == .refused && other.detail == "x")
    }

    @Test func aRunningCheckNamesTheLineToo() {
        let error = Refusal.routingUnnamed(index: "i", id: "1", routing: "r", shape: "envelope").error()
        #expect(error.message.hasSuffix(line), "\(error)")
        #expect(!Refusal.copyIsOver.error().message.contains("accept"))
    }

    /// What is accepted is part of the work; the words for it are not, and nothing changes where nothing is accepted.
    @Test func theFingerprintHasWhatIsAcceptedAndNotWhy() throws {
        let none = Survey.meaning(try recipe(""))
        #expect(none == Survey.meaning(try recipe("accept: []")) && none["accept"] == nil)
        let one = Survey.meaning(try recipe("accept: [{ rail: identity, why: as meant }]"))
        #expect(one == Survey.meaning(try recipe("accept: [{ rail: identity, why: other words }]")))
        #expect(Fingerprint.differences(none, one) == [#"accept: was absent, is ["identity"]"#])
    }

    /// One stray record must not block a migration, and no other id may slip through with it.
    @Test func oneIDInTwoPartitionsIsAcceptedByName() throws {
        let some = try recipe(#"accept: [{ rail: one_partition, why: by hand, ids: [B6, "42", B6] }]"#)
        #expect(some.splitIDs == ["B6", "42", "B6"])
        #expect(
            Survey.meaning(some)["accept"] == [["rail": "one_partition", "ids": ["42", "B6"]]],
            "the ids belong to the work, in any order")
        let place = Refusal.Place(0, 1)
        let refusal = Refusal.idInTwoPartitions(
            "a\"b", topic: "t", orderedByOthers: false, one: place, other: place, more: ["c"])
        #expect(refusal.text.contains(#"ids: ["a\"b", "c"]"#) && refusal.text.contains("1 more ids"))
        #expect(!refusal.text.contains("take versions from"), "with partial updates that leads to the next refusal")
        var rail = Rail(name: "one_partition", verdict: .refused, detail: "B7")
        rail.isCovered = false
        #expect(rail.answered(by: some).verdict == .refused && rail.answered(by: some).detail == "B7")
        rail.isCovered = true
        #expect(rail.answered(by: some).verdict == .warn)
    }

    @Test func idsAreForRailsThatJudgeThem() {
        for (accept, problem) in [
            ("{ rail: one_partition, why: x }", "is accepted only for single ids"),
            ("{ rail: identity, why: x, ids: [a] }", "does not judge single ids"),
        ] {
            do {
                _ = try recipe("accept: [\(accept)]")
                Issue.record("\(accept) was taken")
            } catch {
                #expect("\(error)".contains(problem), "\(error)")
            }
        }
    }

    /// What came by `${NAME}` is never shown, in no section, also where it was another value before.
    @Test func substitutedValuesAreShownAsWritten() throws {
        let text = """
            name: small
            commands: { bootstrap: "b:1", topic: t, format: document }
            target: { url: "http://new:9200" }
            indices:
              - to: n
                mapping: { properties: { a: { type: keyword, null_value: "${WHY}" } } }
                settings: { index.number_of_shards: 1, index.routing.allocation.require.box: "${WHY}" }
            """
        func work(_ why: String) throws -> (recipe: Recipe, work: JSONValue) {
            let recipe = try RecipeLoader.load(text: Array(text.utf8), path: "r.yaml", environment: ["WHY": why])
            let entry = recipe.indices[0]
            return (
                recipe,
                [
                    "mapping": try JSONValue(parsing: entry.mapping ?? "null"),
                    "settings": try JSONValue(parsing: entry.settings ?? "null"), "recipe": RecipeText.meaning(recipe),
                ]
            )
        }
        let (recipe, now) = try work("hidden")
        let shown = SubstitutedValues(recipe).masked(now)
        #expect(!shown.text().contains("hidden") && shown.text().contains("${WHY}"), "\(shown.text())")
        #expect(shown["settings"]?.text().contains("\"index.number_of_shards\":1") == true)
        let changes = Fingerprint.differences(try work("older").work, now, shown: shown)
        let isHidden = changes.allSatisfy { $0.hasSuffix("was another value, is \"${WHY}\"") }
        #expect(changes.count >= 2 && isHidden, "\(changes)")
        let added = Fingerprint.differences(["mapping": .null], ["mapping": now["mapping"] ?? .null], shown: shown)
        #expect(added.count == 1 && !added[0].contains("hidden"), "\(added)")
    }

    @Test func mistakesHaveTheirPlaceAndTheNearestWord() {
        let text = """
            - { rail: identiy, why: x }
            - { rail: log_end, why: x }
            - { rail: identity, why: ... }
            - { rail: identity }
            """
        let lines = text.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n")
        let rails = RecipeType.either(RailCatalogue.acceptable.map(\.rail))
        let errors = #expect(throws: RecipeErrors.self) { try recipe("accept:\n" + lines) }
        #expect(
            errors?.diagnostics.map { "\($0.line):\($0.column): \($0.message) \($0.suggestion ?? "")" } == [
                "6:13: accept.rail is \"identiy\"; it must be \(rails) identity",
                "7:13: accept.rail \"log_end\" is a rail that cannot be accepted: the log is not the one that was "
                    + "applied, or its end is lost ",
                "8:28: accept.why \"...\" says nothing ", "9:5: accept needs why ",
                "9:13: the rail identity is accepted twice, first in line 8 ",
            ])
    }

    @Test func whyIsShownAsItMayBeShown() throws {
        #expect(try recipe("accept: [{ rail: identity, why: \"${WHY}\" }]").acceptance(of: "identity") == "${WHY}")
    }

    /// A new rail that refuses needs a place in `RailCatalogue`: acceptable, or why it is not.
    @Test func everyRailThatRefusesIsInTheCatalogue() throws {
        let folder = #filePath.replacing("Tests/MigrationTests/AcceptTests.swift", with: "Sources/Planning")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        // Some rails only warn.
        let named = try Regex(
            #"(?:add\(\s*"([a-z_]+)",\s*\.refused|Rail\(\s*name: "([a-z_]+)"(?!,\s*verdict: \.(?:warn|ok)\b))"#)
        var rails: Set<String> = []
        for file in files where file.hasSuffix(".swift") {
            let text = try String(contentsOfFile: folder + "/" + file, encoding: .utf8)
            for match in text.matches(of: named) {
                for part in match.output.dropFirst() { if let name = part.substring { rails.insert(String(name)) } }
            }
        }
        #expect(rails.count > 20, "the rails were not found")
        let known = RailCatalogue.acceptable.map(\.rail) + RailCatalogue.final.map(\.rail)
        #expect(rails.subtracting(known).sorted() == [])
        #expect(Set(known).count == known.count)
    }
}
