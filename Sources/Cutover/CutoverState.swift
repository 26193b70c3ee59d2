import JSONText

/// What a migration remembers of its cutover. Times are milliseconds since 1970.
package struct CutoverState: Sendable, Equatable {
    /// What moves aliases.
    package enum Kind: String, Sendable, CaseIterable { case rollover, rollback }

    /// Where readers are, as far as the state knows.
    package enum Position: String, Sendable, CaseIterable {
        /// No alias was ever moved.
        case before
        /// Some aliases of the recipe are moved.
        case partly = "partly_rolled_over"
        case rolledOver = "rolled_over"
        /// The aliases are on the new side, and the program that moves the readers has not said that they are.
        case readersDue = "readers_not_moved"
        /// All were moved, and are back.
        case rolledBack = "rolled_back"
        /// A move was begun, and its end is not recorded.
        case unknown
        case finished, cancelled

        /// Whether an alias stands on the new side, as far as that is known.
        package var isOver: Bool { self == .rolledOver || self == .partly || self == .readersDue }
    }

    /// The program that moves the readers between clusters has still to end well.
    package struct ReadersDue: Sendable, Equatable {
        /// Where the readers are to go.
        package var kind: Kind
        package var since: Int64
        /// How it failed, for people; nil: it runs, or was broken off.
        package var failure: String?

        package init(kind: Kind, since: Int64, failure: String? = nil) {
            (self.kind, self.since, self.failure) = (kind, since, failure)
        }

        package var words: String {
            "cutover.command " + (failure.map { "failed (\($0))" } ?? "runs, or was broken off")
                + (kind == .rollover ? ": the readers are not moved" : ": the readers may be on either side")
        }
    }

    /// A move that is stored before its request is sent.
    package struct Intent: Sendable, Equatable {
        package var kind: Kind
        package var turn: Int
        package var moves: [AliasMove]
        /// The index that the marker is put on.
        package var home: String
        /// Who, for people: user, host and process.
        package var by: String
        package var began: Int64
        /// Which process, as the state writes it down; nil: that is not known.
        package var process: JSONValue?

        package init(
            kind: Kind, turn: Int, moves: [AliasMove], home: String, by: String, began: Int64, process: JSONValue? = nil
        ) {
            (self.kind, self.turn, self.moves, self.home) = (kind, turn, moves, home)
            (self.by, self.began, self.process) = (by, began, process)
        }
    }

    /// A marker that stands on a target index: the last move that was applied.
    package struct Mark: Sendable, Equatable {
        package var turn: Int
        package var home: String

        package init(turn: Int, home: String) { (self.turn, self.home) = (turn, home) }
    }

    /// The number of the last move that was begun.
    package var turn = 0
    package var mark: Mark?
    package var intent: Intent?
    /// The moves that hold now, as they were applied. A rollback applies them the other way.
    package var moved: [AliasMove] = []
    /// Aliases that the recipe moves, as far as is known since the first rollover.
    package var aliases: [String] = []
    /// Between two clusters: aliases that the old cluster had when they were made on the new one. Readers go back to
    /// them.
    package var leftBehind: [String] = []
    /// When the first alias was moved, in the rollover that holds.
    package var rolledOverAt: Int64?
    /// nil: no program has to move the readers, or the last one ended well. Means nothing while no alias is moved.
    package var readersDue: ReadersDue?
    package var end: Position?
    /// How far the end is; nil: it was not begun.
    package var ending: Ending?

    package init() {}

    /// While an alias is on the new side: why the readers may not be there.
    package var openReaders: ReadersDue? { position.isOver ? readersDue : nil }

    package var position: Position {
        if let end { return end }
        if intent != nil { return .unknown }
        if moved.isEmpty { return mark == nil ? .before : .rolledBack }
        guard Set(moved.map(\.alias)).isSuperset(of: aliases) else { return .partly }
        return readersDue == nil ? .rolledOver : .readersDue
    }
}
