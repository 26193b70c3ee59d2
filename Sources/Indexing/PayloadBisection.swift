/// How many items of a batch one request carries. A request that is refused as a whole (413: too large; 400: one of its
/// lines spoils all) is sent again with half of its items, down to the single document that is at fault.
public struct PayloadBisection: Sendable, Equatable {
    /// Items at the front of the batch that the present request carries.
    public private(set) var window = 0
    /// The largest window allowed since the server called one too large.
    private var ceiling = Int.max

    public init() {}

    /// The next request carries all of the batch's `items`, if the server allows that many.
    public mutating func carryAll(_ items: Int) { window = min(items, ceiling) }

    /// The request was refused as a whole; the next one carries half of it. False when it was a single item: that one
    /// is at fault.
    public mutating func halve(tooLarge: Bool) -> Bool {
        guard window > 1 else { return false }
        window /= 2
        // A faulty line spoils only the requests it is in, but every request of a size that is too large is refused.
        if tooLarge { ceiling = window }
        return true
    }

    /// The target took the request; `items` of the batch are left. The next request may be twice as large.
    public mutating func taken(left items: Int) {
        window = min(items, ceiling, window > Int.max / 2 ? .max : window * 2)
    }
}
