import Seeds

/// The beginning of a schedule that needs something old: most of a story, in its order, with other steps in between.
/// Stories are short cuts to corners that random steps reach once in a hundred thousand schedules. Nothing is true only
/// in them.
struct Story {
    let steps: [Step]

    init(_ steps: Step...) { self.steps = steps }

    func told(theme: Int, _ random: inout Seeded) -> [Step] {
        var told: [Step] = []
        for step in steps {
            let number = random.below(64)
            if number >= 3 { told.append(step) }
            if number % 16 == 15 { told.append(.random(theme, &random)) }
        }
        return told
    }
}

extension Step {
    fileprivate init(_ kind: Kind, _ a: UInt16 = 0, _ b: UInt16 = 0) { self.init(kind: kind, a: a, b: b) }

    // Writes to the first document, outside of any transaction.
    fileprivate static let insert = Step(.write, 0, 0x2400)
    /// Refused, where documents are.
    fileprivate static let insertRefused = Step(.write, 0, 0x2000)
    fileprivate static let update = Step(.write, 0, 0x2015)
    fileprivate static let delete = Step(.write, 0, 0x200A)
    /// Writes the first row, into this entry (2: none) and under this routing (0: none).
    fileprivate static func row(_ entry: UInt16, _ routing: UInt16 = 1) -> Step {
        Step(.write, 0, entry << 8 | routing << 10)
    }
    /// The same for the second row.
    fileprivate static func other(_ entry: UInt16) -> Step { Step(.write, 1, entry << 8 | 1 << 10) }
    fileprivate static let rowGone = Step(.write, 0, 11)
    /// Moves the document, where there is one.
    fileprivate static let part = Step(.write, 0, 0x45)
    fileprivate static let member = Step(.memberStarts, 0, 1)
    fileprivate static let late = Step(.deliverBadly, 0, 3)

    /// One step of one process, of those that there are.
    fileprivate static func readOne(_ engine: UInt16 = 0) -> Step { Step(.read, engine, 0) }
    fileprivate static func send(_ engine: UInt16 = 0) -> Step { Step(.send, engine) }
    fileprivate static func crash(_ engine: UInt16 = 0) -> Step { Step(.crash, engine) }
    /// Reads one record or four, writes it, keeps or does not keep that it did.
    fileprivate static func work(_ engine: UInt16 = 0, all: Bool = true, keeps: Bool = true) -> Step {
        Step(.work, engine, 0x70 | (all ? 0x0C : 0) | (keeps ? 0x100 : 0))
    }
    /// Delivers the wire at this place in the order of sending.
    fileprivate static func deliver(_ wire: UInt16 = 0) -> Step { Step(.deliver, wire) }

    fileprivate static let copyEnds = Step(.copyEnds)
    fileprivate static let copyBegins = Step(.copyBegins)
    fileprivate static let catchUp = Step(.catchUp)
    fileprivate static let longTime = Step(.longTime)
    fileprivate static let shortTime = Step(.shortTime)
    fileprivate static let purge = Step(.purge)
    fileprivate static let replayStarts = Step(.replayStarts)
    fileprivate static let replayEnds = Step(.replayEnds)
    fileprivate static let redrive = Step(.redrive)
    fileprivate static let mend = Step(.mend)
    fileprivate static let pause = Step(.pause)
    fileprivate static let resume = Step(.resume)
    fileprivate static let indexLost = Step(.indexLost)
    fileprivate static let otherWork = Step(.indexLost, 0, 1)
}

