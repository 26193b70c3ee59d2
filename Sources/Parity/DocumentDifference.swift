import JSONText

/// Where two documents differ, for people to read. What counts as equal is what ``DocumentDigester`` says.
package struct DocumentDifference {
    private let digester: DocumentDigester
    private let redacted: PathTree
    private let salt: UInt64
    private let limit: Int
    private var found: [PathDifference] = []
    private let name = ByteBuffer()

    /// Below this depth an object or array is shown as a whole.
    private static let deepest = 64

    /// The paths at which two documents differ, in the order of the expected document; at most `limit`.
    ///
    /// - Parameters:
    ///   - redacting: what lies there is shown as a digest only, and so is what contains it.
    ///   - salt: makes those digests others in each run, so that a value cannot be guessed by its digest.
    package static func paths(
        expected: Bytes, found: Bytes, ignoring: [JSONPath] = [], emptyArrayIsAbsent: Bool = false,
        redacting: [JSONPath] = [], salt: UInt64 = 0, limit: Int
    ) -> [PathDifference] {
        var difference = DocumentDifference(
            digester: DocumentDigester(ignoring: ignoring, emptyArrayIsAbsent: emptyArrayIsAbsent),
            redacted: .hiding(redacting), salt: salt, limit: limit)
        difference.compare(Value(expected), Value(found), Place())
        return difference.found
    }

    private init(digester: DocumentDigester, redacted: PathTree, salt: UInt64, limit: Int) {
        (self.digester, self.redacted, self.salt, self.limit) = (digester, redacted, salt, limit)
    }

    private struct Place {
        var path = ""
        var depth = 0
        var ignored = PathTree.root
        var redacted = PathTree.root
    }

    /// The text of a value without white space around it.
    private struct Value {
        var text: Bytes

        init(_ text: Bytes) {
            var start = text.startIndex
            while start < text.endIndex, text[start] <= 0x20 { start += 1 }
            self.text = Bytes(rebasing: text[start...])
        }

        var kind: JSONKind { text.first.map(JSONScanner.kind) ?? .absent }
    }

    private struct Member {
        /// The canonical text of the name.
        var name: [UInt8]
        var value: Value
        var place: Place
    }

    private mutating func compare(_ expected: Value?, _ other: Value?, _ place: Place) {
        guard found.count < limit else { return }
        guard let expected, let other else { return tell(expected, other, place) }
        let one = try? digester.digest(expected.text, at: place.ignored)
        let two = try? digester.digest(other.text, at: place.ignored)
        guard one != two || one == nil else { return }
        let isHidden = redacted.isEnd(place.redacted)
        guard one != nil, two != nil, !isHidden, expected.kind == other.kind, place.depth < Self.deepest else {
            return tell(expected, other, place)
        }
        switch expected.kind {
        case .object:
            guard let one = members(expected, place), let two = members(other, place) else { break }
            var others = Dictionary(two.map { ($0.name, $0) }) { $1 }
            for member in one { compare(member.value, others.removeValue(forKey: member.name)?.value, member.place) }
            for member in two where others[member.name] != nil { compare(nil, member.value, member.place) }
            return
        case .array:
            guard let one = elements(expected), let two = elements(other) else { break }
            if let alone = alone(one, two, place) {
                for (expected, other) in alone { tell(expected, other, inArray(place)) }
                return
            }
            for index in 0..<max(one.count, two.count) {
                var inside = place
                inside.path += "[\(index)]"
                inside.depth += 1
                compare(index < one.count ? one[index] : nil, index < two.count ? two[index] : nil, inside)
            }
            return
        default: break
        }
        tell(expected, other, place)
    }

    /// The elements that one of two arrays has more than the other, where these are fewer than the places that differ:
    /// one element more shifts all behind it. nil: place by place is shorter, or says more.
    private func alone(_ one: [Value], _ two: [Value], _ place: Place) -> [(Value?, Value?)]? {
        func digests(_ values: [Value]) -> [ContentDigest]? {
            let digests = values.compactMap { try? digester.digest($0.text, at: place.ignored) }
            return digests.count == values.count ? digests : nil
        }
        guard let first = digests(one), let second = digests(two) else { return nil }
        func left(_ values: [Value], _ digests: [ContentDigest], without others: [ContentDigest]) -> [Value] {
            var counts = Dictionary(others.map { ($0, 1) }, uniquingKeysWith: +)
            return zip(values, digests).compactMap { value, digest in
                guard let count = counts[digest], count > 0 else { return value }
                counts[digest] = count - 1
                return nil
            }
        }
        let (lost, more) = (left(one, first, without: second), left(two, second, without: first))
        let unlike = zip(first, second).count { $0 != $1 } + abs(first.count - second.count)
        // In another order both have the same elements, and differ all the same.
        guard lost.count + more.count > 0, lost.count + more.count < unlike else { return nil }
        return lost.map { ($0, nil) } + more.map { (nil, $0) }
    }

    /// Any place of an array.
    private func inArray(_ place: Place) -> Place {
        var inside = place
        inside.path += "[]"
        inside.depth += 1
        return inside
    }

    // MARK: Parts

    /// The members that count, in their order; nil: the text is not an object.
    private func members(_ object: Value, _ place: Place) -> [Member]? {
        guard let text = object.text.baseAddress else { return nil }
        let end = object.text.count
        var newlines = false
        var order: [Member] = []
        var places: [[UInt8]: Int] = [:]
        var at = JSONScanner.space(text, 1, end, &newlines)
        while at < end, text[at] != UInt8(ascii: "}") {
            var escaped = false
            guard let key = try? JSONScanner.key(text, at, end, &escaped, &newlines),
                let after = try? JSONScanner.skip(text, key.value, end, JSONScanner.maxDepth, &newlines)
            else { return nil }
            var inside = place
            let name = canonical(Bytes(start: text + at, count: key.quote &+ 1 &- at), &inside)
            let value = Value(Bytes(start: text + key.value, count: after &- key.value))
            if let known = places[name] {
                order[known].value = value
            } else {
                places[name] = order.count
                order.append(Member(name: name, value: value, place: inside))
            }
            at = JSONScanner.space(text, after, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
        return order.filter { member in
            !digester.ignored.isEnd(member.place.ignored)
                && !(digester.emptyArrayIsAbsent && member.value.kind == .array
                    && elements(member.value)?.isEmpty == true)
        }
    }

    private func elements(_ array: Value) -> [Value]? {
        guard let text = array.text.baseAddress else { return nil }
        let end = array.text.count
        var newlines = false
        var found: [Value] = []
        var at = JSONScanner.space(text, 1, end, &newlines)
        while at < end, text[at] != UInt8(ascii: "]") {
            guard let after = try? JSONScanner.skip(text, at, end, JSONScanner.maxDepth, &newlines) else { return nil }
            found.append(Value(Bytes(start: text + at, count: after &- at)))
            at = JSONScanner.space(text, after, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
        return found
    }

    /// The canonical text of a name. `place` moves to the member.
    private func canonical(_ quoted: Bytes, _ place: inout Place) -> [UInt8] {
        name.removeAll()
        if (try? JSONString.unescape(quoted, into: name)) == nil {
            name.append(Bytes(rebasing: quoted.dropFirst().dropLast()))
        }
        let content = String(repairing: name.bytes)
        let path = content.isEmpty ? "" : JSONPath(names: [content]).description
        place.path += place.path.isEmpty ? path : "." + path
        place.depth += 1
        let text = ByteBuffer()
        JSONString.escapeContent(name.bytes, into: text)
        return withExtendedLifetime(text) {
            place.ignored = digester.ignored.step(place.ignored, text.bytes)
            place.redacted = redacted.hiddenStep(place.redacted, text.bytes)
            return Array(text.bytes)
        }
    }

    // MARK: Showing

    private mutating func tell(_ expected: Value?, _ other: Value?, _ place: Place) {
        found.append(
            PathDifference(path: place.path, expected: shown(expected, place), found: shown(other, place)))
    }

    private func shown(_ value: Value?, _ place: Place) -> String? {
        guard let value else { return nil }
        let isContainer = value.kind == .object || value.kind == .array
        // A container is shown as a whole, with all that is in it.
        if redacted.hidesScalar(place.redacted)
            || (isContainer && place.redacted != PathTree.nowhere && !redacted.isEmpty)
        {
            let content = (try? digester.digest(value.text, at: place.ignored)) ?? ContentDigest(of: value.text)
            return DocumentRedaction.mark(content, salt: salt)
        }
        guard value.text.count > PathDifference.longest else { return String(repairing: value.text) }
        // Not in the middle of a character, and with room for the dots.
        var cut = PathDifference.longest - 3
        while cut > 0, value.text[cut] & 0xC0 == 0x80 { cut -= 1 }
        return String(repairing: Bytes(rebasing: value.text[..<cut])) + "…"
    }
}
