import Basics
import JSONText
import Recipe

/// A line of a file of records, and how it was understood.
package struct SampleLine: Sendable, Equatable {
    package enum Reading: String, Sendable { case record, value }

    package var record: SampleRecord
    /// Whether the line is a record with its parts, or the value alone.
    package var reading: Reading
    /// What was probably meant, for people; nil: nothing looks mistyped.
    package var hint: String?

    /// What a record has; some of it as kcat calls it.
    private static let known: Set<String> = [
        "key", "value", "payload", "headers", "partition", "offset", "timestamp", "ts", "topic", "tstype", "broker",
    ]

    /// An object with `value` (`payload`, as kcat writes it) or `key`, and nothing but what a record has, is a record;
    /// anything else is the value itself. `number`: the line's, from 0; the offset of a record that names none.
    package init(_ text: String, number: Int) {
        record = SampleRecord(value: Array(text.utf8), offset: Int64(number))
        reading = .value
        guard let object = (try? JSONValue(parsing: text))?.object else { return }
        guard object.keys.allSatisfy({ Self.known.contains($0) }),
            ["key", "value", "payload"].contains(where: { object[$0] != nil })
        else {
            hint = Self.hint(Array(object.keys))
            return
        }
        record = SampleRecord(object, offset: Int64(number))
        reading = .record
    }

    /// Only where every strange key is nearly one that a record has: an application's command has others, too.
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
