import Basics
import Commands
import Failures
import JSONText

/// The kinds of single values that recipes hold.
extension Scalar {
    package static let text = Scalar(expected: "a text", name: "text", pattern: nil) { .good(.text($0)) }

    package static let nonEmpty = Scalar(expected: "a text", name: "text", pattern: ".") { text in
        text.isEmpty ? .bad("is empty") : .good(.text(text))
    }

    /// A text that says something: it has a letter or a digit.
    package static let sentence = Scalar(expected: "a text", name: "text", pattern: "\\S") { text in
        text.contains { $0.isLetter || $0.isNumber } ? .good(.text(text)) : .bad("says nothing")
    }

    /// A rail whose refusal can be accepted.
    package static let acceptableRail = Scalar(
        expected: "a rail that can be accepted", name: "rail",
        pattern: "^(" + RailCatalogue.acceptable.map(\.rail).joined(separator: "|") + ")$"
    ) { text in
        if RailCatalogue.isAcceptable(text) { return .good(.text(text)) }
        if let why = RailCatalogue.whyNot(text) { return .bad("is a rail that cannot be accepted: \(why)") }
        return .unknown(among: RailCatalogue.acceptable.map(\.rail))
    }

    package static let fieldPath = Scalar(
        expected: "a field path such as message.org", name: "field path", pattern: "."
    ) {
        text in
        do throws(JSONPathError) {
            return .good(.text(try JSONPath(parsing: text).description))
        } catch {
            return .bad("is not a field path: \(error.reason)")
        }
    }

    package static let name = Scalar(
        expected: "a name", name: "name", pattern: "^[a-z0-9][a-z0-9_-]{0,99}$"
    ) { text in
        let inside = text.utf8.allSatisfy { isLowerOrDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        guard inside, let first = text.utf8.first, isLowerOrDigit(first), text.utf8.count <= 100 else {
            return .bad("is not a name: up to 100 of a-z, 0-9, \"-\" and \"_\", beginning with a letter or digit")
        }
        return .good(.text(text))
    }

    package static let topic = Scalar(
        expected: "a topic's name", name: "topic", pattern: "^[A-Za-z0-9._-]{1,249}$"
    ) { text in
        let allowed = text.utf8.allSatisfy {
            isLowerOrDigit($0 | 0x20) && $0 < 0x80 && isWord($0) || [0x2E, 0x5F, 0x2D].contains($0)
        }
        guard allowed, (1...249).contains(text.utf8.count), text != ".", text != ".." else {
            return .bad("is not a topic's name: up to 249 of A-Z, a-z, 0-9, \".\", \"_\" and \"-\"")
        }
        return .good(.text(text))
    }

    package static let url = Scalar(
        expected: "a URL such as https://node-1:9200", name: "URL", pattern: "^https?://[^/?#@]+/?$"
    ) { text in
        let lower = text.lowercased()
        guard let scheme = ["http://", "https://"].first(where: { lower.hasPrefix($0) }) else {
            return .bad("is not a URL: it begins with http:// or https://")
        }
        var authority = text.dropFirst(scheme.count)
        if authority.last == "/" { authority = authority.dropLast() }
        guard !authority.contains("@") else { return .bad("has a user in it; that belongs under auth") }
        guard !authority.contains(where: { "/?# \\".contains($0) || $0.isWhitespace }) else {
            return .bad("has more than a host and a port")
        }
        guard let fault = hostFault(authority) else { return .good(.text(scheme + authority.lowercased())) }
        return .bad(fault)
    }

    /// Where to listen: port 0 is any free one.
    package static let listenAddress = address("an address to listen on such as 127.0.0.1:9464", anyPort: true)

    /// Where to send to.
    package static let destination = address("a host and port such as localhost:8125", anyPort: false)

    private static func address(_ expected: String, anyPort: Bool) -> Scalar {
        Scalar(
            expected: expected, name: "`host:port`", pattern: "^(\\[[0-9A-Fa-f:.%]+\\]|[^\\[\\]:/@ ]+):[0-9]{1,5}$"
        ) { text in
            guard let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") else {
                return .bad("is not \(expected)")
            }
            let host = text[..<colon]
            guard let port = UInt16(text[text.index(after: colon)...]), anyPort || port > 0 else {
                return .bad("has no valid port (\(anyPort ? 0 : 1) to 65535)")
            }
            if host.isEmpty { return .bad("has no host: 127.0.0.1 is this machine alone") }
            let isBracketed = host.first == "[" && host.last == "]"
            if host.contains(":"), !isBracketed { return .bad("has an IPv6 address without its [ ]") }
            guard !host.contains(where: { "/@ ".contains($0) || $0.isWhitespace }) else {
                return .bad("has more than a host and a port")
            }
            return .good(.text(text))
        }
    }

