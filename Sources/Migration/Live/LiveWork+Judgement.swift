import Commands
import Foundation

extension LiveWork {
    /// The partitions as this process knows them, and the lag of those that it reads.
    func takePartitions(_ book: inout Book, into snapshot: inout WorkSnapshot) {
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

    /// Whether this process does its work, whether readers could be moved, and what to type next.
    func judge(_ book: Book, _ snapshot: inout WorkSnapshot) {
        if snapshot.replay == nil, let replay = book.state?.replay {
            snapshot.replay = WorkSnapshot.Replay(remaining: replay.remaining, isFinished: replay.finished != nil)
        }
        snapshot.ready.reasons = unready(book, snapshot)
        snapshot.switching.reasons = unfinished(book, snapshot)
        snapshot.next = next(book, snapshot)
    }

    private func unready(_ book: Book, _ snapshot: WorkSnapshot) -> [String] {
        guard let pipeline = book.pipeline else { return ["it is starting"] }
        if let error = pipeline.failure.value { return ["it has failed: \(error.message)"] }
        if Interruption.isAsked { return ["it is stopping"] }
        var reasons: [String] = []
        if let trouble = pipeline.sink.presentTrouble ?? book.targetTrouble {
            reasons.append("the target does not take writes: \(trouble)")
        }
        guard command != "copy" else { return reasons }
        if !snapshot.partitions.contains(where: \.isOwned) {
            reasons.append("no partition of topic \(snapshot.topic) is assigned to this process")
        } else if snapshot.lag == nil {
            reasons.append("the lag is not known\(book.watch?.waiting.map { ": \($0)" } ?? "")")
        }
        return reasons
    }

    private func unfinished(_ book: Book, _ snapshot: WorkSnapshot) -> [String] {
        var reasons: [String] = []
        let state = book.state
        if state?.replayDue == true { reasons.append("a replay is due: the target index was made again") }
        if prepared.survey.source != nil {
            if let copy = snapshot.copy {
                if !copy.isFinished {
                    reasons.append("the copy is not finished: \(copy.returned) of \(copy.expected) documents")
                }
            } else {
                reasons.append("nothing was copied yet")
            }
        }
        if let replay = snapshot.replay, !replay.isFinished {
            reasons.append("the replay is not finished: \(replay.remaining) records remain")
        }
        let running = snapshot.members.filter { !$0.isStale(now: snapshot.now) }
        if command != "follow", !running.contains(where: { $0.command == "follow" }) {
            reasons.append("nobody follows the topic")
        }
        if command == "follow" { reasons += behind(snapshot, running) }
        let letters = running.reduce(0) { $0 + $1.deadLettered }
        let written = max(snapshot.deadLetters.written, letters)
        if written > 0 { reasons.append("\(written) dead letters were written by what runs now: look at them first") }
        reasons += snapshot.alarms.map { "alarm \($0.name)" }
        if let waiting = snapshot.waiting { reasons.append("it waits: \(waiting)") }
        return reasons
    }

    /// What of the topic is not applied yet, here or by the other members.
    private func behind(_ snapshot: WorkSnapshot, _ running: [MemberReport]) -> [String] {
        var lag: Int64? = 0
        var unread: [Int32] = []
        for part in snapshot.partitions {
            if part.isOwned {
                lag = lag.flatMap { sum in part.lag.map { sum + $0 } }
                continue
            }
            let told = running.lazy.filter { $0.command == "follow" }.flatMap(\.partitions).first {
                $0.partition == part.partition && $0.isOwned
            }
            if let told {
                lag = lag.flatMap { sum in told.lag.map { sum + $0 } }
            } else {
                unread.append(part.partition)
            }
        }
        if !unread.isEmpty {
            return ["nobody follows partitions \(unread.map(String.init).joined(separator: ", "))"]
        }
        guard let lag else { return ["the lag is not known"] }
        return lag > 0 ? ["the lag is \(lag) records"] : []
    }

    private func next(_ book: Book, _ snapshot: WorkSnapshot) -> [String] {
        let recipe = prepared.recipe.typed
        var lines: [String] = []
        if !snapshot.deadLetters.reasons.isEmpty { lines.append("crossfade dead-letters list \(recipe)") }
        switch command {
        case "copy": lines.append("crossfade \(snapshot.copy?.isFinished == true ? "replay" : "copy") \(recipe)")
        case "replay": lines.append("crossfade follow \(recipe)")
        default:
            if prepared.survey.source != nil, snapshot.copy?.isFinished != true {
                lines.append("crossfade copy \(recipe)")
            } else if book.state?.replayDue == true || snapshot.replay?.isFinished == false {
                lines.append("crossfade replay \(recipe)")
            }
        }
        lines.append("crossfade status \(recipe)")
        return lines
    }
}

extension WorkSnapshot.Partition {
    init(_ counts: PartitionCounts) {
        self.init(partition: counts.partition)
        isOwned = counts.owned
        (start, position, committed) = (counts.start, counts.position, counts.committed)
        (read, inFlight) = (counts.read, counts.inFlight)
        outcomes = Outcome.allCases.map { counts.outcomes[$0] }
    }

    /// `end`: where the log ended when that was last asked. What was read since lies before its present end.
    mutating func measure(end asked: Int64?) {
        guard let asked else { return }
        let end = max(asked, position ?? 0)
        self.end = end
        lag = committed.map { max(0, end - $0) }
    }

    /// How old what is not applied yet can be: it is younger than the last record that was applied, and than the moment at
    /// which nothing was left to apply.
    func age(applied: Int64?, level: Int64?, now: Int64) -> Double? {
        guard let lag else { return nil }
        guard lag > 0 else { return 0 }
        let since = [applied, level].compactMap { $0 }.filter { $0 > 0 }.max()
        return since.map { Double(max(0, now - $0)) / 1000 }
    }
}

extension MigrationState.Replay {
    /// Records up to the frozen ends, by what was last kept of the progress.
    var remaining: Int64 {
        finished != nil ? 0 : end.reduce(0) { $0 + max(0, $1.value - max(position[$1.key] ?? 0, start[$1.key] ?? 0)) }
    }
}

extension MemberReport {
    var deadLettered: Int {
        outcomes.indices.contains(Outcome.deadLettered.rawValue) ? outcomes[Outcome.deadLettered.rawValue] : 0
    }
}
