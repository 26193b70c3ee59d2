import JSONText

/// A document for people to read, with digests in place of what they must not see.
package struct DocumentRedaction {
    private let redacted: PathTree
    private let salt: UInt64

    /// - Parameter salt: as in ``DocumentDifference``: equal values of one run have equal digests.
    package init(_ paths: [JSONPath], salt: UInt64) { (redacted, self.salt) = (.hiding(paths), salt) }

    /// The document as JSON text; nil: it is no JSON, so that nobody can tell what is to be hidden.
    package func shown(_ document: [UInt8]) -> String? {
        guard let value = document.withUnsafeBufferPointer({ try? JSONValue(parsing: $0) }) else { return nil }
        return shown(value, PathTree.root).text()
    }

    private func shown(_ value: JSONValue, _ place: Int) -> JSONValue {
        guard place != PathTree.nowhere else { return value }
        if redacted.isEnd(place) { return .string(digest(value)) }
        switch value {
        case .array(let items): return .array(items.map { shown($0, place) })
        case .object(let members):
            return .object(JSONObject(members.map { name, value in (name, shown(value, step(place, name))) }))
        default: return redacted.hidesScalar(place) ? .string(digest(value)) : value
        }
    }

    private func step(_ place: Int, _ name: String) -> Int {
        let text = ByteBuffer()
        Array(name.utf8).withUnsafeBufferPointer { JSONString.escapeContent($0, into: text) }
        return withExtendedLifetime(text) { redacted.hiddenStep(place, text.bytes) }
    }

    private func digest(_ value: JSONValue) -> String {
        Array(value.text().utf8).withUnsafeBufferPointer { text in
            Self.mark((try? DocumentDigester().digest(text)) ?? ContentDigest(of: text), salt: salt)
        }
    }

    /// What is shown in place of a value.
    static func mark(_ content: ContentDigest, salt: UInt64) -> String {
        let bytes = ByteBuffer()
        bytes.append(content)
        let digest = withExtendedLifetime(bytes) { ContentDigest(of: bytes.bytes, seed: salt) }
        let text = String(digest.low, radix: 16)
        return "#" + String(repeating: "0", count: 16 - text.count) + text
    }
}
