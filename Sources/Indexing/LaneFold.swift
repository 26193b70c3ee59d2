import Commands

/// What is known to be in the index for a key.
struct LaneBase {
    enum State {
        case document([UInt8])
        /// The source's own document, still in SOURCE form; not in the target yet.
        case source([UInt8])
        /// Deleted by a command.
        case deleted
        /// Not in the target.
        case absent
        /// Not in the source either.
        case nowhere
    }

    var state: State
    var version: Int64
    /// The document is alive in another entry.
    var isElsewhere = false

    /// Whether any entry has the document.
    var isAlive: Bool {
        if case .document = state { return true }
        return isElsewhere
    }

    /// The version of what is not there: lower than any, because an application may count from 0.
    static let none: Int64 = -1
    static let nowhere = LaneBase(state: .nowhere, version: none)

    var heldBytes: Int {
        switch state {
        case .document(let document), .source(let document): document.count
        default: 0
        }
    }
}

/// An operation of a write, and what it counts as once the write is acknowledged.
struct LaneFolded {
    var operation: LaneOperation
    var outcome: Outcome
}

/// What a fold came to.
struct LaneFold {
    var base: LaneBase
    /// Part of the write.
    var folded: [LaneFolded] = []
    /// The number of these, from the front, that a later one of the same write replaced whole.
    var replaced = 0
    /// The base is the source's own document, which is in the target only once the write is.
    var isOnSource = false
    /// Stale or rejected.
    var dropped: [LaneOperation] = []
    var settled = LaneResult()
    /// Nothing was done: the source's document is needed first.
    var needsSource = false
}
