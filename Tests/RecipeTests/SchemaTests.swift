import Foundation
import JSONText
@testable import Recipe
import Testing
@testable import Migration

/// The JSON Schema and the reference page, both made from the table of keys.
struct SchemaTests {
    @Test(arguments: [Reading.incidents, EveryKey.envelope, EveryKey.document, EveryKey.debezium])
    func acceptsGoodRecipes(_ text: String) throws {
        let root = try #require(try YAMLLoader.load(Array(text.utf8)).root)
        #expect(faults(RecipeChecker.json(root, shown: true), RecipeText.jsonSchema, at: "") == [])
    }

    @Test(arguments: [
        "nmae: x", "copy: { slices: 0 }", "copy: { slices: x }", "limits: { memory: lots }", "source: 5",
        "replay: { from: { timestamp: 2026-11-01T00:00:00Z, offsets: { 0: 1 } } }", "indices: []",
        "target: { verify_tls: no }",
    ])
    func refusesBadRecipes(_ more: String) throws {
        let key = more.prefix { $0 != ":" }
        let text = Reading.small(
            [String(key): more], more: ["copy", "limits", "replay", "nmae"].contains(key) ? more : "")
        let root = try #require(try YAMLLoader.load(Array(text.utf8)).root)
        #expect(faults(RecipeChecker.json(root, shown: true), RecipeText.jsonSchema, at: "") != [])
    }

    /// As much of JSON Schema as ours uses.
    private func faults(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
        var faults: [String] = []
        if let types = schema["type"].map({ $0.array ?? [$0] }), !types.contains(where: { isA(value, $0.string) }) {
            return ["\(place) is no \(types)"]
        }
        if let words = schema["enum"]?.array, !words.contains(value) { faults.append("\(place) is not among \(words)") }
        if let choices = schema["anyOf"]?.array,
            !choices.contains(where: { self.faults(value, $0, at: place).isEmpty })
        {
            faults.append("\(place) is none of the choices")
        }
        if let pattern = schema["pattern"]?.string, let text = value.string,
            text.range(of: pattern, options: .regularExpression) == nil
        {
            faults.append("\(place) does not match \(pattern)")
        }
        if let number = value.int {
            if let least = schema["minimum"]?.int, number < least { faults.append("\(place) < \(least)") }
            if let most = schema["maximum"]?.int, number > most { faults.append("\(place) > \(most)") }
        }
        if let items = value.array {
            if let least = schema["minItems"]?.int, items.count < least { faults.append("\(place) is too short") }
            if let item = schema["items"] {
                for (index, value) in items.enumerated() {
                    faults += self.faults(value, item, at: "\(place)[\(index)]")
                }
            }
        }
        if let object = value.object { faults += objectFaults(object, schema, at: place) }
        return faults
    }

    private func objectFaults(_ object: JSONObject, _ schema: JSONValue, at place: String) -> [String] {
        var faults: [String] = []
        for name in schema["required"]?.array ?? [] where object[name.string ?? ""] == nil {
            faults.append("\(place) lacks \(name)")
        }
        if let most = schema["maxProperties"]?.int, object.count > most { faults.append("\(place) has too many") }
        if let least = schema["minProperties"]?.int, object.count < least { faults.append("\(place) has too few") }
        for (name, value) in object {
            if let property = schema["properties"]?[name] {
                faults += self.faults(value, property, at: "\(place).\(name)")
            } else if schema["additionalProperties"] == false {
                faults.append("\(place).\(name) is unknown")
            } else if let other = schema["additionalProperties"] {
                faults += self.faults(value, other, at: "\(place).\(name)")
            }
        }
        return faults
    }

    private func isA(_ value: JSONValue, _ type: String?) -> Bool {
        switch (value, type) {
        case (.object, "object"), (.array, "array"), (.string, "string"), (.bool, "boolean"), (.number, "number"): true
        case (.number, "integer"): value.int != nil
        default: false
        }
    }

    /// `docs/recipe.md` has the tables of the code. `CROSSFADE_WRITE_DOCS=1 swift test` writes them.
    @Test func referencePage() throws {
        let path = #filePath.replacing("Tests/RecipeTests/SchemaTests.swift", with: "docs/recipe.md")
        var page = try String(contentsOfFile: path, encoding: .utf8)
        for (title, table) in RecipeText.markdownTables {
            let begin = "<!-- table: \(title) -->\n"
            guard let start = page.range(of: begin),
                let end = page.range(of: "<!-- end -->", range: start.upperBound..<page.endIndex)
            else {
                Issue.record("docs/recipe.md has no table \"\(title)\"")
                continue
            }
            let present = page[start.upperBound..<end.lowerBound]
            if ProcessInfo.processInfo.environment["CROSSFADE_WRITE_DOCS"] != nil {
                page.replaceSubrange(start.upperBound..<end.lowerBound, with: table + "\n")
            } else {
                #expect(present == table + "\n", "the table \"\(title)\" of docs/recipe.md is not the code's")
            }
        }
        if ProcessInfo.processInfo.environment["CROSSFADE_WRITE_DOCS"] != nil {
            try page.write(toFile: path, atomically: true, encoding: .utf8)
        }
    }
}
