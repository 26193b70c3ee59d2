import Indexing
import Seeds

/// One step of a schedule: its kind, and two numbers that choose whom it concerns and how. A step that makes no sense
/// at the moment does nothing, so that any step can be left out of a schedule.
public struct Step: Sendable, Equatable {
    public enum Kind: UInt8, Sendable, CaseIterable {
        case write, commitTransaction, abortTransaction
        case oldApplies, oldCommits, oldCrashes
        case retention, compaction, uncleanElection
        case shortTime, longTime
        case memberStarts, crash, pause, resume, rebalance
        case replayStarts, copyBegins, purge, redrive, mend
        case read, send, work, commit
        case deliver, deliverBadly
        /// Without a fault, to the end: the short way to where it gets interesting.
        case copyEnds, replayEnds, catchUp
        case indexLost
        case verifies
    }
    public var kind: Kind
    public var a: UInt16
    public var b: UInt16
}

extension Step: CustomStringConvertible {
    public var description: String { "\(kind)(\(a), \(b))" }
}

extension Step {
    /// How often each kind comes, by theme; in the order of `Kind.allCases`.
    private static let weights: [[Int]] = [
        // everything
        [20, 2, 2, 6, 3, 1, 1, 1, 0, 3, 2, 4, 3, 2, 2, 3, 3, 4, 2, 1, 0, 8, 6, 8, 5, 10, 5, 1, 1, 1, 1],
        // deletes, late requests, purges
        [16, 0, 0, 4, 2, 0, 0, 0, 0, 5, 5, 3, 4, 3, 3, 2, 4, 4, 6, 0, 0, 7, 6, 9, 4, 8, 8, 2, 1, 2, 0],
        // copy and merges
        [18, 0, 0, 8, 3, 1, 0, 0, 0, 3, 2, 3, 2, 2, 2, 1, 3, 9, 2, 0, 0, 8, 7, 8, 4, 12, 5, 1, 0, 1, 1],
        // the log itself
        [18, 6, 5, 6, 4, 1, 3, 3, 3, 1, 1, 3, 2, 1, 1, 2, 5, 2, 0, 0, 0, 9, 5, 9, 6, 8, 3, 0, 0, 0, 0],
        // dead letters
        [18, 0, 0, 4, 2, 0, 0, 0, 0, 4, 4, 3, 3, 1, 1, 2, 3, 4, 6, 6, 2, 8, 6, 9, 5, 10, 5, 2, 0, 2, 0],
        // the group
        [18, 0, 0, 3, 1, 0, 0, 0, 0, 2, 1, 7, 4, 5, 5, 8, 1, 1, 1, 0, 0, 12, 9, 5, 9, 14, 6, 0, 0, 1, 0],
        // old tombstones
        [12, 0, 0, 3, 2, 0, 0, 0, 0, 3, 6, 3, 5, 3, 3, 1, 4, 4, 9, 0, 0, 6, 7, 5, 4, 7, 7, 5, 3, 5, 0],
        // old dead letters
        [14, 0, 0, 3, 2, 0, 0, 0, 0, 4, 5, 2, 6, 1, 1, 1, 2, 2, 9, 8, 3, 5, 5, 5, 4, 7, 7, 5, 1, 5, 0],
        // old copies
        [12, 0, 0, 4, 3, 0, 0, 0, 0, 3, 3, 3, 5, 3, 3, 1, 4, 7, 4, 0, 0, 6, 7, 5, 4, 7, 7, 5, 2, 4, 2],
        // moves
        [18, 0, 0, 6, 3, 1, 1, 0, 0, 3, 3, 3, 4, 2, 2, 2, 3, 4, 5, 0, 0, 8, 6, 7, 5, 9, 7, 2, 1, 2, 1],
        // verification; the others have none
        [12, 1, 1, 8, 6, 2, 1, 1, 0, 1, 1, 3, 2, 1, 1, 1, 0, 1, 1, 1, 1, 4, 3, 8, 5, 6, 3, 2, 1, 5, 1, 40],
    ]
    static var themes: Int { weights.count }

    /// The kinds as often as the theme has them, to be picked from.
    private static let bags: [[Kind]] = weights.map { row in
        zip(Kind.allCases, row).flatMap { kind, weight in Array(repeating: kind, count: weight) }
    }

    /// From here on themes begin with something old.
    static let oldThemes = 6
    static let moves = 9
    static let verification = 10

    /// Whether schedules of the theme begin with a story.
    static func isOld(_ theme: Int) -> Bool { theme >= oldThemes && theme != verification }

    static func beginning(_ theme: Int, _ random: inout Seeded) -> [Step] {
        let stories = [Story.tombstones, Story.letters, Story.copies, Story.moves][theme - oldThemes]
        return stories[random.below(stories.count)].told(theme: theme, &random)
    }

    static func random(_ theme: Int, _ random: inout Seeded) -> Step {
        let bag = bags[theme]
        let number = random.next()
        return Step(
            kind: bag[random.below(bag.count)], a: UInt16(truncatingIfNeeded: number),
            b: UInt16(truncatingIfNeeded: number >> 16))
    }
}