    private static func hostFault(_ authority: Substring) -> String? {
        var host = authority
        var port: Substring?
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return "has an IPv6 address without its \"]\"" }
            host = authority[...end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.first == ":" else { return "is not a host and a port" }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        if host.isEmpty { return "has no host" }
        if let port {
            guard let number = UInt16(port), number > 0 else { return "has no valid port (1 to 65535)" }
        }
        return nil
    }

    /// Index names as Elasticsearch 6 and later and OpenSearch take them. `{index}` stands for a name.
    package static let targetIndex = Scalar(
        expected: "an index name", name: "index", pattern: nil
    ) { text in
        if let fault = indexFault(text.replacingFirst("{index}", with: "x")) { return .bad(fault) }
        return .good(.text(text))
    }

    package static let alias = Scalar(expected: "an alias name", name: "alias", pattern: nil) { text in
        if let fault = indexFault(text) { return .bad(fault) }
        return .good(.text(text))
    }

    private static func indexFault(_ text: String) -> String? {
        if text.isEmpty { return "is empty" }
        if text == "." || text == ".." { return "is not an index name" }
        if text.utf8.count > 255 { return "is longer than the 255 bytes of an index name" }
        if text != text.lowercased() { return "has capital letters, which index names have not" }
        if let first = text.first, "-_+".contains(first) {
            return "begins with \"\(first)\", which index names do not"
        }
        if let bad = text.first(where: { "\\/*?\"<>|,#: {}".contains($0) || $0.isWhitespace }) {
            return "has a \"\(bad)\", which index names have not"
        }
        return nil
    }

    package static let sourceIndex = Scalar(
        expected: "an index, alias or pattern", name: "index, alias or pattern", pattern: "."
    ) { text in
        if text.isEmpty { return .bad("is empty") }
        if let bad = text.first(where: { "\\/?\"<>|#{}".contains($0) || $0.isWhitespace }) {
            return .bad("has a \"\(bad)\", which neither index names nor patterns have")
        }
        if let first = text.first, "-_+".contains(first) {
            return .bad("begins with \"\(first)\"")
        }
        return .good(.text(text))
    }

    package static let size = Scalar(
        expected: "a size such as 256MiB", name: "size", pattern: "^[0-9]+(\\.[0-9]+)? ?(B|[kK]B|MB|GB|KiB|MiB|GiB)$"
    ) { text in
        guard let bytes = bytes(Substring(text)) else { return .bad("is not a size such as 256MiB or 64MB") }
        return .good(.quantity(bytes, text: sizeText(bytes)))
    }

    package static let duration = Scalar(
        expected: "a duration such as 1h", name: "duration", pattern: "^[0-9]+(\\.[0-9]+)? ?(ms|s|m|h|d)$"
    ) { text in
        guard let milliseconds = RecipeDuration.milliseconds(text) else {
            return .bad("is not a duration such as 90s, 15m, 1h or 2d")
        }
        return .good(.quantity(milliseconds, text: RecipeDuration.text(milliseconds)))
    }

    /// A part of a whole, as hundredths of a percent.
    package static let share = Scalar(
        expected: "a share such as 50%", name: "share", pattern: "^[0-9]+(\\.[0-9]+)? ?%?$"
    ) { text in
        let isPercent = text.hasSuffix("%")
        let digits = text.filter { $0 != " " && $0 != "%" }
        guard let number = Double(digits), number.isFinite else {
            return .bad("is not a share such as 50% or 0.5")
        }
        let share = (number * (isPercent ? 100 : 10_000)).rounded()
        guard (1...10_000).contains(share) else { return .bad("is not a share between 0.01% and 100%") }
        return .good(.quantity(Int64(share), text: text))
    }

    package static let rate = Scalar(
        expected: "a rate such as 5000/s or 20MB/s", name: "rate",
        pattern: "^[0-9]+(\\.[0-9]+)? ?(B|[kK]B|MB|GB|KiB|MiB|GiB)?/s$"
    ) { text in
        guard let rate = RecipeRate(text) else {
            return .bad("is not a rate: documents such as 5000/s, or bytes such as 20MB/s")
        }
        return .good(.text(rate.description))
    }

    package static let timestamp = Scalar(
        expected: "a time such as 2026-11-01T00:00:00Z", name: "time", pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"
    ) { text in
        guard let time = ISOTime.milliseconds(text) else {
            return .bad("is not an ISO 8601 time with its zone, such as 2026-11-01T00:00:00Z")
        }
        return .good(.quantity(time, text: text))
    }

