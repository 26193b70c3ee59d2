import Commands
import Foundation
import Indexing
import Pipeline
import Runtime
import State

extension LiveWork {
    /// Fills in the partitions as this process knows them, and the lag of those that it reads.
    package func takePartitions(_ book: inout Book, into snapshot: inout WorkSnapshot) {
        guard command != "copy" else { return }
        let replay = command == "replay" ? book.state?.replay : nil
        let ends = replay?.end ?? book.watch?.ends
        let applied = book.watch?.appliedTimes ?? [:]
        var parts: [Int32: WorkSnapshot.Partition] = [:]
        for partition in prepared.survey.topic.partitions {
            parts[partition] = WorkSnapshot.Partition(partition: partition)
        }
        for counts in book.pipeline?.ledger.partitions() ?? [] {
            var part = WorkSnapshot.Partition(counts)
            if counts.owned { part.measure(end: ends?[counts.partition]) }
            if part.lag == 0 { book.level[part.partition] = snapshot.now }
            if part.inFlight == 0 || book.settled[part.partition]?.offset != part.committed {
                book.settled[part.partition] = (part.committed, snapshot.now)
            }
            let stands = Double(snapshot.now - (book.settled[part.partition]?.at ?? snapshot.now)) / 1000
            snapshot.oldestUnsettled = max(snapshot.oldestUnsettled ?? 0, stands)
            part.lagSeconds = part.age(
                applied: applied[part.partition], level: book.level[part.partition], now: snapshot.now)
            parts[counts.partition] = part
        }
        snapshot.partitions = parts.values.sorted { $0.partition < $1.partition }
        let owned = snapshot.partitions.filter(\.isOwned)
        guard !owned.isEmpty else { return }
        snapshot.lag = owned.reduce(0) { sum, part in sum.flatMap { sum in part.lag.map { sum + $0 } } }
        if snapshot.lag != nil, owned.allSatisfy({ $0.lagSeconds != nil }) {
            snapshot.lagSeconds = owned.compactMap(\.lagSeconds).max()
        }
        if let replay {
            snapshot.replay = WorkSnapshot.Replay(
                remaining: snapshot.lag ?? replay.remaining, isFinished: replay.finished != nil)
        }
    }

    /// Judges whether this process does its work, whether readers could be moved, and what to type next. The rules are
    /// those of `status`.
    package func judge(_ book: Book, _ snapshot: inout WorkSnapshot) {
        if snapshot.replay == nil, let replay = book.state?.replay {
            snapshot.replay = WorkSnapshot.Replay(remaining: replay.remaining, isFinished: replay.finished != nil)
        }
        // Only the dead-letter topic tells whether a redrive has resolved them. A follower looks that up.
        if command == "follow" {
            snapshot.deadLetters.unresolved = book.letters?.present(snapshot.deadLetters.reasons)
        }
        snapshot.ready.reasons = unready(book, snapshot)
        let standing = standing(book, snapshot)
        snapshot.switching.reasons = standing.reasonsAgainstSwitch
        if standing.isIdle { snapshot.lastStop = book.history?.lastStop(isLeft: standing.isLeft) }
        let recipe = prepared.recipe.typed
        snapshot.next =
            standing.next(recipe: recipe, fingerprint: prepared.fingerprint) + ["crossfade status \(recipe)"]
        // The phase is that of this process, whatever other processes do.
        var own = standing
        if book.pipeline != nil { own.running = [command] }
        if !StopSignal.isAsked { snapshot.phase = own.phaseName }
    }

    private func unready(_ book: Book, _ snapshot: WorkSnapshot) -> [String] {
        guard let pipeline = book.pipeline else { return book.stage == nil ? ["it is starting"] : [] }
        if let error = pipeline.failure.value { return ["it has failed: \(error.message)"] }
        if StopSignal.isAsked { return ["it is stopping"] }
        var reasons: [String] = []
        if let trouble = Self.targetTrouble(book, now: MonotonicClock.milliseconds()) {
            reasons.append("the target does not take writes: \(trouble)")
        }
        guard command != "copy" else { return reasons }
        if !snapshot.partitions.contains(where: \.isOwned) {
            // A member without partitions stands by. That is its work, as long as the group is there.
            guard !events.hasAssignment else { return reasons + (book.watch?.waiting.map { [$0] } ?? []) }
            reasons.append("no partition of topic \(snapshot.topic) is assigned to this process")
        } else if snapshot.lag == nil || book.watch?.ends == nil {
            reasons.append("the lag is unknown\(book.watch?.waiting.map { ": \($0)" } ?? "")")
        }
        return reasons
    }

