import JSONText

// What may follow what. The table stands in docs/cutover.md.

/// Why a command of the cutover cannot go on, in words for people.
package struct CutoverRefusal: Error, Sendable, Equatable {
    package var reason: String
    /// Somebody else was faster: asked again, the state says what is left to do.
    package var isRace: Bool

    package init(_ reason: String, isRace: Bool = false) { (self.reason, self.isRace) = (reason, isRace) }
}

extension CutoverState {
    /// What a command that moves aliases has to do.
    package enum Decision: Sendable, Equatable {
        /// These moves hold already.
        case nothing
        /// A move was begun and its end is not recorded: find out its fate first, then ask again.
        case resolve(Intent)
        /// Begin these moves.
        case begin([AliasMove])
    }

    /// What a rollover of `wanted` has to do. `wanted`: the moves as the aliases stand now.
    package func rollover(_ wanted: [AliasMove]) throws(CutoverRefusal) -> Decision {
        try checkOpen()
        if let intent { return .resolve(intent) }
        let done = Set(moved.map(\.alias))
        let left = wanted.filter { !done.contains($0.alias) }
        return left.isEmpty ? .nothing : .begin(left)
    }

    /// What a rollback has to do.
    /// - Parameter aliases: these only; nil: all that were moved.
    package func rollback(_ aliases: Set<String>? = nil) throws(CutoverRefusal) -> Decision {
        try checkOpen()
        if let intent { return .resolve(intent) }
        let back = moved.filter { aliases?.contains($0.alias) ?? true }.map(\.reversed)
        return back.isEmpty ? .nothing : .begin(back)
    }

    private func checkOpen() throws(CutoverRefusal) {
        switch end {
        case .finished: throw CutoverRefusal("the migration is being finished: there is no way back any more")
        case .cancelled: throw CutoverRefusal("the migration was cancelled")
        default: return
        }
    }

    /// Stores what is about to be sent. The number is never used again, whatever becomes of the request.
    package mutating func begin(
        _ kind: Kind, _ moves: [AliasMove], home: String, by: String, process: JSONValue? = nil, at time: Int64
    ) throws(CutoverRefusal) -> Intent {
        try checkOpen()
        if let intent {
            throw CutoverRefusal("\(intent.by) is at a \(intent.kind.rawValue) already", isRace: true)
        }
        let held = Set(moved.map(\.alias))
        guard moves.allSatisfy({ held.contains($0.alias) == (kind == .rollback) }) else {
            throw CutoverRefusal("somebody else has moved the aliases meanwhile", isRace: true)
        }
        turn += 1
        let begun = Intent(kind: kind, turn: turn, moves: moves, home: home, by: by, began: time, process: process)
        intent = begun
        return begun
    }

    /// Records what became of the move under way. Nothing happens if another process has recorded it before.
    /// - Parameter fate: `applied` or `sealed`; of an open one nothing may be recorded.
    /// - Returns: whether this call recorded it.
    @discardableResult
    package mutating func settle(turn: Int, _ fate: Turn.Fate, at time: Int64) -> Bool {
        guard let done = intent, done.turn == turn else { return false }
        switch fate {
        case .open: return false
        case .sealed: intent = nil
        case .applied(let home):
            intent = nil
            mark = Mark(turn: turn, home: home)
            let names = Set(done.moves.map(\.alias))
            moved.removeAll { names.contains($0.alias) }
            if done.kind == .rollover { moved += done.moves }
            rolledOverAt = moved.isEmpty ? nil : rolledOverAt ?? time
            // The program of a rollback runs before the aliases move; that of a rollover after that.
            if moved.isEmpty || done.kind == .rollback { readersDue = nil }
        }
        return true
    }

    /// Forgets moves that somebody has undone by hand. Returns their aliases.
    /// - Parameter isUndone: whether the alias stands on exactly the indices that it came from.
    package mutating func forget(_ isUndone: (AliasMove) throws -> Bool) rethrows -> [String] {
        guard intent == nil else { return [] }
        let undone = try moved.filter(isUndone).map(\.alias)
        moved.removeAll { undone.contains($0.alias) }
        if moved.isEmpty { (rolledOverAt, readersDue) = (nil, nil) }
        return undone
    }

    /// Whether target indices may be taken away: nothing reads through them.
    /// - Parameter away: aliases that somebody has moved off the new indices by hand.
    package func checkCancel(away: Set<String> = []) throws(CutoverRefusal) {
        if end == .finished { throw CutoverRefusal("the migration is finished; there is nothing to cancel") }
        guard moved.allSatisfy({ away.contains($0.alias) }), intent == nil else {
            throw CutoverRefusal("readers are on the new side, or it is not known where they are: roll back first")
        }
    }

    /// Whether the old side may be given up: all readers are on the new one.
    package func checkFinish() throws(CutoverRefusal) {
        if end == .cancelled { throw CutoverRefusal("the migration was cancelled; there is nothing to finish") }
        if end == nil, position == .readersDue, let readersDue { throw CutoverRefusal(readersDue.words) }
        guard end == .finished || position == .rolledOver else {
            throw CutoverRefusal("not all readers are on the new side (it is \(position.rawValue)): roll over first")
        }
    }
}
