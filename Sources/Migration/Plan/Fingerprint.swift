import CXXHash
import JSONText

/// The work as one short text: XXH3 (128 bits, from libxxhash) of the canonical JSON of all its parts.
///
/// It covers what the work means (recipe, mapping, transform, cluster ids, topic and partitions), not what moves
/// (counts, offsets) and not what only tunes (limits, slices, rate, addresses, credentials).
enum Fingerprint {
    static func of(_ work: JSONValue) -> String {
        let out = ByteBuffer()
        canonical(work).write(into: out)
        let hash = XXH3_128bits(out.base, out.count)
        return hex(hash.high64) + hex(hash.low64)
    }

    /// Version of libxxhash, e.g. `0.8.1`.
    static var libraryVersion: String {
        let number = XXH_versionNumber()
        return "\(number / 10_000).\(number / 100 % 100).\(number % 100)"
    }

    private static func hex(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// Members in the order of their names.
    static func canonical(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            .object(JSONObject(object.sorted { $0.key < $1.key }.map { ($0.key, canonical($0.value)) }))
        case .array(let elements): .array(elements.map(canonical))
        default: value
        }
    }

    /// Where two works differ, as dotted places with what was and what is, for a human; at most `limit`.
    static func differences(_ old: JSONValue, _ new: JSONValue, at place: String = "", limit: Int = 8) -> [String] {
        guard old != new else { return [] }
        if let one = old.object, let other = new.object {
            var found: [String] = []
            for key in Set(one.keys).union(other.keys).sorted() where found.count < limit {
                let inner = place.isEmpty ? key : "\(place).\(key)"
                found += differences(one[key] ?? .null, other[key] ?? .null, at: inner, limit: limit - found.count)
            }
            return found
        }
        if let one = old.array, let other = new.array, one.count == other.count {
            var found: [String] = []
            for index in one.indices where found.count < limit {
                found += differences(one[index], other[index], at: "\(place)[\(index)]", limit: limit - found.count)
            }
            return found
        }
        return ["\(place): was \(short(old)), is \(short(new))"]
    }

    private static func short(_ value: JSONValue) -> String {
        if value.isNull { return "absent" }
        let text = value.text()
        return text.count > 80 ? text.prefix(77) + "..." : text
    }
}
