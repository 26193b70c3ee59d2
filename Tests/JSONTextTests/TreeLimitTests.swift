import Testing

@testable import JSONText

/// Texts that are small and would become large trees, or trees that are slow to make.
struct TreeLimitTests {
    private func tree(_ text: String, atMost values: Int) throws -> JSONValue {
        try withBytes(text) { try JSONValue(parsing: $0, atMost: values) }
    }

    /// 32 KB of gzip became 1 to 2 GiB of tree.
    @Test func aTreeHasAtMostSoManyValues() throws {
        let text = "[[],{\"a\":[1,null]},\"x\"]"
        #expect(try tree(text, atMost: 7).text() == text)
        #expect(throws: JSONError(.tooManyValues, at: 19)) { try tree(text, atMost: 6) }
        #expect(JSONValue.mostValues == 5_000_000)
        #expect("\(JSONError(.tooManyValues, at: 0))".contains("json_values"))
    }

    /// As texts, the spellings of an accented name are equal, so that thousands of them lay in one place of a table.
    @Test func spellingsOfANameAreNames() throws {
        // Each letter is one character, or two.
        let names = (0..<64).map { bits in
            (0..<6).map { bits >> $0 & 1 == 0 ? "\u{E9}" : "e\u{301}" }.joined()
        }
        var object = JSONObject(names.enumerated().map { ($1, .number($0)) })
        #expect(object.count == 64)
        for (place, name) in names.enumerated() { #expect(object[name] == .number(place)) }
        object.removeValues(forKeys: Array(names.dropFirst(2)))
        #expect(object.count == 2 && object[names[1]] == 1 && object[names[2]] == nil)
    }
}
