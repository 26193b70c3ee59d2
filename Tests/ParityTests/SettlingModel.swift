import Parity
import Seeds

/// A log, two appliers that lag, and writers, in virtual time. The old side is always right; the new side sometimes
/// loses a command or writes something else.
struct SettlingModel {
    struct Command { var id: Int, content: Int?, offset: Int64 }

    struct Side {
        /// What a get shows.
        var now: [Int: Int] = [:]
        /// What a get would show if no command had been lost or spoiled.
        var right: [Int: Int] = [:]
        /// What a search shows.
        var shown: [Int: Int] = [:]
        /// Records that were taken, and what is committed.
        var taken: [Int32: Int64] = [:]
        var committed: [Int32: Int64] = [:]
        var pausedUntil: Int64 = 0
        /// Commands that are taken and not written yet, in order.
        var writes: [(at: Int64, command: Command)] = []
        var commits: [(at: Int64, partition: Int32, offset: Int64)] = []
    }

    static let ids = 14
    static let partitions: Int32 = 2
    static let tick: Int64 = 40

    var seed: Seeded
    var time: Int64 = 0
    var log: [Int32: [Command]] = [:]
    var ends: [Int32: Int64] = [0: 0, 1: 0]
    var source = Side()
    var target = Side()
    var isWriting = true
    let commitsBefore: Bool
    let speed: Int

    init(_ seed: UInt64) {
        self.seed = Seeded(seed)
        commitsBefore = self.seed.chance(50)
        speed = self.seed.pick([3, 10, 30])
    }

    /// What all commands in the log so far come to.
    func truth(_ id: Int) -> Int? {
        log[Int32(id % 2)]?.last { $0.id == id }?.content
    }

    /// The offset of the last command of the id, in all of the log or before some ends; nil: there is none.
    func lastOffset(_ id: Int, before ends: [Int32: Int64] = [:]) -> Int64? {
        let partition = Int32(id % 2)
        return log[partition]?.last { $0.id == id && $0.offset < ends[partition] ?? .max }?.offset
    }

    mutating func advance(_ milliseconds: Int64) {
        let end = time + milliseconds
        while time < end {
            time += Self.tick
            write()
            apply(\.source, commitsBefore: commitsBefore, damages: false)
            apply(\.target, commitsBefore: false, damages: true)
        }
    }

    mutating func refresh() { (source.shown, target.shown) = (source.now, target.now) }

    private mutating func write() {
        if seed.chance(2) { source.shown = source.now }
        if seed.chance(2) { target.shown = target.now }
        guard isWriting, seed.chance(speed) else { return }
        // Some ids are hot.
        let id = seed.chance(40) ? seed.below(2) : seed.below(Self.ids)
        let partition = Int32(id % 2)
        let content: Int? = seed.chance(15) ? nil : seed.below(3)
        let offset = ends[partition] ?? 0
        log[partition, default: []].append(Command(id: id, content: content, offset: offset))
        // Sometimes a control record stands behind it.
        ends[partition] = offset + (seed.chance(20) ? 2 : 1)
    }

    private mutating func apply(
        _ path: WritableKeyPath<SettlingModel, Side>, commitsBefore: Bool, damages: Bool
    ) {
        var side = self[keyPath: path]
        defer { self[keyPath: path] = side }
        if seed.chance(1), side.pausedUntil < time { side.pausedUntil = time + Int64(seed.below(4000)) }
        for partition in 0..<Self.partitions where side.pausedUntil < time && seed.chance(60) {
            guard let next = log[partition]?.first(where: { $0.offset >= side.taken[partition] ?? 0 }) else { continue }
            side.taken[partition] = next.offset + 1
            let later = time + Int64(seed.below(900))
            let last = side.writes.last?.at ?? 0
            side.writes.append((max(last, commitsBefore ? later : time), next))
            side.commits.append((commitsBefore ? time : max(last, later), partition, next.offset + 1))
        }
        while let first = side.writes.first, first.at <= time {
            side.writes.removeFirst()
            side.right[first.command.id] = first.command.content
            if damages, seed.chance(6) {
                if seed.chance(50) { side.now[first.command.id] = 7 }
                continue
            }
            side.now[first.command.id] = first.command.content
        }
        // The new side commits nothing that is not written.
        for commit in side.commits where commit.at <= time {
            side.committed[commit.partition] = max(side.committed[commit.partition] ?? 0, commit.offset)
        }
        side.commits.removeAll { $0.at <= time }
    }

    var positions: GroupPositions {
        GroupPositions(
            application: source.committed, crossfade: target.committed, starts: [0: 0, 1: 0], ends: ends)
    }

    /// Offsets behind the last records in the ranges, and the ids that commands name there.
    func read(_ ranges: [Int32: Range<Int64>]) -> (ends: [Int32: Int64], ids: Set<Int>) {
        var found: (ends: [Int32: Int64], ids: Set<Int>) = ([:], [])
        for (partition, range) in ranges {
            for command in log[partition] ?? [] where range.contains(command.offset) {
                found.ends[partition] = command.offset + 1
                found.ids.insert(command.id)
            }
        }
        return found
    }
}
