import JSONText

/// Finds the columns of a row whose value Debezium did not get: a large value that did not change is not in the log of
/// the database, and a placeholder stands for it (`unavailable.value.placeholder`).
public struct UnavailableColumns: Sendable {
    private let placeholder: String
    /// The placeholder as text, in Base64 and as hex digits: columns of bytes have one of these.
    private let texts: [String]
    /// The placeholder in a column of numbers, with its bracket; and the forms in ``texts``.
    private let marks: [[UInt8]]
    /// The first two bytes of each mark.
    private let beginnings: [(SIMD16<UInt8>, SIMD16<UInt8>)]

    public init(placeholder: String) {
        self.placeholder = placeholder
        let bytes = Array(placeholder.utf8)
        var texts = [placeholder, Self.base64(bytes), Self.hex(bytes)]
        // A column of UUIDs has the one that Java makes of the placeholder's bytes.
        if placeholder == CommandRules.placeholder { texts.append("b68a35a7-17ad-35b3-af2a-ae46edb4545a") }
        self.texts = texts
        marks = (texts + ["[" + bytes.map(String.init).joined(separator: ",")]).map { Array($0.utf8) }
        beginnings = marks.filter { $0.count >= 2 }.map {
            (SIMD16<UInt8>(repeating: $0[0]), SIMD16<UInt8>(repeating: $0[1]))
        }
    }

    /// Whether the row may have such a column. It is asked for every update, so it only looks for the beginning.
    public func mayBe(in row: Bytes) -> Bool {
        guard let base = row.baseAddress else { return false }
        var at = 0
        while at &+ 17 <= row.count {
            let one = UnsafeRawPointer(base + at).loadUnaligned(as: SIMD16<UInt8>.self)
            let two = UnsafeRawPointer(base + at + 1).loadUnaligned(as: SIMD16<UInt8>.self)
            var isHit = false
            for (first, second) in beginnings where any((one .== first) .& (two .== second)) { isHit = true }
            if isHit, begins(row, at, at &+ 16) { return true }
            at &+= 16
        }
        return begins(row, at, row.count)
    }

    private func begins(_ row: Bytes, _ from: Int, _ to: Int) -> Bool {
        for at in from..<to {
            for mark in marks where row.count &- at >= mark.count && row[at] == mark[0] {
                if row[at..<at + mark.count].elementsEqual(mark) { return true }
            }
        }
        return false
    }

    /// The names of these columns. Throws where the row is no tree (limit `json_values`): it is not known then whether
    /// it has such columns.
    public func names(in row: Bytes) throws(JSONError) -> [String] {
        guard let members = try JSONValue(parsing: row).object else { return [] }
        return members.filter { isUnavailable($0.value) }.map(\.key)
    }

    private func isUnavailable(_ value: JSONValue) -> Bool {
        switch value {
        case .string(let text):
            if texts.contains(text) { return true }
            // A map that is written as text.
            guard text.hasPrefix("{"), text.contains(placeholder) else { return false }
            return isMap(try? JSONValue(parsing: text))
        case .array(let items):
            if items.isEmpty { return false }
            if items.allSatisfy(isUnavailable) { return true }
            return items == placeholder.utf8.map { JSONValue.number(String($0)) }
        case .object: return isMap(value)
        default: return false
        }
    }

    private func isMap(_ value: JSONValue?) -> Bool {
        value?.object.map { $0.count == 1 && $0[placeholder] == .string(placeholder) } ?? false
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in
            let digits = String(byte, radix: 16)
            return byte < 16 ? "0" + digits : digits
        }.joined()
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let part = bytes[start..<min(bytes.count, start + 3)]
            let number = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            for place in 0..<4 {
                text.append(place <= part.count ? alphabet[number >> (18 - 6 * place) & 63] : "=")
            }
        }
        return text
    }
}
