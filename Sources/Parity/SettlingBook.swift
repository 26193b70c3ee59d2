/// Decides when what was read of a document is final, although commands keep coming.
///
/// It works in rounds. Each round has a **line**: offsets behind records, one for each partition. The document is read
/// only when both groups have applied every command before the line, ``Options/grace`` ago or longer: some applications
/// commit before they write. Then the log is read from the line to the end that it had after the reading. What was read
/// of an id counts only if no command names the id there: it is what all commands before the line came to, on both
/// sides.
///
/// Two sides that are alike are final at once. Two that differ are final when the next round, which begins where this
/// one ended, finds the same difference, at least ``Options/grace`` later.
///
/// The driver performs ``next(now:)`` and tells what came of it. Times are milliseconds of any clock that never goes
/// back.
package struct SettlingBook: Sendable {
    package struct Options: Sendable {
        /// The most documents that are open at once. They are read together in each round.
        package var capacity = 20_000
        /// How long a write may come after the commit of its command, and how far apart the two readings of a
        /// difference are at least.
        package var grace: Int64 = 1000
        /// It gives up after this time without progress, not counting the time in which documents and log are read.
        package var bound: Int64 = 60_000
        /// It gives up after this time without progress, where one of those that it waits for does not run.
        package var idle: Int64 = 20_000
        /// After so many rounds a document makes room for others, if others wait.
        package var rounds = 5

        package init() {}
    }

    /// What both sides have of a document at one moment.
    package enum Reading: Sendable, Hashable {
        case equal
        /// Neither side has it.
        case absent
        /// A digest of everything that was read of both sides.
        case differs(ContentDigest)
    }

    package enum Step: Equatable {
        /// Ask where the groups stand, and tell it by ``stands(_:now:)``. Not before `now + pause`.
        case look(pause: Int64)
        /// Read these documents on both sides, and tell it by ``read(_:now:)``.
        case read([DocumentKey])
        /// Ask where the groups stand after the reading, and tell it by ``standsAfter(_:now:)``.
        case lookAgain
        /// Read the log. Tell each id that a command concerns by ``commanded(_:)``, and the end by ``readLog(_:now:)``.
        case readLog([Int32: Range<Int64>])
        /// Nothing is open.
        case idle
        /// Too long without progress.
        case over
    }

    package struct Final: Sendable, Equatable {
        package var key: DocumentKey
        package var reading: Reading
    }

    private enum Phase: Equatable {
        case waiting
        case reading
        case lookingAgain
        case readingLog([Int32: Int64])
    }

    private struct Open {
        /// The reading of the round under way.
        var reading: Reading?
        /// What the round before found, and when.
        var first: (digest: ContentDigest, at: Int64)?
        var isCommanded = false
        var rounds = 0
    }

    private let options: Options
    private var phase = Phase.waiting
    package private(set) var line: [Int32: Int64]
    private var open: [DocumentKey: Open] = [:]
    /// The keys of an id, whatever their routing.
    private var names: [Name: [DocumentKey]] = [:]
    /// Since when both groups have been seen behind the line; nil: they are not.
    private var passedAt: Int64?
    private var readAt: Int64 = 0
    private var lookedAt: Int64 = 0
    private var progressAt: Int64
    /// Whether a document became final since the round before the last.
    private var isFresh = true
    private var missing = Int64.max
    private var hasLooked = false
    /// Where the groups stood when last asked.
    package private(set) var positions: GroupPositions?
    /// One of the groups that are behind has nobody who could get it on; see ``waitsInVain(_:)``.
    private var isInVain = false
    /// Switches for tests: what happens without a part of the above.
    package var waitsForPositions = true
    package var checksWindow = true

    private struct Name: Hashable {
        var entry: Int
        var id: [UInt8]
    }

    /// `line`: offsets behind the last records that were looked at for candidates.
    package init(line: [Int32: Int64], options: Options = Options(), now: Int64) {
        (self.line, self.options, progressAt) = (line, options, now)
    }

    /// How many documents may be added.
    package var room: Int { phase == .waiting ? max(0, options.capacity - open.count) : 0 }
    package var openCount: Int { open.count }
    /// What is open still.
    package var openKeys: [DocumentKey] { Array(open.keys) }

    /// Adds a document to be judged. Every command before the line that names it may be unapplied.
    package mutating func add(_ key: DocumentKey) {
        guard open[key] == nil else { return }
        open[key] = Open()
        names[Name(entry: key.entry, id: key.id), default: []].append(key)
    }

    /// Whether too long has passed without progress. Nothing becomes final any more.
    package func isOver(now: Int64) -> Bool {
        let bound = isInVain ? min(options.idle, options.bound) : options.bound
        return phase == .waiting && now - progressAt >= bound
    }

    /// Those of whom it is to be asked whether they run, since they have not moved for ``Options/idle``. Tell it by
    /// ``waitsInVain(_:)``.
    package func idlers(now: Int64) -> Set<GroupPositions.Behind.Who> {
        guard phase == .waiting, now - progressAt >= options.idle, let positions else { return [] }
        return Set(positions.behind(line).map(\.who))
    }

    /// Whether one of these does not run, as far as is known. It may be started before the time is over.
    package mutating func waitsInVain(_ isInVain: Bool) { self.isInVain = isInVain }

    package func next(now: Int64) -> Step {
        if open.isEmpty { return .idle }
        switch phase {
        case .waiting:
            if isOver(now: now) { return .over }
            guard let passedAt, waitsForPositions else {
                if !waitsForPositions { return .read(Array(open.keys)) }
                return .look(pause: hasLooked ? 200 : 0)
            }
            let left = passedAt + options.grace - now
            return left > 0 ? .look(pause: left) : .read(Array(open.keys))
        case .reading: return .read(Array(open.keys))
        case .lookingAgain: return .lookAgain
        case .readingLog(let ends):
            return .readLog(
                ends.reduce(into: [:]) { ranges, end in
                    let from = line[end.key] ?? positions?.starts[end.key] ?? 0
                    if end.value > from { ranges[end.key] = from..<end.value }
                })
        }
    }

    package mutating func stands(_ positions: GroupPositions, now: Int64) {
        (self.positions, hasLooked, lookedAt) = (positions, true, now)
        let behind = positions.behind(line)
        let sum = behind.reduce(0) { $0 &+ $1.records }
        // Groups that go on are progress. But where every round waits for them and settles nothing, that never ends.
        if sum < missing, isFresh { (progressAt, isInVain) = (now, false) }
        missing = min(missing, sum)
        guard behind.isEmpty else { return passedAt = nil }
        passedAt = passedAt ?? now
    }

    package mutating func read(_ readings: [DocumentKey: Reading], now: Int64) {
        for (key, reading) in readings { open[key]?.reading = reading }
        (readAt, phase) = (now, .lookingAgain)
    }

    package mutating func standsAfter(_ positions: GroupPositions, now: Int64) {
        self.positions = positions
        // A group that was set back may have written something older in between.
        guard positions.passed(line) || !waitsForPositions else { return restart() }
        phase = .readingLog(positions.ends)
    }

    /// A command concerns this document, under whatever routing.
    package mutating func commanded(_ key: DocumentKey) {
        for key in names[Name(entry: key.entry, id: key.id)] ?? [] { open[key]?.isCommanded = true }
    }

    /// `ends`: the offsets behind the last records that were read, of the partitions that had any; nil: the log could
    /// not be read as far as it was to be. Returns what is final now.
    package mutating func readLog(_ ends: [Int32: Int64]?, now: Int64) -> [Final] {
        guard let ends else {
            restart()
            return []
        }
        var finals: [Final] = []
        for (key, state) in open {
            guard let final = judge(key, state, now: now) else { continue }
            finals.append(final)
            remove(key)
        }
        for (partition, end) in ends { line[partition] = max(line[partition] ?? 0, end) }
        isFresh = !finals.isEmpty
        // To read takes its time, however many documents there are.
        progressAt = isFresh ? now : progressAt + max(0, now - max(lookedAt, progressAt))
        (missing, passedAt, phase, hasLooked) = (.max, nil, .waiting, false)
        return finals
    }

    private mutating func judge(_ key: DocumentKey, _ state: Open, now: Int64) -> Final? {
        var state = state
        defer {
            state.reading = nil
            state.isCommanded = false
            state.rounds += 1
            open[key] = state
        }
        guard let reading = state.reading, !state.isCommanded || !checksWindow else {
            state.first = nil
            return nil
        }
        guard case .differs(let digest) = reading else { return Final(key: key, reading: reading) }
        guard let first = state.first, first.digest == digest else {
            state.first = (digest, readAt)
            return nil
        }
        return readAt - first.at >= options.grace ? Final(key: key, reading: reading) : nil
    }

    /// The documents could not be read, or it could not be asked where the groups stand after that.
    package mutating func failed() { restart() }

    /// What was read counts for nothing, and the line stays.
    private mutating func restart() {
        for key in open.keys {
            open[key]?.reading = nil
            open[key]?.first = nil
            open[key]?.isCommanded = false
        }
        (passedAt, phase, hasLooked) = (nil, .waiting, true)
        isFresh = false
    }

    private mutating func remove(_ key: DocumentKey) {
        open[key] = nil
        let name = Name(entry: key.entry, id: key.id)
        names[name]?.removeAll { $0 == key }
        if names[name]?.isEmpty == true { names[name] = nil }
    }

    /// Gives back documents that commands keep coming for, so that others get their turn. They are not open any more.
    package mutating func postpone() -> [DocumentKey] {
        let hot = open.filter { $0.value.rounds >= options.rounds && $0.value.first == nil }.map(\.key)
        for key in hot { remove(key) }
        return hot
    }
}
