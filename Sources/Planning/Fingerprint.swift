import CXXHash
import JSONText

/// The work as one short text: XXH3 (128 bits, from libxxhash) of the canonical JSON of all its parts.
///
/// It covers what the work means: recipe, mapping, transform, cluster ids, topic and partitions. It does not cover what
/// changes by itself (counts, offsets) or what only tunes the work (limits, slices, rate, addresses, credentials).
package enum Fingerprint {
    package static func of(_ work: JSONValue) -> String {
        let out = ByteBuffer()
        canonical(work).write(into: out)
        let hash = XXH3_128bits(out.base, out.count)
        return hex(hash.high64) + hex(hash.low64)
    }

    /// Version of libxxhash, e.g. `0.8.1`.
    package static var libraryVersion: String {
        let number = XXH_versionNumber()
        return "\(number / 10_000).\(number / 100 % 100).\(number % 100)"
    }

    private static func hex(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.count) + text
    }

    /// Members in the order of their names.
    package static func canonical(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            .object(JSONObject(object.sorted { $0.key < $1.key }.map { ($0.key, canonical($0.value)) }))
        case .array(let elements): .array(elements.map(canonical))
        default: value
        }
    }

    /// The differences between two works for a person: dotted places with the value before and now. Differences beyond
    /// `limit` are only counted.
    /// - Parameter shown: the new work as it may be shown; nil: as it is. Where that says something else, the old value
    ///   is not shown either.
    package static func differences(
        _ old: JSONValue, _ new: JSONValue, shown: JSONValue? = nil, limit: Int = 8
    ) -> [String] {
        var found: [String] = []
        compare(old, new, shown ?? new, "", &found)
        guard found.count > limit else { return found }
        return found.prefix(limit) + ["and \(found.count - limit) more"]
    }

    private static func compare(
        _ old: JSONValue, _ new: JSONValue, _ shown: JSONValue, _ place: String, _ found: inout [String]
    ) {
        guard old != new else { return }
        if let one = old.object, let other = new.object {
            for key in Set(one.keys).union(other.keys).sorted() {
                compare(
                    one[key] ?? .null, other[key] ?? .null, shown[key] ?? .null,
                    place.isEmpty ? key : "\(place).\(key)", &found)
            }
        } else if let one = old.array, let other = new.array {
            compare(one, other, shown.array ?? [], place, &found)
        } else if shown != new, !old.isNull {
            found.append("\(place): was another value, is \(shown.text())")
        } else {
            let (before, after) = short(old, shown)
            found.append("\(place): was \(before), is \(after)")
        }
    }

    /// An inserted or removed element is one difference. The elements after it are not.
    private static func compare(
        _ old: [JSONValue], _ new: [JSONValue], _ shown: [JSONValue], _ place: String, _ found: inout [String]
    ) {
        var first = 0
        var last = 0
        if old.count != new.count {
            let shorter = min(old.count, new.count)
            while first < shorter, old[first] == new[first] { first += 1 }
            while last < shorter - first, old[old.count - 1 - last] == new[new.count - 1 - last] { last += 1 }
        }
        let before = old[first..<(old.count - last)]
        let after = new[first..<(new.count - last)]
        for at in 0..<max(before.count, after.count) {
            compare(
                at < before.count ? before[first + at] : .null, at < after.count ? after[first + at] : .null,
                at < after.count && shown.indices.contains(first + at) ? shown[first + at] : .null,
                "\(place)[\(first + at)]", &found)
        }
    }

    private static let shown = 120

    /// Both values as text. Long ones are cut to the part where they begin to differ.
    private static func short(_ old: JSONValue, _ new: JSONValue) -> (String, String) {
        let before = old.isNull ? "absent" : old.text()
        let after = new.isNull ? "absent" : new.text()
        guard before.count > shown || after.count > shown else { return (before, after) }
        let common = zip(before, after).prefix { $0 == $1 }.count
        let from = max(0, common - 20)
        func part(_ text: String) -> String {
            let rest = text.dropFirst(text.count > shown ? min(from, text.count - 1) : 0)
            let isCut = rest.count > shown
            return (rest.count < text.count ? "..." : "") + (isCut ? rest.prefix(shown) + "..." : rest)
        }
        return (part(before), part(after))
    }
}
