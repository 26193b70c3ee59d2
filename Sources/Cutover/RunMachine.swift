// The way from a recipe to the rollover. The table stands in docs/cutover.md.

/// `crossfade run`: which step comes next, given what is found and what the last step came to.
package struct RunMachine: Sendable {
    /// In the order in which they are done.
    package enum Step: String, Sendable, CaseIterable {
        case plan
        case initialise = "init"
        case copy
        /// A copy of what changed since the copies before.
        case delta
        case replay, follow, verify, rollover
    }

    /// What keeps the new side current.
    package enum Way: Sendable, Equatable {
        /// A command topic, which is replayed and followed.
        case commands
        /// Copies alone. `below`: a delta is small if it has read fewer documents. `hasDeltas`: whether the recipe says
        /// what a delta reads.
        case copies(below: Int, hasDeltas: Bool)
    }

    /// How far it goes. At the last two it stays, and follows until it is told to stop.
    package enum Goal: String, Sendable, CaseIterable {
        case initialised, copied, replayed, verified, ready
        case rolledOver = "rolled-over"

        package var isKept: Bool { self == .ready || self == .rolledOver }
    }

    /// What is found before each step. Times are milliseconds.
    package struct Facts: Sendable {
        /// By a clock that only goes forwards.
        package var now: Int64 = 0
        package var isStopAsked = false
        /// Everything that `init` makes is there, for this very work.
        package var isMade = false
        /// The user has confirmed this very work, now or before.
        package var isConfirmed = false
        package var isCopyDue = false
        package var isReplayDue = false
        /// Our follower has what the group gave it, nothing keeps it, and the lag is small.
        package var isCurrent = false
        /// Followers report every partition as theirs, as a gate wants it.
        package var isFollowed = false
        /// The newest receipt of this work; nil: there is none, or nothing can go on from it.
        package var receipt: Receipt?
        package var position = CutoverState.Position.before
        /// Without commands: what was written to the old side since the last copy began; nil: that cannot be told.
        package var sourceWrites: Int64?

        package init() {}
    }

    package struct Receipt: Sendable, Equatable {
        package var id: String
        package var age: Int64
        /// Else some documents were still changing, and everything else is equal.
        package var isEqual: Bool

        package init(id: String, age: Int64, isEqual: Bool) { (self.id, self.age, self.isEqual) = (id, age, isEqual) }
    }

    /// What a verification found.
    package enum Finding: Sendable { case equal, different, settling, unknown }

    /// What the last action came to.
    package enum Outcome: Sendable, Equatable {
        /// Time has passed, or nothing was done yet.
        case looked
        /// A step is done; `follow` has begun.
        case done(Step)
        case verified(Finding)
        /// A delta has read so many documents.
        case copied(documents: Int)
        /// The gates were asked; with ``Action/rollover`` and none of them failed, the readers are moved.
        case asked(failed: [Gate.Name])
        /// - Parameters:
        ///   - passes: time or the clusters may mend it, so that nothing is wrong with the migration itself.
        ///   - refused: what was asked for may not be done.
        case failed(Step, passes: Bool, refused: Bool)
    }

    package enum Action: Sendable, Equatable {
        /// `plan`, `init`, `copy`, a delta or `replay`, to its end; `follow`: begin it beside all that comes.
        case perform(Step)
        /// Compare what commands have named since this receipt; nil: everything.
        case verify(since: String?)
        /// Ask the gates, and move nothing.
        case askGates
        /// Ask the gates, and move the readers.
        case rollover
        case wait(milliseconds: Int64)
        case end(End)
    }

    package enum End: Sendable, Equatable {
        /// The goal is reached.
        case reached
        /// The user asked for it.
        case stopped
        /// The last step failed; its own error says why.
        case failed
        /// Nobody has confirmed the work.
        case unconfirmed
        /// The migration is finished, by another process.
        case finished
        /// This step was done, and is due again: somebody else undoes it.
        case undone(Step)
        /// The old side was written since the copy, and the recipe does not say what a delta would have to read.
        case needsSince
    }

    package let goal: Goal
    /// `cutover.parity_age`.
    let parityAge: Int64
    private var isPlanned = false
    private var isFollowing = false
    /// Whether all gates have passed, or the readers were moved, at any time.
    package private(set) var wasReady = false
    private var asked: (failed: [Gate.Name], at: Int64)?
    /// When the last verification began, and when the next one may.
    private var verification: (began: Int64, next: Int64) = (0, 0)
    private var mustReadAll = false
    private var notBefore: Int64 = 0
    package let way: Way
    private var deltas = Deltas()
    private var wasMade = false

    package init(_ goal: Goal, parityAge: Int64, way: Way = .commands) {
        (self.goal, self.parityAge, self.way) = (goal, parityAge, way)
    }

    /// Between two looks at what is found, while nothing is to be done.
    static let lookEvery: Int64 = 2_000
    /// Gates that fail are asked again after this time, and gates that pass after the other.
    static let failedEvery: Int64 = 10_000
    static let passedEvery: Int64 = 60_000
    /// What failed for a reason that passes is tried again after this time.
    static let again: Int64 = 60_000

    package mutating func next(_ facts: Facts, after outcome: Outcome) -> Action {
        if let end = take(outcome, facts) { return .end(end) }
        if facts.isStopAsked { return .end(.stopped) }
        if facts.position == .finished { return .end(.finished) }
        let action = due(facts)
        if case .perform(let step) = action, outcome == .done(step) { return .end(.undone(step)) }
        switch action {
        case .verify: verification.began = facts.now
        case .perform(.delta): deltas.began = facts.now
        case .askGates, .rollover: asked = nil
        default: break
        }
        return action
    }

    /// Remembers what the last action came to. Returns the end that it means; nil: it goes on.
    private mutating func take(_ outcome: Outcome, _ facts: Facts) -> End? {
        switch outcome {
        case .looked: return nil
        case .done(.plan): isPlanned = true
        case .done(.follow): isFollowing = true
        case .done: return nil
        case .copied(let documents): deltas.end(documents, at: facts.now, way)
        case .asked(let failed):
            asked = (failed, facts.now)
            wasReady = wasReady || failed.isEmpty
        case .verified(let finding):
            endVerification(facts)
            (mustReadAll, asked, deltas.isFresh) = (false, nil, false)
            switch finding {
            case .equal: return nil
            // What was written meanwhile differs, until another delta has brought it.
            case .different where way.hasDeltas && facts.sourceWrites.map { $0 > 0 } == true: return nil
            // Documents that are always changing are looked at again, with what came since.
            case .settling: verification.next = facts.now + Self.failedEvery
            case .unknown where wasReady: verification.next = max(verification.next, facts.now + Self.again)
            case .different, .unknown: return .failed
            }
        case .failed(.verify, _, refused: true) where !mustReadAll && facts.receipt != nil:
            // Nothing can go on from that receipt any more.
            mustReadAll = true
        case .failed(let step, let passes, _):
            // Until it was ready, somebody looks on. After that a follower that ends is worse than a late receipt.
            guard wasReady, passes, [.verify, .delta, .rollover].contains(step), goal == .ready || step != .rollover
            else {
                return .failed
            }
            if step == .verify { endVerification(facts) }
            notBefore = facts.now + Self.again
        }
        return nil
    }

    /// At most half of the time is spent on verifying.
    private mutating func endVerification(_ facts: Facts) {
        verification.next = facts.now + max(Self.failedEvery, facts.now - verification.began)
    }

    private mutating func due(_ facts: Facts) -> Action {
        guard way == .commands else { return dueOfCopies(facts) }
        guard isFollowing else { return first(facts) }
        // What follows says itself what is gone.
        guard facts.isMade else { return .wait(milliseconds: Self.lookEvery) }
        if goal != .verified, facts.position == .rolledOver {
            wasReady = true
            return .wait(milliseconds: Self.failedEvery)
        }
        guard facts.isCurrent, facts.now >= notBefore else { return .wait(milliseconds: Self.lookEvery) }
        if let verify = verification(facts) { return verify }
        if goal == .verified { return .end(.reached) }
        guard facts.isFollowed else { return .wait(milliseconds: Self.lookEvery) }
        return gates(facts)
    }

    private func gates(_ facts: Facts) -> Action {
        if let asked {
            let due = asked.at + (asked.failed.isEmpty ? Self.passedEvery : Self.failedEvery)
            guard facts.now >= due else { return pause(to: due, facts) }
        }
        // Who has rolled back decides when readers move again.
        return goal == .rolledOver && facts.position != .rolledBack ? .rollover : .askGates
    }

    private func pause(to time: Int64, _ facts: Facts) -> Action {
        .wait(milliseconds: min(Self.lookEvery, time - facts.now))
    }

    /// Without commands: copies until little is left, and what was written since until nobody writes any more.
    private mutating func dueOfCopies(_ facts: Facts) -> Action {
        guard facts.isMade else { return wasMade ? .end(.undone(.initialise)) : make(facts) }
        wasMade = true
        if goal == .initialised { return .end(.reached) }
        if facts.isCopyDue { return .perform(.copy) }
        if goal == .copied { return .end(.reached) }
        if goal != .verified, facts.position == .rolledOver {
            // Nothing is kept current from here on.
            wasReady = true
            return .end(.reached)
        }
        guard facts.now >= notBefore else { return pause(to: notBefore, facts) }
        // Where nobody can tell, one delta comes before each verification.
        let isBehind = facts.sourceWrites.map { $0 > 0 } ?? (way.hasDeltas && !deltas.isFresh && !isVerified(facts))
        if isBehind {
            guard way.hasDeltas else { return .end(.needsSince) }
            return facts.now >= deltas.next ? .perform(.delta) : pause(to: deltas.next, facts)
        }
        if let verify = verification(facts) {
            guard case .verify = verify else { return verify }
            return .verify(since: nil)
        }
        return goal == .verified ? .end(.reached) : gates(facts)
    }

    private func isVerified(_ facts: Facts) -> Bool {
        facts.receipt.map { $0.isEqual && $0.age <= parityAge / 2 } ?? false
    }

    private func make(_ facts: Facts) -> Action {
        guard isPlanned else { return .perform(.plan) }
        return facts.isConfirmed ? .perform(.initialise) : .end(.unconfirmed)
    }

    /// Up to the follower.
    private func first(_ facts: Facts) -> Action {
        guard facts.isMade else { return make(facts) }
        if goal == .initialised { return .end(.reached) }
        if facts.isCopyDue { return .perform(.copy) }
        if goal == .copied { return .end(.reached) }
        if facts.isReplayDue { return .perform(.replay) }
        return goal == .replayed ? .end(.reached) : .perform(.follow)
    }

    /// The verification that is due; nil: none is.
    private func verification(_ facts: Facts) -> Action? {
        guard let receipt = facts.receipt else {
            return facts.now >= verification.next ? .verify(since: nil) : pause(to: verification.next, facts)
        }
        let isOld = receipt.age > parityAge / 2
        let isForeign = asked?.failed.contains { $0 == .foreignWrites || $0 == .sourceWrites } == true
        guard isOld || isForeign || mustReadAll || !receipt.isEqual else { return nil }
        guard facts.now >= verification.next else {
            // The gates say meanwhile how it stands, unless they need this first.
            return receipt.isEqual ? nil : pause(to: verification.next, facts)
        }
        return .verify(since: isForeign || mustReadAll ? nil : receipt.id)
    }
}

extension RunMachine.Way {
    package var hasDeltas: Bool {
        guard case .copies(_, let hasDeltas) = self else { return false }
        return hasDeltas
    }
}

/// When the next delta may begin. While they get smaller, one follows the other; then it takes turns with rest.
private struct Deltas {
    var began: Int64 = 0
    var next: Int64 = 0
    /// Whether one was done since the last verification.
    var isFresh = false
    private var read: Int?

    mutating func end(_ documents: Int, at now: Int64, _ way: RunMachine.Way) {
        guard case .copies(let below, _) = way else { return }
        let getsSmaller = read.map { documents < $0 } ?? true
        (read, isFresh) = (documents, true)
        next = documents >= below && getsSmaller ? now : now + max(RunMachine.failedEvery, now - began)
    }
}
