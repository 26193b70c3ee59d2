@testable import Failures
import Foundation
@testable import Migration
import Testing
@testable import crossfade

struct ManualPageTests {
    private let page = ManualPage(commands: CommandLineInterface.listed).text

    @Test func namesEverything() {
        for command in CommandLineInterface.listed {
            #expect(page.contains(".SS \"\\fBcrossfade \(ManualPage.word(command.name))\\fR"))
            for option in command.allOptions { #expect(page.contains(ManualPage.word("--" + option.name))) }
        }
        for command in CommandLineInterface.commands where command.hidden { #expect(!page.contains(command.name)) }
        for code in ExitCode.allCases { #expect(page.contains("\n.B \(code.rawValue)\n")) }
        for (code, _) in DeadLetterReasons.known { #expect(page.contains("\n.B \(code)\n")) }
    }

    /// No text can become a roff request or escape.
    @Test func escapes() {
        #expect(
            ManualPage.word("a-b \\n 'x' `y` ~ ^ \"q\"") == "a\\-b \\en \\(aqx\\(aq \\(gay\\(ga \\(ti \\(ha \\(dqq\\(dq"
        )
        #expect(ManualPage.word(".TH") == "\\&.TH")
        #expect(ManualPage.prose("Type `a --b` now. Then `c.") == "Type \\fBa \\-\\-b\\fR now.\nThen \\(gac.")
        let dots = Array(repeating: "abcdefghi .x", count: 20).joined(separator: " ")
        #expect(ManualPage.prose(dots).split(separator: "\n").allSatisfy { !$0.hasPrefix(".") && $0.count <= 80 })
    }

    /// Manual page, completions and reference name every reason for a dead letter. The manual's page about the
    /// command line names every exit code.
    @Test func everyReasonIsKnown() throws {
        let top = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let known = Set(DeadLetterReasons.known.map(\.code))
        #expect(known.count == DeadLetterReasons.known.count)
        var found: Set<String> = []
        let given = try Regex("(?:reason: |failure\\()\"([a-z_]+)\"", as: (Substring, Substring).self)
        for room in ["Commands", "Transform", "Indexing", "Pipeline"] {
            let folder = top.appendingPathComponent("Sources/\(room)")
            for file in try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            where file.pathExtension == "swift" {
                let text = try String(contentsOf: file, encoding: .utf8)
                found.formUnion(text.matches(of: given).map { String($0.output.1) })
            }
        }
        #expect(found.count > 15)
        #expect(found.isSubset(of: known), "\(found.subtracting(known))")
        let reference = try String(contentsOf: top.appendingPathComponent("docs/recipe.md"), encoding: .utf8)
        let page = try String(contentsOf: top.appendingPathComponent("docs/command-line.md"), encoding: .utf8)
        for code in ExitCode.allCases { #expect(page.contains("| \(code.rawValue) | \(code.meaning) |")) }
        for (code, meaning) in DeadLetterReasons.known { #expect(reference.contains("| `\(code)` | \(meaning) |")) }
    }
}
