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
