import Basics
import JSONText
@testable import Recipe
import Seeds
import Testing
@testable import Migration

struct YAMLTests {
    private func problem(_ bytes: [UInt8]) -> YAMLProblem? {
        do {
            _ = try YAMLLoader.load(bytes)
            return nil
        } catch {
            return error
        }
    }

    @Test func marksAndStyles() throws {
        let root = try #require(try YAMLLoader.load(Array("é: [a, \"b\"]\nc: |\n  d\n".utf8)).root)
        guard case .mapping(let pairs) = root.content, case .sequence(let items) = pairs[0].value.content,
            case .scalar(let a) = items[0].content, case .scalar(let b) = items[1].content,
            case .scalar(let d) = pairs[1].value.content
        else {
            Issue.record("another tree")
            return
        }
        #expect(items.map(\.mark) == [SourceMark(line: 1, column: 5), SourceMark(line: 1, column: 8)])
        #expect(pairs[1].mark == SourceMark(line: 2, column: 1))
        #expect(a.plain && !b.plain && !d.plain && d.text == "d\n")
    }

    @Test func bounds() {
        let tooMany = "more than 200000 values, counting what aliases repeat (fixed limit recipe_values)"
        let laughs =
            "a0: &a0 [x]\n" + (1...30).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined()
        #expect(problem(Array(laughs.utf8))?.message == tooMany)
        let deep = String(repeating: "[", count: 200_000)
        #expect(problem(Array(deep.utf8))?.message == "nested deeper than 100 levels (fixed limit recipe_depth)")
        let wide = "[" + String(repeating: "1,", count: 250_000) + "1]"
        #expect(problem(Array(wide.utf8))?.message == tooMany)
        #expect(problem([UInt8](repeating: 32, count: 5 << 20))?.mark == SourceMark(line: 1, column: 1))
        let itself = "&a [*a]"
        #expect(problem(Array(itself.utf8))?.message == "the alias *a has no complete anchor before it")
    }

    /// 8 KB with 2,000 aliases of a `${BIG}` of 100 KB became 193 MiB.
    @Test func aliasesAndSubstitutionsMayNotMakeATextLarge() throws {
        let half = String(repeating: "x", count: YAMLLoader.maxTextBytes / 8)
        let many = "a: &a \(half)\nb: [" + Array(repeating: "*a", count: 9).joined(separator: ",") + "]\n"
        #expect(problem(Array(many.utf8))?.message == YAMLLoader.tooMuchText)
        #expect(problem(Array("a: &a \(half)\nb: [*a, *a]\n".utf8)) == nil)

        let recipe = "name: &a ${BIG}\nlist: [" + Array(repeating: "*a", count: 2_000).joined(separator: ",") + "]\n"
        let root = try #require(try YAMLLoader.load(Array(recipe.utf8)).root)
        let problems = RecipeProblems(file: "r.yaml")
        let made = RecipeSubstitution(
            environment: ["BIG": String(repeating: "y", count: 100_000)], files: RecipeFiles(besides: "r.yaml"),
            problems: problems
        ).apply(to: root)
        #expect(problems.diagnostics.map(\.message) == [YAMLLoader.tooMuchText])
        #expect(made.bytes <= YAMLLoader.maxTextBytes)
    }

    @Test func notUTF8() {
        #expect(
            problem(Array("a: b\nc: é".utf8) + [0xFF])
                == YAMLProblem(mark: SourceMark(line: 2, column: 5), message: "the file is not UTF-8 here"))
        // UTF-16 with its mark.
        #expect(problem([0xFF, 0xFE, 0x61, 0])?.mark == SourceMark(line: 1, column: 1))
    }

    @Test(arguments: [
        ("1", true), ("-0.5e+3", true), ("007", false), ("1.", false), (".5", false), ("1e", false), ("0x1F", false),
        ("-", false), ("", false), ("1_000", false), ("12345678901234567890123", true), ("٣", false),
    ])
    func numbers(_ text: String, _ expected: Bool) {
        #expect(YAMLScalar(text: text, plain: true, reference: nil).isNumber == expected)
    }

    /// Bytes of all kinds: the loader answers, it never traps.
    @Test func fuzz() throws {
        var random = Seeded(newSeed("YAML fuzz"))
        let recipes = [Reading.incidents, EveryKey.envelope, EveryKey.document, EveryKey.debezium].map {
            Array($0.utf8)
        }
        let tokens = [
            "{", "}", "[", "]", ":", "- ", "\n", "  ", "&a ", "*a", "!!str ", "|\n", ">", "\"", "'", "${", "$${",
            "${A}",
            "${file:", "}", "---\n", "...\n", "? ", "%YAML 1.1\n", "#", "\t", "null", "~", "0", "-1",
            "9223372036854775808",
            "1e999", "true", "é", "\u{0}", "\u{FEFF}", "<<", "{index}", "..", "\\", "*",
        ].map { Array($0.utf8) }
        for round in 0..<4_000 {
            var text = recipes[Int(random.next() % UInt64(recipes.count))]
            if round % 4 == 0 { text = [] }
            for _ in 0...(random.next() % 12) {
                let at = Int(random.next() % UInt64(text.count + 1))
                switch random.next() % 5 {
                case 0: text.insert(contentsOf: tokens[Int(random.next() % UInt64(tokens.count))], at: at)
                case 1: text.removeSubrange(at..<min(text.count, at + Int(random.next() % 20)))
                case 2: if at < text.count { text[at] = UInt8(truncatingIfNeeded: random.next()) }
                case 3:
                    let end = min(text.count, at + Int(random.next() % 60))
                    text.insert(contentsOf: Array(text[at..<end]), at: Int(random.next() % UInt64(text.count + 1)))
                default:
                    text.replaceSubrange(
                        at..<min(text.count, at + 4), with: tokens[Int(random.next() % UInt64(tokens.count))])
                }
            }
            do {
                let recipe = try RecipeLoader.load(
                    text: text, path: "fuzz.yaml", environment: ["A": "1", "NEW_KEY": "k"])
                _ = RecipeText.facts(recipe)
            } catch {
                #expect(!error.diagnostics.isEmpty)
                #expect(error.diagnostics.allSatisfy { $0.line >= 1 && $0.column >= 1 })
            }
        }
    }
}
