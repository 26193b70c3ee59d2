import JSONText

/// The marker that a move of aliases carries, so that its fate can be known and sealed.
///
/// A request whose answer is lost may have been applied, may be applied later, or never. Each move has a number, and
/// its request adds an alias of its own to one of the target indices, as that alias's write index. A cluster lets an
/// alias have one write index, and applies all actions of a request or none. So:
///
/// - the alias on the target index says that the move was applied;
/// - the same alias on the state index, its write index there, bars the move for good: the late request would make
///   a second write index, and fails as a whole. Tried on 6.8, 7.10, 7.17, 8.17, 9.0 and OpenSearch 3:
///   `illegal_state_exception`, `alias [...] has more than one write index`.
///
/// Servers before 6.4 have no write index, and no such markers.
package struct Turn: Sendable, Equatable {
    package var number: Int
    /// The migration's state index, which carries the markers that are sealed.
    package var stateIndex: String

    package init(_ number: Int, stateIndex: String) { (self.number, self.stateIndex) = (number, stateIndex) }

    /// Capital letters, so that no index can have this name.
    package var alias: String { Self.prefix(stateIndex) + "\(number)" }

    /// What the names of all markers of a migration begin with.
    package static func prefix(_ stateIndex: String) -> String { stateIndex + "-TURN-" }

    /// What became of the move.
    package enum Fate: Sendable, Equatable {
        /// It was applied; the index carries the marker.
        case applied(home: String)
        /// It was not applied, and cannot be any more.
        case sealed
        /// It was not applied so far.
        case open
    }

    /// - Parameter indices: the indices behind the marker, as they were read.
    package func fate(_ indices: some Sequence<String>) -> Fate {
        let found = Set(indices)
        if let home = found.subtracting([stateIndex]).min() { return .applied(home: home) }
        return found.isEmpty ? .open : .sealed
    }

    /// Part of the request that moves the aliases.
    package func mark(home: String) -> JSONValue { AliasAction.add(alias, home, ["is_write_index": true]) }

    /// Bars the move, if it was not applied. Refused by the cluster if it was.
    package var seal: [JSONValue] { [AliasAction.add(alias, stateIndex, ["is_write_index": true])] }

    /// Part of the next move's request: a copy of this one's request that is still under way can do nothing after it.
    package func retire(home: String) -> [JSONValue] { [AliasAction.remove(alias, home)] + seal }
}
