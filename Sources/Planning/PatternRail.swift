/// What the pattern of an entry's `from` matches and Crossfade does not read.
enum PatternRail {
    /// A pattern such as `*` may match every system index.
    private static let examples = 10

    static func judge(_ entry: Survey.Entry) -> [Rail] {
        let from = entry.recipe.from ?? "-"
        var found: [Rail] = []
        if !entry.closed.isEmpty {
            found.append(
                Rail(
                    name: "closed_indices", verdict: .warn,
                    detail: "\(from) also matches closed indices of the source, which cannot be read and are not "
                        + "copied: \(words(entry.closed)). Open them, if their documents are to come along"))
        }
        if !entry.hidden.isEmpty {
            found.append(
                Rail(
                    name: "hidden_indices", verdict: .warn,
                    detail: "\(from) would also match hidden indices of the source, which a pattern does not mean and "
                        + "which are not copied: \(words(entry.hidden)). Name them in `from`, or take index.hidden "
                        + "away, if their documents are to come along"))
        }
        return found
    }

    private static func words(_ names: [String]) -> String {
        names.count <= examples
            ? names.joined(separator: ", ")
            : names.prefix(examples).joined(separator: ", ") + ", and \(names.count - examples) more"
    }
}
