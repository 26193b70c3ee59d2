import Seeds
import Testing

@testable import crossfade

struct TextLayoutTests {
    @Test func paragraphs() {
        let layout = TextLayout(width: 40)
        #expect(layout.paragraph("") == [])
        #expect(layout.paragraph("one  two") == ["one two"])
        #expect(
            layout.paragraph(String(repeating: "abcde ", count: 8), hanging: 4) == [
                "abcde abcde abcde abcde abcde abcde", "    abcde abcde",
            ])
        // A word that is longer than a line is broken, and no character is lost.
        #expect(layout.paragraph("a " + String(repeating: "x", count: 90)).map(\.count) == [1, 40, 40, 10])
    }

    @Test func parts() {
        let text = "one\ntwo\n\n    a  b\n      c\nthree\n\n\n    d\n"
        #expect(
            TextLayout.blocks(text) == [
                .paragraph("one two"), .verbatim(["a  b", "  c"]), .paragraph("three"), .verbatim(["d"]),
            ])
        #expect(
            TextLayout(width: 40).text(text) == ["one two", "", "    a  b", "      c", "", "three", "", "    d"])
    }

    @Test func tables() {
        #expect(
            TextLayout(width: 40).table([("a", "one"), ("bcd", String(repeating: "word ", count: 9)), ("e", "")]) == [
                "  a    one", "  bcd  word word word word word word", "       word word word", "  e",
            ])
        let wide = String(repeating: "n", count: 30)
        #expect(
            TextLayout(width: 40).table([("a", "one"), (wide, "two")]) == ["  a  one", "  " + wide, "     two"])
    }

    /// No line is longer than the width, and all words are there in their order.
    @Test func nothingIsLostOrTooWide() {
        let seed = newSeed("text layout")
        var random = Seeded(seed)
        for _ in 0..<300 {
            let width = 20 + random.below(130)
            let layout = TextLayout(width: width)
            func words(_ most: Int) -> String {
                (0..<random.below(most)).map { _ in String(repeating: "x", count: 1 + random.below(12)) }
                    .joined(separator: " ")
            }
            let rows = (0..<random.below(5)).map { _ in ("n" + words(4), words(30)) }
            let lines = layout.table(rows)
            #expect(lines.allSatisfy { $0.count <= layout.width }, "\(seed)")
            let expected = rows.flatMap { ($0.0 + " " + $0.1).split(separator: " ") }
            #expect(lines.flatMap { $0.split(separator: " ") } == expected, "\(seed)")
        }
    }

    /// Help fits every terminal width, except commands to type.
    @Test(arguments: [40, 57, 80, 100, 200])
    func helpFits(_ width: Int) {
        let help = Help(commands: CommandLineInterface.commands, layout: TextLayout(width: width))
        let paths = Set(CommandLineInterface.commands.flatMap { [[], [$0.path[0]], $0.path] })
        for path in paths {
            let discussions = CommandLineInterface.commands.filter { $0.path == path }.map(\.discussion)
            let verbatim = discussions.flatMap(TextLayout.blocks).flatMap { block in
                if case .verbatim(let lines) = block { lines.map { "    " + $0 } } else { [String]() }
            }
            for line in help.text(about: path).split(separator: "\n") where !verbatim.contains(String(line)) {
                #expect(line.count <= width, "\(line)")
                #expect(line.last != " ")
            }
        }
    }

    @Test func everyCodeIsExplained() {
        let text = Help(commands: CommandLineInterface.commands).text(about: [])
        for code in ExitCode.allCases { #expect(text.contains("  \(code.rawValue)")) }
    }
}
