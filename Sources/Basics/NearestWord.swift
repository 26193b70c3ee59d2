/// Finds the word that somebody meant who mistyped it: a recipe key, a command, an option, a Kafka property.
package enum NearestWord {
    /// The candidate nearest to `word`, if one is near enough to be what was meant.
    package static func to(_ word: String, among candidates: some Sequence<String>) -> String? {
        let wanted = folded(word)
        guard wanted.count <= 64, !wanted.isEmpty else { return nil }
        var best: (word: String, distance: Int)?
        for candidate in candidates {
            let other = folded(candidate)
            let distance = distance(wanted, other)
            let allowed = max(1, min(wanted.count, other.count) / 3)
            if distance <= allowed, distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        return best?.word
    }

    /// Words do not differ by case, nor by the mark between their parts.
    private static func folded(_ word: String) -> [Character] {
        word.lowercased().map { $0 == "-" || $0 == "." || $0 == " " ? "_" : $0 }
    }

    /// The number of edits between two words. An edit inserts, removes or replaces a character, or exchanges two
    /// neighbours.
    static func distance(_ one: [Character], _ other: [Character]) -> Int {
        var twoBack: [Int] = []
        var oneBack = Array(0...other.count)
        for (row, character) in one.enumerated() {
            var current = [row + 1]
            for (column, opposite) in other.enumerated() {
                var cost = min(
                    oneBack[column + 1] + 1, current[column] + 1, oneBack[column] + (character == opposite ? 0 : 1))
                if row > 0, column > 0, character == other[column - 1], one[row - 1] == opposite {
                    cost = min(cost, twoBack[column - 1] + 1)
                }
                current.append(cost)
            }
            twoBack = oneBack
            oneBack = current
        }
        return oneBack[other.count]
    }
}
