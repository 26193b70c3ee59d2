import Commands
import JSONText
import Testing
import Transform

/// A row replaces the document but for the columns that did not come.
@Suite struct KeptColumnsTests {
    static let body = JSONPath(names: ["body"])
    static let inside = JSONPath(names: ["body", "part"])
    static let title = JSONPath(names: ["title"])
    static let base = #"{"title":"old","body":"long","gone":1,"pairs":{"a":1}}"#
    static let row = #"{"title":"new","body":"?","pairs":{"b":2}}"#

    static let cases: [([TransformStep], String)] = [
        ([], #"{"title":"new","pairs":{"b":2},"body":"long"}"#),
        ([.remove([body])], #"{"title":"new","pairs":{"b":2}}"#),
        ([.keep([title])], #"{"title":"new"}"#),
        ([.keep([title, body])], #"{"title":"new","body":"long"}"#),
        ([.rename(from: title, to: JSONPath(names: ["name"]))], #"{"pairs":{"b":2},"name":"new","body":"long"}"#),
        ([.rename(from: body, to: JSONPath(names: ["text"]))], "unavailable_value"),
        ([.remove([inside])], "unavailable_value"),
        ([.keep([inside])], "unavailable_value"),
        ([.copy(from: title, to: inside)], "unavailable_value"),
        ([.set(field: body, json: "1", ifMissing: true)], "unavailable_value"),
    ]

    static func result(_ steps: [TransformStep], base: String) -> String {
        let (old, new, out) = (ByteBuffer(), ByteBuffer(), ByteBuffer())
        old.append(base)
        new.append(row)
        do throws(TransformError) {
            try Transformer(steps).replace(
                base: old.bytes, with: new.bytes, keeping: UnavailableColumns(placeholder: "?"), steps: steps,
                into: out)
            return String(repairing: out.bytes)
        } catch {
            return error.reason
        }
    }

    @Test(arguments: cases) func replaces(_ steps: [TransformStep], _ expected: String) throws {
        let result = Self.result(steps, base: Self.base)
        guard expected.hasPrefix("{") else { return #expect(result == expected) }
        #expect(try JSONValue(parsing: result) == JSONValue(parsing: expected))
    }

    @Test func whatTheDocumentLacksCannotBeKept() {
        #expect(Self.result([], base: #"{"title":"old"}"#) == "unavailable_value")
        #expect(Self.result([.remove([Self.body])], base: #"{"title":"old"}"#) == #"{"title":"new","pairs":{"b":2}}"#)
    }
}
