import Foundation
@testable import Recipe
import Seeds
import Testing
@testable import Migration

struct EnvironmentFileTests {
    private func variables(_ text: String) throws -> [String: String] {
        try EnvironmentFile.parse(Array(text.utf8), path: "e.env")
    }

    private func errors(_ text: String) -> [String] {
        do throws(RecipeErrors) {
            _ = try EnvironmentFile.parse(Array(text.utf8), path: "e.env")
            return []
        } catch {
            return error.diagnostics.map(\.description)
        }
    }

    @Test func lines() throws {
        let text = """
            # a comment
            A=1
              B = two words  # a comment

            export C='sing"le # $x \\n'
            D="dou'ble \\"x\\" \\n\\t\\\\ \\$y \\q" # a comment
            E=
            F=""
            G=a#b=c'd"
            H="-----BEGIN-----
            abc==
            -----END-----"
            export=5
            I=ü
            """
        let expected = [
            "A": "1", "B": "two words", "C": "sing\"le # $x \\n", "D": "dou'ble \"x\" \n\t\\ $y \\q", "E": "", "F": "",
            "G": "a#b=c'd\"", "H": "-----BEGIN-----\nabc==\n-----END-----", "export": "5", "I": "ü",
        ]
        #expect(try variables(text) == expected)
        // With a byte order mark and without a last newline; with the line ends of Windows.
        #expect(try variables("\u{FEFF}" + text) == expected)
        var windows = expected
        windows["H"] = "-----BEGIN-----\r\nabc==\r\n-----END-----"
        #expect(try variables(text.replacing("\n", with: "\r\n") + "\r\n") == windows)
        #expect(try variables("").isEmpty)
    }

    @Test func whatIsWrong() {
        let line =
            "this is not KEY=VALUE; a key has letters, digits and _ and begins with no digit, and a value of several "
            + "lines stands in quotes"
        #expect(
            errors("A=1\nhunter2xyz\n  1B=x\nA=2\n\nC='x' y\nD-E=hunter2xyz\nü=1\n=x\nF=\"hunter2xyz\nG=1\n") == [
                "e.env:2:1: error: \(line)", "e.env:3:3: error: \(line)",
                "e.env:4:1: error: A is given twice, first in line 1",
                "e.env:6:7: error: after the closing quote only a comment may follow", "e.env:7:1: error: \(line)",
                "e.env:8:1: error: \(line)", "e.env:9:1: error: \(line)",
                "e.env:10:3: error: this quote is not closed",
            ])
        do throws(RecipeErrors) {
            _ = try EnvironmentFile.parse(Array("A=1\nB=".utf8) + [0xFF], path: "e.env")
            Issue.record("no error")
        } catch {
            #expect(error.description == "e.env:2:3: error: the file is not UTF-8 here")
        }
    }

    /// Whatever is written as the format says is read as it was meant.
    @Test func roundTrip() throws {
        let seed = newSeed("files of variables")
        var random = Seeded(seed)
        let pieces = ["a", " ", "\t", "#", "'", "\"", "\\", "$", "{x}", "\n", "=", "ü", "\\n", "\r\n", "export "]
        for _ in 0..<300 {
            let value = (0..<Int.random(in: 0...8, using: &random)).map { _ in
                random.pick(pieces)
            }.joined()
            let escaped = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("$", with: "\\$")
            let text = "B=1\nA=\"\(escaped)\" # c\nC=2\n"
            #expect(try variables(text) == ["A": value, "B": "1", "C": "2"], "\(seed)")
            guard !value.contains("'") else { continue }
            #expect(try variables("A='\(value)'\nC=2")["A"] == value, "\(seed)")
        }
    }

    /// Garbage is an error or is read; it never traps.
    @Test func garbage() {
        var random = Seeded(newSeed("garbage in files of variables"))
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in
                random.pick(Array("A=\"'\\#\n\r \u{FEFF}ü".utf8))
            }
            _ = try? EnvironmentFile.parse(bytes, path: "e.env")
        }
    }
}