extension Setup {
    static func random(_ random: inout Seeded, _ wanted: Int?) -> Setup {
        // Half of them are stories.
        let any =
            random.below(2) == 0
            ? random.below(Step.oldThemes) : Step.oldThemes + random.below(Step.themes - Step.oldThemes)
        let theme = wanted ?? any
        let isOld = Step.isOld(theme)
        let layout: Layout = theme != Step.moves ? .single : [.rows, .rows, .keys, .parts, .parts][random.below(5)]
        let ids = isOld ? 1 + random.below(2) : 2 + random.below(4)
        let partitions = isOld ? 1 : 1 + random.below(3)
        let drawn: MissingDocument = [.reject, .reject, .ignore, .create, .create, .create, .create, .create][
            random.below(8)]
        return Setup(
            partitions: partitions, ids: ids, missing: layout == .parts ? .create : drawn, trimmed: random.below(3),
            fromBeginning: random.below(2) == 0, ending: random.next(),
            known: (0..<ids).map { _ in
                guard random.below(3) > 0 else { return 0 }
                // Bits 8 to 11: whether the new cluster refuses the copied document.
                let refused: UInt16 = [4, 7, Step.verification].contains(theme) && random.below(4) == 0 ? 1 << 8 : 0
                let place = layout == .single ? 0 : UInt16(random.below(8)) << 12
                return UInt16(1 + random.below(255)) | refused | place
            }, layout: layout, theme: theme)
    }
}

extension World {
    func perform(_ step: Step) {
        let a = Int(step.a)
        let b = Int(step.b)
        tell { self.words(step) }
        switch step.kind {
        case .write: write(a, b)
        case .commitTransaction: endTransaction(a, commits: true)
        case .abortTransaction: endTransaction(a, commits: false)
        case .oldApplies: applyOld(a, 1 + b % 6)
        case .oldCommits: commitOld()
        case .oldCrashes: crashOld()
        case .retention: retain(a, b)
        case .compaction: compact(a, b)
        case .uncleanElection: truncate(a, b)
        case .shortTime: pass(long: false)
        case .longTime: pass(long: true)
        case .replayStarts: startReplay()
        case .copyBegins: beginCopy()
        case .purge: beginPurge()
        case .redrive: redrive()
        case .mend: isMended = true
        case .copyEnds: finishCopy()
        case .indexLost: loseIndex(byOthers: b & 1 == 1)
        case .replayEnds:
            // An open transaction pins the end: nobody waits for that here.
            guard let replay, replay.finished == nil, topic.partitions.allSatisfy({ $0.stable == $0.end }) else {
                return
            }
            finishReplay()
        case .catchUp: finishFollowing()
        case .verifies: for _ in 0..<(1 + b & 3) where goesOn { verify() }
        case .rebalance: rebalance(slow: b & 3 == 0)
        case .memberStarts:
            guard engines.reduce(0, { $0 + ($1.kind == .follow ? 1 : 0) }) < 3 else { return }
            _ = start(.follow, partitions: setup.partitions)
            rebalance(slow: b & 3 == 0)
        case .deliver: if !wires.isEmpty { deliver(a % wires.count, .good) }
        case .deliverBadly: if !wires.isEmpty { deliver(a % wires.count, Self.fate(b)) }
        default: if !engines.isEmpty { perform(step.kind, engines[a % engines.count], b) }
        }
    }

    private static func fate(_ b: Int) -> Fate {
        switch b & 3 {
        case 0: .throttled(UInt64(b >> 2) | 1)
        case 1: b >> 2 & 3 == 0 ? .tooLarge : .lost
        case 2: .answerLost
        default: .late
        }
    }

    /// What one process does.
    private func perform(_ kind: Step.Kind, _ engine: Engine, _ b: Int) {
        switch kind {
        case .crash: stop(engine)
        case .pause: engine.isPaused = true
        case .resume:
            engine.isPaused = false
            let answers = engine.inbox
            engine.inbox = []
            for answer in answers { engine.receive(answer) }
        case _ where engine.isPaused: break
        case .read: read(engine, b)
        case .send:
            engine.advance()
            engine.flush()
        case .commit: keep(engine, isKept: b & 7 != 1)
        case .work:
            read(engine, b)
            for _ in 0..<(1 + b >> 4 & 7) {
                engine.advance()
                engine.flush()
                guard let index = wires.firstIndex(where: { $0.engine == engine.number }) else { break }
                deliver(index, .good)
            }
            if b >> 8 & 3 > 0 { keep(engine) }
        default: break
        }
    }

    private func read(_ engine: Engine, _ b: Int) {
        switch engine.kind {
        case .follow, .replay, .restore:
            if engine.isFenced { return rebalance(slow: b & 12 == 0) }
            poll(engine, b % setup.partitions, limit: 1 + b >> 2 & 3)
        case .copy: page(engine, b % Self.slices, limit: 1 + b >> 2 & 1, isLost: b >> 9 & 7 == 5)
        case .redrive: break
        }
    }

    /// Keeps what is settled.
    func keep(_ engine: Engine, isKept: Bool = true) {
        switch engine.kind {
        case .follow: commit(engine, isKept: isKept)
        case .replay:
            // It looks into the state: somebody else has ended it.
            guard !isOld(engine) else { return stop(engine) }
            commit(engine, isKept: isKept)
            if isKept { endReplay(engine) }
        case .restore: endRestore(engine)
        case .copy: record(engine)
        case .redrive: if engine.unsettled == 0, !goOn(redriving: engine) { stop(engine) }
        }
    }
}