    package static let idSource = Scalar(
        expected: "a field path, \"key\", \"header:\" and a name, or a template such as {message.kind}-{id}",
        name: "field path, `key`, `header:name` or template", pattern: "."
    ) { text in
        if text == "key" { return .good(.text(text)) }
        if text.contains("{") || text.contains("}") {
            do throws(CommandIDTemplate.Fault) {
                _ = try CommandIDTemplate(parsing: text)
                return .good(.text(text))
            } catch {
                return .bad(error.reason)
            }
        }
        if text.hasPrefix("header:") {
            return text.count > 7 ? .good(.text(text)) : .bad("names no header")
        }
        return fieldPath.read(text)
    }

    /// `isStruct`: whether it is made of fields of the key.
    private static func keyTemplate(_ text: String, isStruct: Bool) -> Scalar.Reading {
        do throws(CommandIDTemplate.Fault) {
            _ = try CommandIDTemplate(parsing: text).ofKey(isStruct: isStruct)
            return .good(.text(text))
        } catch {
            return .bad(error.reason)
        }
    }

    package static let documentID = Scalar(
        expected: "a template such as incident-{key} or {table}-{id}", name: "template of `{key}` or its fields",
        pattern: "\\{.+\\}"
    ) { keyTemplate($0, isStruct: false) }

    package static let keyField = Scalar(
        expected: "a field of the key, or a template such as {table}-{id}", name: "field, or template of fields",
        pattern: "."
    ) { text in
        guard text.contains("{") || text.contains("}") else {
            return text.isEmpty ? .bad("is empty") : .good(.text(text))
        }
        return keyTemplate(text, isStruct: true)
    }

    package static let base64 = Scalar(
        expected: "bytes as base64", name: "base64", pattern: "^[A-Za-z0-9+/]*={0,2}$"
    ) { text in
        SampleRecord.bytes(base64: text) == nil ? .bad("is not base64") : .good(.text(text))
    }

    package static let idTemplate = Scalar(
        expected: "a template such as {type}-{id}", name: "template of `{type}` and `{id}`", pattern: "\\{id\\}"
    ) { text in
        guard text.components(cutAt: "{id}").count == 2 else { return .bad("needs {id} exactly once") }
        let rest = text.components(cutAt: "{id}").joined().components(cutAt: "{type}").joined()
        if rest.contains(where: { "{}".contains($0) }) { return .bad("knows {type} and {id} and no other { }") }
        return .good(.text(text))
    }

    /// Bytes of `256MiB`, `64MB`, `1.5GiB`; nil when it is none or more than 2^60.
    package static func bytes(_ text: Substring) -> Int64? {
        let number = text.prefix { $0.isDecimalDigit || $0 == "." }
        var unit = text.dropFirst(number.count)
        if unit.first == " " { unit = unit.dropFirst() }
        let scales: [Substring: Double] = [
            "B": 1, "kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1024, "MiB": 1_048_576, "GiB": 1_073_741_824,
        ]
        guard let scale = scales[unit], let count = Double(number), number.first != ".", number.last != "." else {
            return nil
        }
        let bytes = (count * scale).rounded()
        return bytes <= 0x1p60 ? Int64(exactly: bytes) : nil
    }

    /// The size in the largest unit that says it exactly.
    private static func sizeText(_ bytes: Int64) -> String {
        let units: [(String, Int64)] = [
            ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("GB", 1_000_000_000), ("MB", 1_000_000),
            ("kB", 1000),
        ]
        let unit = units.first { bytes > 0 && bytes % $0.1 == 0 } ?? ("B", 1)
        return "\(bytes / unit.1)\(unit.0)"
    }

    private static func isLowerOrDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        isLowerOrDigit(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
    }
}

/// What `copy.rate` bounds.
package enum RecipeRate: Equatable, Sendable, CustomStringConvertible {
    case documents(Int)
    case bytes(Int)

    package init?(_ text: String) {
        guard text.hasSuffix("/s") else { return nil }
        let amount = text.dropLast(2)
        if let bytes = Scalar.bytes(amount), bytes > 0 {
            self = .bytes(Int(bytes))
        } else if amount.allSatisfy(\.isDecimalDigit), let documents = Int(amount), documents > 0 {
            self = .documents(documents)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .documents(let count): "\(count)/s"
        case .bytes(let count): "\(count)B/s"
        }
    }
}

extension String {
    /// The parts between the occurrences of `mark`.
    package func components(cutAt mark: String) -> [String] {
        var parts: [String] = []
        var part = Substring()
        var rest = self[...]
        while !rest.isEmpty {
            if rest.hasPrefix(mark) {
                parts.append(String(part))
                part = Substring()
                rest = rest.dropFirst(mark.count)
            } else {
                part.append(rest.removeFirst())
            }
        }
        return parts + [String(part)]
    }

    package func replacingFirst(_ mark: String, with text: String) -> String {
        let parts = components(cutAt: mark)
        guard let first = parts.first, parts.count > 1 else { return self }
        return first + text + parts.dropFirst().joined(separator: mark)
    }
}
