import JSONText

/// Ways in which the id of a command and the id of a copied document can be two spellings of one id.
package enum IDSpelling: String, Sendable, Equatable, CaseIterable {
    /// The bytes themselves, where the recipe reads them as something else.
    case text
    /// A JSON string: the id in quotes.
    case json
    /// Four bytes, the highest first.
    case int32
    /// Eight bytes, the highest first.
    case int64
    /// Behind a zero byte and the four bytes of a schema id.
    case confluent
    /// The only member of an object, or in its `payload`.
    case wrapper
    /// The type's name stands before the id.
    case typed
    /// The document's id has the type's name before it, and the command's has not.
    case untyped
    /// Large letters for small ones, or the reverse.
    case letterCase
    /// The same letters in another Unicode form.
    case form
    /// A number with other zeros before it.
    case padding
    /// Other marks between the parts, or none.
    case marks

    /// The ids that `bytes` may be a spelling of. `isKey`: the recipe reads them as something else than a text.
    package static func readings(
        of bytes: [UInt8], types: [String], isKey: Bool = false
    ) -> [(id: String, spelling: IDSpelling)] {
        var found = keys(bytes)
        let id = String(decoding: bytes, as: UTF8.self)
        if isKey, String(validating: bytes, as: UTF8.self) != nil { found.append((id, .text)) }
        for type in types.prefix(8) where !type.isEmpty {
            for separator in ["-", "_", ":", "/", "#", "|"] {
                let prefix = type + separator
                if id.hasPrefix(prefix), id.utf8.count > prefix.utf8.count {
                    found.append((String(id.dropFirst(prefix.count)), .typed))
                }
            }
        }
        for type in types.prefix(3) where !type.isEmpty {
            for separator in ["-", "_", ":"] { found.append((type + separator + id, .untyped)) }
        }
        for other in [id.lowercased(), id.uppercased()] where other != id { found.append((other, .letterCase)) }
        return found.filter { !$0.id.isEmpty && $0.id.utf8.count <= 512 }
    }

    /// What converters make of a key.
    private static func keys(_ bytes: [UInt8]) -> [(id: String, spelling: IDSpelling)] {
        var found: [(id: String, spelling: IDSpelling)] = []
        if let json = json(bytes) { found.append(json) }
        if bytes.contains(where: { $0 < 0x20 || $0 > 0x7E }), let number = number(bytes) {
            found.append((String(number), bytes.count == 4 ? .int32 : .int64))
        }
        if bytes.count > 5, bytes[0] == 0 {
            let rest = Array(bytes[5...])
            found.append((String(decoding: rest, as: UTF8.self), .confluent))
            if let json = json(rest) { found.append((json.id, .confluent)) }
        }
        return found
    }

    /// A number with other zeros before it, as long as other ids are. `lengths`: in bytes.
    static func padded(_ id: String, _ lengths: [Int]) -> [String] {
        guard !id.isEmpty, id.utf8.allSatisfy({ 0x30...0x39 ~= $0 }) else { return [] }
        let bare = String(id.drop { $0 == "0" })
        return ([bare] + lengths.map { String(repeating: "0", count: max(0, $0 - bare.utf8.count)) + bare })
            .filter { !$0.isEmpty && $0 != id }
    }

    private static let separators: [Character] = ["-", "_", ":", "/", ".", "#", "|", " "]

    /// Ids with other marks where `id` has marks of one kind, and a UUID with its hyphens.
    static func remarked(_ id: String) -> [String] {
        let found = Set(id.filter(separators.contains))
        if found.isEmpty { return uuid(id).map { [$0] } ?? [] }
        guard found.count == 1, let mark = found.first else { return [] }
        let others = separators.dropLast().filter { $0 != mark }.map { String($0) }
        return ([""] + others).map { id.split(separator: mark, omittingEmptySubsequences: false).joined(separator: $0) }
    }

    private static func uuid(_ id: String) -> String? {
        guard id.utf8.count == 32, id.allSatisfy(\.isHexDigit) else { return nil }
        var rest = Substring(id)
        return [8, 4, 4, 4, 12].map { length in
            defer { rest = rest.dropFirst(length) }
            return String(rest.prefix(length))
        }.joined(separator: "-")
    }

    private static func number(_ bytes: [UInt8]) -> Int64? {
        switch bytes.count {
        case 4: Int64(Int32(truncatingIfNeeded: bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) }))
        case 8: Int64(truncatingIfNeeded: bytes.reduce(0 as UInt64) { $0 << 8 | UInt64($1) })
        default: nil
        }
    }

    private static func json(_ bytes: [UInt8]) -> (id: String, spelling: IDSpelling)? {
        guard let first = bytes.first, first == UInt8(ascii: "\"") || first == UInt8(ascii: "{"),
            let value = try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self))
        else { return nil }
        if let text = value.string { return (text, .json) }
        guard let object = value.object else { return nil }
        let inner = object["payload"] ?? value
        return scalar(inner).map { ($0, .wrapper) }
    }

    private static func scalar(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text), .number(let text): text
        case .object(let object) where object.count == 1:
            object.values.first.flatMap { member in
                if case .object = member { nil } else { scalar(member) }
            }
        default: nil
        }
    }
}
