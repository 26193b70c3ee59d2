import Basics
import Commands
import JSONText

/// The names of sampled commands that the recipe does not know, and how often each is there.
package struct UnknownCommands: Sendable {
    /// How many names are kept, and how many are shown.
    private static let (most, shown) = (100, 5)

    private let field: JSONPath?
    /// The names of the recipe, with the key that has them.
    private let known: [(name: String, key: String)]
    private var counts: [String: Int] = [:]

    package init(_ shape: CommandFormat.Shape) {
        guard case .envelope(let envelope) = shape else {
            (field, known) = (nil, [])
            return
        }
        field = envelope.operation
        known =
            envelope.index.map { ($0, "index") } + envelope.merge.map { ($0, "merge") }
            + envelope.delete.map { ($0, "delete") } + envelope.ignore.map { ($0, "ignore") }
    }

    /// Adds the fields of a record whose command the recipe does not name.
    mutating func add(_ fields: SampledFields?) {
        guard let name = fields?.all.first(where: { $0.path == field?.names })?.value else { return }
        add(name)
    }

    package mutating func add(_ name: String) {
        guard counts[name] != nil || counts.count < Self.most else { return }
        counts[name, default: 0] += 1
    }

    /// The most frequent of them, each with the name of the recipe that it may be; nil: there are none.
    package var words: String? {
        guard !counts.isEmpty else { return nil }
        let all = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let words = all.prefix(Self.shown).map { name, count in
            let near = NearestWord.to(name, among: known.map(\.name))
            let key = known.first { $0.name == near }?.key ?? ""
            let asked = near.map { "; is \"\($0)\" in commands.envelope.\(key) meant for it?" } ?? ""
            return "\"\(name)\" (\(count)\(asked))"
        }
        let more = all.count > Self.shown ? " and \(all.count - Self.shown) more" : ""
        return "The recipe does not name the commands " + words.joined(separator: ", ") + more
    }
}