extension Story {
    /// Of tombstones that are purged, and what was sent before.
    static let tombstones = [
        // A delete is read again before its old tombstone is purged, and so is what came before it.
        Story(
            .copyEnds, .insert, .delete, .member, .work(keeps: false), .longTime, .crash(), .member, .readOne(),
            .send(),
            .crash(), .catchUp, .purge, .deliver(1), .shortTime),
        // The same, while the purge is under way.
        Story(
            .copyEnds, .insert, .delete, .member, .work(keeps: false), .longTime, .purge, .crash(), .member, .readOne(),
            .send(), .crash(), .catchUp, .deliver(), .shortTime),
        // A member stands still with something that it has read.
        Story(
            .copyEnds, .insert, .member, .readOne(), .pause, .delete, .catchUp, .longTime, .purge, .deliver(),
            .shortTime),
        // A replay stands still, and another ends it.
        Story(
            .copyEnds, .insert, .delete, .replayStarts, .pause, .replayEnds, .catchUp, .longTime, .purge, .deliver(),
            .resume, .work(all: false), .crash(), .shortTime),
        // A replay begins before what was purged, and somebody follows.
        Story(
            .copyEnds, .insert, .delete, .catchUp, .longTime, .purge, .deliver(), .update, .replayStarts,
            .work(1, all: false), .catchUp),
        Story(
            .copyEnds, .insert, .delete, .catchUp, .longTime, .purge, .deliver(), .replayStarts, .work(1, all: false),
            .update, .catchUp),
        // A replay begins while a purge is under way.
        Story(
            .copyEnds, .insert, .delete, .catchUp, .longTime, .purge, .replayStarts, .work(1), .deliver(), .shortTime,
            .update, .work(1, all: false), .catchUp),
        // A replay that ends before the delete is under way, while the delete's tombstone is purged.
        Story(
            .insert, .replayStarts, .copyEnds, .delete, .catchUp, .longTime, .purge, .deliver(), .shortTime, .work()),
        // The tombstone is young.
        Story(
            .insert, .member, .readOne(), .send(), .crash(), .delete, .copyEnds, .catchUp, .purge, .deliver(1),
            .shortTime),
    ]

    /// Of copies, one after the other, and a target index that is lost.
    static let copies = [
        Story(.delete, .copyEnds, .catchUp, .longTime, .purge, .deliver(), .copyBegins, .shortTime, .update),
        // A copy stands still with a page, and another ends it.
        Story(
            .copyBegins, .readOne(), .pause, .copyEnds, .delete, .catchUp, .longTime, .purge, .deliver(), .resume,
            .send(),
            .deliver()),
        // The same, and one more copy begins.
        Story(
            .copyBegins, .readOne(), .pause, .copyEnds, .delete, .catchUp, Step(.oldApplies, 0, 5), Step(.oldCommits),
            .longTime, .purge, .deliver(), .copyBegins, .resume, .send(), .deliver()),
        Story(
            .copyBegins, .readOne(), .send(), .delete, .catchUp, .longTime, .purge, .deliver(1), .shortTime,
            .deliver()),
        // The same, and the log has lost the delete, so that its tombstone cannot be brought back.
        Story(
            .copyBegins, .readOne(), .pause, .copyEnds, .delete, .catchUp, Step(.oldApplies, 0, 5), Step(.oldCommits),
            .longTime, .purge, .deliver(), Step(.retention), .copyBegins, .work(2), .resume, .send(), .deliver()),
        // Other work is confirmed, and the old follower goes on for a heartbeat.
        Story(.copyEnds, .member, .otherWork, .copyEnds, .replayStarts, .replayEnds, .insert, .shortTime),
        // A replay begins before anything was recorded, and the old cluster goes on.
        Story(.insert, .replayStarts, .delete, Step(.oldApplies, 0, 5), Step(.oldCommits), .member),
        // The log loses what was read and not yet committed.
        Story(
            .insert, .update, Step(.oldApplies, 0, 5), Step(.oldCommits), .member, .readOne(), .send(), .crash(),
            Step(.retention)),
        // An index is lost that knew what the log has lost since.
        Story(
            .insert, .delete, Step(.oldApplies, 0, 5), Step(.oldCommits), .member, .readOne(), .send(), .crash(),
            .catchUp,
            Step(.retention), .indexLost),
        Story(.copyEnds, .insert, .catchUp, .replayEnds, .indexLost, .update, .copyBegins),
    ]

