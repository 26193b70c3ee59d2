/// Makes lines of the StatsD protocol, and datagrams of these lines.
/// Source: https://github.com/statsd/statsd/blob/master/docs/metric_types.md
package enum StatsD {
    /// The most bytes of a datagram that common networks carry in one piece.
    package static let mostBytes = 1432

    /// A line that adds `count`.
    package static func counter(_ name: String, _ count: Int) -> String { "\(name):\(count)|c" }

    /// A line that sets a value. A negative one becomes 0, because the server would take it as a change.
    package static func gauge(_ name: String, _ value: Int) -> String { "\(name):\(max(0, value))|g" }

    package static func timer(_ name: String, milliseconds: Int) -> String { "\(name):\(max(0, milliseconds))|ms" }

    /// A name with tags: `name,index=a,type=b`. A character that would end a name or a tag becomes `_`. Earlier
    /// migration scripts wrote their tags in this form, so existing dashboards work.
    package static func name(_ name: String, _ tags: [(String, String)]) -> String {
        func plain(_ text: String) -> String {
            String(text.map { ":|@,=#".contains($0) || $0.isWhitespace ? "_" : $0 })
        }
        return ([plain(name)] + tags.map { "\(plain($0.0))=\(plain($0.1))" }).joined(separator: ",")
    }

    /// Packs as many lines into each datagram as fit. A line that does not fit alone is left out.
    package static func datagrams(_ lines: [String], most: Int = mostBytes) -> [String] {
        var packed: [String] = []
        var present = ""
        for line in lines where line.utf8.count <= most {
            if !present.isEmpty, present.utf8.count + 1 + line.utf8.count > most {
                packed.append(present)
                present = ""
            }
            present += present.isEmpty ? line : "\n" + line
        }
        return present.isEmpty ? packed : packed + [present]
    }
}
