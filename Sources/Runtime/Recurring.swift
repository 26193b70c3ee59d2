/// Something that is due every so many milliseconds. Times are milliseconds of any clock.
package struct Recurring: Sendable {
    package let every: Int64
    package private(set) var next: Int64

    /// - Parameter first: when it is due for the first time.
    package init(every: Int64, first: Int64) {
        self.every = every
        next = first
    }

    /// Whether it is due. If so, it is due again `every` milliseconds from now.
    package mutating func isDue(_ now: Int64) -> Bool {
        guard now >= next else { return false }
        next = now + every
        return true
    }

    /// It is not due before this time. It never becomes due earlier than it was.
    package mutating func postpone(until time: Int64) { next = max(next, time) }
}
