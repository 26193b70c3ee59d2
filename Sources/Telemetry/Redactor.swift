/// Takes secrets out of texts that others wrote, such as librdkafka's log lines and the answers of servers.
///
/// A secret of eight characters or more is taken out everywhere. A shorter one may also be an ordinary word or a part
/// of one: with the password `a` that would be every "a" in a sentence. So it is taken out only where it is a value: in
/// quotes or brackets, after `=`, or between punctuation on both sides.
package struct Redactor: Sendable {
    /// The text that replaces a secret.
    package static let mark = "<redacted>"
    /// A secret with this many characters is taken out everywhere.
    static let longEnough = 8

    private static let openers: Set<Character> = ["\"", "'", "`", "=", ":", "(", "[", "{", "<", ",", ";", "|", "\n"]
    private static let closers: Set<Character> = [
        "\"", "'", "`", ")", "]", "}", ">", ",", ";", "|", "@", "&", "\n", "\r\n",
    ]

    /// The longest come first. Otherwise a secret that is part of a longer one would leave the rest of that.
    private let secrets: [String]

    /// A redactor for these secrets. Empty ones are ignored.
    package init(_ secrets: some Sequence<String>) {
        self.secrets = Set(secrets).filter { !$0.isEmpty }.sorted { ($1.count, $0) < ($0.count, $1) }
    }

    /// `text` with ``mark`` instead of every secret.
    package func redact(_ text: String) -> String {
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

    /// Whether the text at `range` is a whole value, and not a word of a sentence.
    private static func isValue(_ range: Range<String.Index>, in text: String) -> Bool {
        let before = text[..<range.lowerBound].last { $0 != " " }
        let after = text[range.upperBound...]
        guard let before else { return ends(after) }
        guard openers.contains(before) else { return false }
        // In `password=a is wrong` the value ends at the blank.
        return ends(after) || (before == "=" && after.first == " ")
    }

    private static func ends(_ after: Substring) -> Bool {
        guard let next = after.first(where: { $0 != " " }) else { return true }
        return closers.contains(next) || after == "."
    }
}
