/// Which settings hold secrets. There is this one list: for recipes, for Kafka clients, for logs.
public enum SecretProperties {
    /// What the names of secret settings have in common. Librdkafka's, above all; of those, user names and the places
    /// of key stores count too, because they say half of what an intruder needs.
    private static let marks = [
        "password", "secret", "token", "jaas", "username", ".pem", "credential", "keystore", "oauthbearer.config",
    ]

    /// Whether a value of the setting `name`, such as `sasl.password`, must not be shown.
    public static func contains(_ name: String) -> Bool {
        let name = name.lowercased()
        return marks.contains { name.contains($0) }
    }
}

/// Takes secrets out of texts that others wrote, such as librdkafka's log lines.
///
/// A secret of eight characters or more is taken out wherever it stands. A shorter one can be a word, or a part of one,
/// that means nothing secret (with the password `a` even `a broker`): it is taken out where it stands as a value, that
/// is in quotes or brackets, after `=`, or between punctuation on both sides.
public struct Redactor: Sendable {
    /// What stands in a secret's place.
    public static let mark = "<redacted>"
    /// Characters from which on a secret is taken out everywhere.
    static let longEnough = 8

    private static let openers: Set<Character> = ["\"", "'", "`", "=", ":", "(", "[", "{", "<", ",", ";", "|", "\n"]
    private static let closers: Set<Character> = [
        "\"", "'", "`", ")", "]", "}", ">", ",", ";", "|", "@", "&", "\n", "\r\n",
    ]

    /// The longest first: what is left of a longer one would show its end.
    private let secrets: [String]

    /// For these secrets; empty ones are none.
    public init(_ secrets: some Sequence<String>) {
        self.secrets = Set(secrets).filter { !$0.isEmpty }.sorted { ($1.count, $0) < ($0.count, $1) }
    }

    /// `text` with ``mark`` in the place of every secret.
    public func redact(_ text: String) -> String {
        var text = text
        for secret in secrets {
            var clean = ""
            var rest = text.startIndex
            for range in text.ranges(of: secret)
            where secret.count >= Self.longEnough || Self.isValue(range, in: text) {
                clean += text[rest..<range.lowerBound] + Self.mark
                rest = range.upperBound
            }
            text = clean + text[rest...]
        }
        return text
    }

    /// Whether what stands at `range` is a whole value, not a word of a sentence.
    private static func isValue(_ range: Range<String.Index>, in text: String) -> Bool {
        let before = text[..<range.lowerBound].last { $0 != " " }
        let after = text[range.upperBound...]
        guard let before else { return ends(after) }
        guard openers.contains(before) else { return false }
        // `password=a is wrong`: what is assigned ends at a blank, whatever comes then.
        return ends(after) || (before == "=" && after.first == " ")
    }

    private static func ends(_ after: Substring) -> Bool {
        guard let next = after.first(where: { $0 != " " }) else { return true }
        return closers.contains(next) || after == "."
    }
}
