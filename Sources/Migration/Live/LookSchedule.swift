import Runtime

/// When to look up what only those who watch want to know. Times are milliseconds of a monotonic clock.
package struct LookSchedule: Sendable {
    private var members = Recurring(every: 3000, first: 0)
    private var indices = Recurring(every: 30_000, first: 0)
    private var nextLetters: Int64 = 0

    private static let lettersEvery: Int64 = 60_000
    /// At first no broker has told where the log ends, without which letters cannot be read.
    private static let lettersAgain: Int64 = 2000

    package init() {}

    package mutating func isDueForMembers(_ now: Int64) -> Bool { members.isDue(now) }

    package mutating func isDueForIndices(_ now: Int64) -> Bool { indices.isDue(now) }

    package func isDueForLetters(_ now: Int64) -> Bool { now >= nextLetters }

    /// Many dead letters take their time: reading them may use no more than a twentieth of ours.
    package mutating func readLetters(from began: Int64, to ended: Int64, areKnown: Bool) {
        nextLetters = began + (areKnown ? max(Self.lettersEvery, 20 * (ended - began)) : Self.lettersAgain)
    }
}
