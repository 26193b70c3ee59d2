import Basics
import JSONText
import Recipe

/// A line of a file of records, and how it was understood.
package struct SampleLine: Sendable, Equatable {
    package enum Reading: String, Sendable { case record, value }

    package var record: SampleRecord
    /// Whether the line is a record with its parts, or the value alone.
    package var reading: Reading
    /// A hint about a mistyped key; nil: no key looks mistyped.
    package var hint: String?

    /// The keys of a written record. Some are the names that kcat uses.
    private static let known: Set<String> = [
        "key", "key_base64", "value", "payload", "headers", "partition", "offset", "timestamp", "ts", "topic", "tstype",
        "broker",
    ]

    /// An object is a record if it has `value` (or `payload`, as kcat writes it) or `key`, and only keys of a record.
    /// Anything else is the value itself. `number`: of the line, from 0; it is the offset of a record that names none.
    package init(_ text: String, number: Int) {
        record = SampleRecord(value: Array(text.utf8), offset: Int64(number))
        reading = .value
        guard let object = (try? JSONValue(parsing: text))?.object else { return }
        guard object.keys.allSatisfy({ Self.known.contains($0) }),
            ["key", "key_base64", "value", "payload"].contains(where: { object[$0] != nil })
        else {
            hint = Self.hint(Array(object.keys))
            return
        }
        record = SampleRecord(object, offset: Int64(number))
        reading = .record
    }

    /// Given only if every unknown key is close to a key of a record: a command of the application has other keys too.
    private static func hint(_ keys: [String]) -> String? {
        let free = known.subtracting(keys).sorted()
        var meant: [String] = []
        for key in keys where !known.contains(key) {
            guard let near = NearestWord.to(key, among: free) else { return nil }
            meant.append("\"\(key)\" -> \(near)")
        }
        guard !meant.isEmpty else { return nil }
        return "read as the value, because a record has no such key; did you mean " + meant.joined(separator: ", ")
            + "?"
    }
}
