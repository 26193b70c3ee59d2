/// Notices when most of the records that are read become dead letters: the last so many dead letters came among too few
/// records. It is told of dead letters only, so that the others cost nothing.
public struct DeathAlarm: Sendable, Equatable {
    /// Dead letters that are judged together.
    public let count: Int
    /// The part of the records that may die, in percent.
    public let percent: Int
    /// The fewest records among which so many dead letters came, where that was too few; nil: it was never raised.
    public private(set) var worst: Int?

    /// How many records had their outcome when a letter died, for the last letters; a ring.
    private var marks: [Int] = []
    private var next = 0

    public init(count: Int = 100, percent: Int = 50) {
        (self.count, self.percent) = (max(1, count), min(max(1, percent), 100))
    }

    /// Another letter has died; `outcomes` records have their outcome now, this one included.
    public mutating func died(outcomes: Int) {
        if marks.count < count {
            marks.append(outcomes)
        } else {
            marks[next] = outcomes
        }
        next = (next + 1) % count
        guard let among = among(outcomes) else { return }
        worst = min(worst ?? among, among)
    }

    /// Whether the last so many records mostly died, when `outcomes` records have their outcome.
    public func isRaised(outcomes: Int) -> Bool { among(outcomes) != nil }

    /// Among how many records the last letters came; nil: they are too few, or the records are enough.
    private func among(_ outcomes: Int) -> Int? {
        guard marks.count == count else { return nil }
        let among = outcomes - marks[next] + 1
        return count * 100 >= among * percent ? among : nil
    }
}
