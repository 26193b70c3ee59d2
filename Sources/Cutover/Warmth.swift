/// Whether searches have become as fast as they will get: their times, in rounds. Times are passed in.
///
/// The first searches of an index that nobody has searched read from disk, and wait for a refresh: servers do not
/// refresh what is not searched. When the 95th percentile of a round is about that of the round before it, the index is
/// warm.
package struct Warmth: Sendable {
    /// A round has so many searches, or as many as there were in its time; then at least the smaller number.
    package static let searches = 20
    package static let fewestSearches = 5
    /// Milliseconds.
    package static let roundTime: Int64 = 5_000
    /// Two rounds are alike if they differ by no more than this part, or by so few milliseconds.
    package static let share = 0.25
    package static let margin: Int64 = 10

    private var round: [Int64] = []
    private var began: Int64?
    /// The 95th percentile of each round that is over, in milliseconds.
    package private(set) var rounds: [Int64] = []
    package private(set) var count = 0

    package init() {}

    /// Takes the time of one search, in milliseconds, which ended at `now`.
    package mutating func add(_ time: Int64, now: Int64) {
        count += 1
        round.append(max(0, time))
        let start = began ?? now
        began = start
        let isOver =
            round.count >= Self.searches || (round.count >= Self.fewestSearches && now - start >= Self.roundTime)
        guard isOver else { return }
        if let slow = Self.percentile(round) { rounds.append(slow) }
        (round, began) = ([], nil)
    }

    package var isSettled: Bool {
        guard let last = rounds.last, let before = rounds.dropLast().last else { return false }
        let apart = abs(last - before)
        return apart <= Self.margin || Double(apart) <= Self.share * Double(max(last, before))
    }

    /// The 95th percentile: 19 of 20 are no greater. nil: there are no values.
    package static func percentile(_ values: [Int64]) -> Int64? {
        guard !values.isEmpty else { return nil }
        let sorted = values.sorted()
        return sorted[(sorted.count * 95 + 99) / 100 - 1]
    }

    /// For people.
    package var words: String {
        guard let first = rounds.first, let last = rounds.last else { return "\(count) searches" }
        let fall = rounds.count > 1 ? ", at first \(first) ms" : ""
        return "\(count) searches, 95 % within \(last) ms\(fall)"
    }
}