    /// The standing of the migration as far as this process knows it.
    private func standing(_ book: Book, _ snapshot: WorkSnapshot) -> Standing {
        let running = snapshot.members.filter { !$0.isStale(now: snapshot.now) }
        var standing = Standing(prepared, state: book.state, running: running, now: snapshot.now)
        standing.running.insert(command)
        // The work would not run otherwise.
        (standing.isConfirmed, standing.missing, standing.closed) = (true, [], [])
        if let copy = snapshot.copy { standing.copy = copy.isFinished ? .done : .unfinished }
        if let replay = snapshot.replay { standing.replay = replay.isFinished ? .done : .unfinished }
        takeLag(snapshot, running, &standing)
        if let waiting = snapshot.waiting, !standing.waiting.contains(where: { $0.hasSuffix(waiting) }) {
            standing.waiting.append("\(command) waits: \(waiting)")
        }
        standing.alarms = snapshot.alarms
        let letters = snapshot.deadLetters
        standing.deadLetters = command == "follow" ? letters.unresolved : letters.reasons
        standing.lostLetters = book.letters?.lost ?? []
        return standing
    }

    /// Adds up the lag of this process and of the other followers.
    private func takeLag(_ snapshot: WorkSnapshot, _ running: [MemberReport], _ standing: inout Standing) {
        var lag: Int64? = 0
        var seconds: Double? = 0
        for part in snapshot.partitions {
            let isOurs = command == "follow" && part.isOwned
            let told = running.lazy.filter { $0.command == "follow" }.flatMap(\.partitions).first {
                $0.partition == part.partition && $0.isOwned
            }
            if !isOurs, told == nil { standing.unread.append(part.partition) }
            let behind = isOurs ? part.lag : told?.lag
            lag = lag.flatMap { sum in behind.map { sum + $0 } }
            let age = isOurs ? part.lagSeconds : behind == 0 ? 0 : nil
            seconds = seconds.flatMap { worst in age.map { max(worst, $0) } }
        }
        // A copy does not read the topic.
        guard !snapshot.partitions.isEmpty else { return }
        (standing.lag, standing.lagSeconds) = (lag, lag == nil ? nil : seconds)
    }
}

extension WorkSnapshot.Partition {
    package init(_ counts: PartitionCounts) {
        self.init(partition: counts.partition)
        isOwned = counts.owned
        (start, position, committed) = (counts.start, counts.position, counts.committed)
        (read, inFlight) = (counts.read, counts.inFlight)
        outcomes = Outcome.allCases.map { counts.outcomes[$0] }
    }

    /// `asked`: the end of the log by the last answer. Records read since then lie before its present end.
    package mutating func measure(end asked: Int64?) {
        guard let asked else { return }
        let end = max(asked, position ?? 0)
        self.end = end
        lag = committed.map { max(0, end - $0) }
    }

    /// The greatest possible age, in seconds, of a record that is not applied yet. Such a record is younger than the
    /// last applied record, and younger than the moment at which everything was applied.
    package func age(applied: Int64?, level: Int64?, now: Int64) -> Double? {
        guard let lag else { return nil }
        guard lag > 0 else { return 0 }
        let since = [applied, level].compactMap { $0 }.filter { $0 > 0 }.max()
        return since.map { Double(max(0, now - $0)) / 1000 }
    }
}

extension MigrationState.Replay {
    /// Records up to the frozen ends, by the progress that was last kept.
    package var remaining: Int64 {
        finished != nil ? 0 : end.reduce(0) { $0 + max(0, $1.value - max(position[$1.key] ?? 0, start[$1.key] ?? 0)) }
    }
}

extension LiveWork.Letters {
    /// The letters that are unresolved now: those found at the last look, and those that this process has `written`
    /// since.
    package func present(_ written: [String: Int]) -> [String: Int] {
        unresolved.merging(written) { $0 + $1 }.merging(own) { $0 - $1 }.filter { $0.value > 0 }
    }
}