/// Files of variables, byte order marks and what a person types next, through the loader.
struct RecipeSourceTests {
    @Test func aFileOfVariablesGoesBeforeTheEnvironment() throws {
        let folder = try Folder()
        try folder.write(
            "r.yaml", Reading.small(["name": "name: ${NAME}", "target": "target: { url: \"http://${HOST}:9200\" }"]))
        try folder.write("a.env", "NAME=first\nHOST=one\n")
        try folder.write("b c.env", "HOST=two\n")
        let recipe = try RecipeLoader.load(
            path: folder.path + "/r.yaml", environment: ["NAME": "outside", "HOST": "outside"],
            environmentFiles: [folder.path + "/a.env", folder.path + "/b c.env"])
        #expect(recipe.name == "first" && recipe.target.urls == ["http://two:9200"])
        #expect(
            recipe.typed == "\(folder.path)/r.yaml --env-file \(folder.path)/a.env --env-file '\(folder.path)/b c.env'")
        #expect(RecipeText.canonical(recipe)["name"] == "${NAME}")
        // Nothing is put where other processes could read it.
        #expect(ProcessInfo.processInfo.environment["NAME"] != "first")
    }

    @Test func aFileThatIsNotThere() throws {
        let folder = try Folder()
        #expect(throws: RecipeErrors.self) {
            try RecipeLoader.load(path: "r.yaml", environment: [:], environmentFiles: [folder.path + "/no.env"])
        }
        try folder.write("prod.env", "A=1")
        do throws(RecipeErrors) {
            _ = try EnvironmentFile.read(folder.path + "/prd.env")
        } catch {
            #expect(
                error.description == "\(folder.path)/prd.env:1:1: error: the environment file does not exist; "
                    + "did you mean \"\(folder.path)/prod.env\"?")
        }
        do throws(RecipeErrors) {
            _ = try EnvironmentFile.read(folder.path)
        } catch {
            #expect(error.description == "\(folder.path):1:1: error: the environment file is a folder")
        }
    }

    @Test func aByteOrderMark() throws {
        let folder = try Folder()
        try folder.write("m.json", "\u{FEFF}{\"properties\": {}}")
        try folder.write("key", "\u{FEFF}hunter2xyz\r\n")
        let good = Reading.small([
            "indices": "indices: [ { from: a, to: b, mapping: m.json } ]",
            "target": "target: { url: http://new:9200, auth: { api_key: \"${file:key}\" } }",
        ])
        let recipe = try Reading.load("\u{FEFF}" + good, folder: folder)
        guard case .apiKey(let key) = recipe.target.auth else {
            Issue.record("no key")
            return
        }
        #expect(key.reveal() == "hunter2xyz" && recipe.indices[0].mapping?.hasPrefix("{") == true)
        #expect(Reading.errors("\u{FEFF}nane: x\n").first?.hasPrefix("1:1: ") == true)
        #expect(Reading.errors("\u{FEFF}name: [\n") == Reading.errors("name: [\n"))
        let wide = Array("name: x".utf16).flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        do throws(RecipeErrors) {
            _ = try RecipeLoader.load(text: [0xFF, 0xFE] + wide, path: "r.yaml", environment: [:])
        } catch {
            #expect(error.description == "r.yaml:1:1: error: the file is UTF-16; save it as UTF-8")
        }
    }

    @Test func wordsOfAShell() {
        let words = [
            "a/b-c_1.yaml": "a/b-c_1.yaml", "two words": "'two words'", "it's": "'it'\\''s'", "-": "-",
            "-x.yaml": "./-x.yaml", "": "''", "größe.yaml": "größe.yaml", "$(rm)": "'$(rm)'", "~a": "'~a'",
        ]
        for (word, quoted) in words { #expect(ShellWord.quoted(word) == quoted) }
    }
}
