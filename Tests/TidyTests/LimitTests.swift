import Foundation
import Testing

/// Limits that no key changes: each is in `docs/recipe.md`, and the message that refuses because of one names it there.
@Suite struct FixedLimitTests {
    /// The names in texts such as `(fixed limit json_depth)`, which may go over two lines, with a text each.
    private static func named(in text: String) -> [String] {
        text.replacing(/" *\n *\+ "/, with: "").matches(of: /\(fixed limit ([a-z_]+)\)/).map { String($0.output.1) }
    }

    private static func isDigit(_ character: Character) -> Bool { character.isASCII && character.isNumber }

    @Test func everyLimitOfTheTableIsNamedWhereItRefusesAndNoOtherIs() throws {
        let page = try String(contentsOf: TidyTests.root.appending(path: "docs/recipe.md"), encoding: .utf8)
        let rows = page.matches(of: /\n\| `([a-z_]+)` \| ([^|]*) \| [^|]+ \|(?=\n)/)
        let table = page.firstRange(of: "| limit | number |").map { page[$0.lowerBound...] } ?? ""
        let limits = table.prefix(upTo: table.firstRange(of: "\n\n")?.lowerBound ?? table.endIndex)
        let listed = rows.filter { limits.contains($0.output.0) }
        let names = listed.map { String($0.output.1) }
        #expect(names.count > 10 && names == names.sorted())
        for row in listed { #expect(row.output.2.contains(where: Self.isDigit) || row.output.1 == "page_hits") }

        var found: [String: [String]] = [:]
        for (_, source) in try TidyTests.sources() {
            let text = source.lines.joined(separator: "\n")
            for name in Self.named(in: text) { found[name, default: []] += [source.path] }
        }
        #expect(Set(found.keys) == Set(names), "\(found)")
    }

    @Test func aNameOverTwoLinesIsFound() {
        #expect(Self.named(in: "\"x (fixed limit \"\n   + \"ab_c)\"") == ["ab_c"])
        #expect(Self.named(in: "\"x (fixed \"\n + \"limit d), (fixed limit e)\"") == ["d", "e"])
    }
}
