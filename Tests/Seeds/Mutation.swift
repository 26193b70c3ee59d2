import Foundation
import JSONText

/// Changing one leaf of a document after the other, also inside JSON that is stored as text.
public enum Mutation {
    /// The way to a value: names, numbers of elements, and into a text.
    public enum Step: Hashable, Sendable {
        case name(String)
        case element(Int)
        case text
    }

    /// Every value, leaves and what holds them, without the document itself.
    public static func places(_ json: JSONValue) -> [[Step]] {
        switch json {
        case .object(let object): object.flatMap { below(.name($0.key), $0.value) }
        case .array(let elements): elements.enumerated().flatMap { below(.element($0.offset), $0.element) }
        case .string(let text):
            if let inner = try? JSONValue(parsing: text), inner.object != nil || inner.array != nil {
                below(.text, inner)
            } else {
                []
            }
        default: []
        }
    }

    private static func below(_ step: Step, _ value: JSONValue) -> [[Step]] {
        [[step]] + places(value).map { [step] + $0 }
    }

    /// What a value may become: both ends of Int64 and what is just beyond them, other types, nothing (nil), much.
    public static func values(_ random: inout Seeded) -> [JSONValue?] {
        let fixed: [JSONValue?] = [
            nil, .null, true, "", "x", -1, 0, [], [:], .number(Int64.max), .number(Int64.min),
            .number("9223372036854775808"), .number("1e400"), .number("-0.5"),
            .string("9223372036854775807"), .string("0:9223372036854775807,0:-9223372036854775808"),
            .string("slice 9223372036854775807/9223372036854775807"), .string(String(repeating: "é", count: 70_000)),
            ["a": ["b": [["c": -1]]]], [[[[[1]]]]],
        ]
        return fixed + [
            .number(Int64(bitPattern: random.next())), .number(Int64(1) << Int64(random.below(63))),
            .string(String(random.next(), radix: 36)),
        ]
    }

    public static func changed(_ json: JSONValue, _ place: ArraySlice<Step>, to value: JSONValue?) -> JSONValue {
        guard let step = place.first else { return value ?? .null }
        let (rest, isLast) = (place.dropFirst(), place.count == 1)
        switch (step, json) {
        case (.name(let name), .object(var object)):
            object[name] = isLast ? value : object[name].map { changed($0, rest, to: value) }
            return .object(object)
        case (.element(let at), .array(var elements)) where elements.indices.contains(at):
            if isLast, value == nil {
                elements.remove(at: at)
            } else {
                elements[at] = changed(elements[at], rest, to: value)
            }
            return .array(elements)
        case (.text, .string(let text)):
            let inner = (try? JSONValue(parsing: text)) ?? .null
            return .string(changed(inner, rest, to: value).text())
        default: return json
        }
    }

    /// Keeps what is tried in a file, so that after a trap it says what it was.
    public static func note(_ what: String, _ place: [Step], _ value: JSONValue?) {
        let words = "\(what): \(place) = \(value?.text().prefix(200) ?? "nothing")\n"
        let path = NSTemporaryDirectory() + "crossfade-mutation-\(what)-\(ProcessInfo.processInfo.processIdentifier)"
        guard let file = fopen(path, "w") else { return }
        fputs(words, file)
        fclose(file)
    }

    /// The file is not wanted when all went well.
    public static func forget(_ what: String) {
        unlink(NSTemporaryDirectory() + "crossfade-mutation-\(what)-\(ProcessInfo.processInfo.processIdentifier)")
    }
}