    /// Of documents that move between entries and routings.
    static let moves = [
        // Anything may come.
        Story(.copyEnds, .row(0), .member, .row(1), .catchUp),
        // A member dies between the two writes of a move.
        Story(
            .row(1), .catchUp, .row(0), .readOne(), .send(), .deliver(), Step(.commit), .crash(),
            Step(.deliverBadly, 0, 5), .catchUp),
        // A partial update creates a document, and the next one would move it, where there are any.
        Story(.rowGone, .part, .part, .catchUp),
        // A document is deleted in one entry, and a partial update creates it in the other.
        Story(.row(0), .part, .rowGone, Step(.write, 0, 0x105), .catchUp),
        // Two routings, one shard.
        Story(.row(0, 2), .row(0, 3), .catchUp),
        // The old cluster does not know yet that the document has moved, and is copied again.
        Story(
            .row(0), Step(.oldApplies, 0, 5), Step(.oldCommits), .row(1), .copyEnds, .catchUp, .longTime, .purge,
            .deliver(), .copyBegins, .work(1), .shortTime),
        Story(
            .row(0), Step(.oldApplies, 0, 5), Step(.oldCommits), .row(0, 2), .copyEnds, .catchUp, .longTime, .purge,
            .deliver(), .copyBegins, .work(1), .shortTime),
        // The copy has a document that changed its routing before, and a shard that both lead to.
        Story(
            .row(0, 2), .row(0, 3), Step(.oldApplies, 0, 5), Step(.oldCommits), .other(0), .other(1), .copyEnds,
            .catchUp, .longTime, .purge, .deliver(), .replayStarts),
        // The log is replayed after the tombstone of the move was purged.
        Story(
            .copyEnds, .row(0), .row(1), .catchUp, .longTime, .purge, .deliver(), .replayStarts, .work(1, all: false),
            .row(2), .catchUp),
    ]

    /// Of dead letters that are redriven late.
    static let letters = [
        Story(
            .copyEnds, .insertRefused, .catchUp, .delete, .catchUp, .longTime, .purge, .deliver(), .shortTime, .mend),
        Story(
            .copyEnds, .insertRefused, .catchUp, .mend, .delete, .catchUp, .longTime, .redrive, .send(1), .crash(1),
            .redrive, .send(1), .deliver(1), Step(.commit, 1), .purge, .deliver(1), .shortTime),
        // A partial update without a document is a letter, where `missing` is `reject`.
        Story(.copyEnds, .insert, .delete, .update, .catchUp, .indexLost, .redrive, .work(), .longTime),
        Story(.insert, .delete, .update, .catchUp, .longTime, .replayStarts, .work(1, all: false), .redrive, .work(2)),
    ]
}

extension Mechanism {
    /// The theme whose schedules miss it soonest; nil: any does.
    public var theme: Int? {
        switch self {
        case .tombstoneRefresh, .tombstoneAge, .purgeBelowCommit, .purgeAlone, .purgeWaitsForReplay,
            .replayDeletesFirst, .sendLease:
            Step.oldThemes
        case .moveTombstones, .companionsFirst, .movesRestored, .restoreFromStart, .formerRoutingBelow,
            .lanesAcrossEntries:
            Step.moves
        case .purgeKeepsUnresolved, .purgeKeepsResolved, .redriveAfterReplay: Step.oldThemes + 1
        case .purgeWaitsForCopy, .aliasPerIndex, .offsetTerm, .copyAlias, .copyAliasPerRound, .recopyRail,
            .startCommitted,
            .recordedAtFirstWork:
            Step.oldThemes + 2
        case .verifyRefresh, .verifyPositions, .verifySettling: Step.verification
        default: nil
        }
    }
}
