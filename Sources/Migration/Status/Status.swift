import CommandLog
import Commands
import DeadLetters
import Foundation
import Indexing
import JSONText
import Parity
import Pipeline
import Planning
import Recipe
import Runtime
import State
import Telemetry

/// `status`: where the migration stands.
package struct Status: Sendable {
    package struct Partition: Sendable {
        package var partition: Int32
        package var committed: Int64?
        package var end: Int64
        /// Records the group has still to acknowledge; nil while it has committed nothing.
        package var lag: Int64?
        /// Whether more is committed than the log holds. Then nobody knows what the offset means.
        package var isBeyondEnd = false
        /// Which running follower has it; nil: none says so.
        package var holder: MemberReport?
        /// What the members that run now say of it, together; all 0 when none does.
        package var read = 0
        package var inFlight = 0
        package var outcomes = Array(repeating: 0, count: Outcome.allCases.count)
    }

    package let prepared: Preflight
    package let partitions: [Partition]
    /// Processes that run, and those that were killed within the last hour.
    package let members: [MemberReport]
    /// What was found of the dead letters, also for the next look.
    package let letters: Letters
    package var standing: Standing
    /// How the last work ended that is to go on, or why it was refused; nil: it runs, or that is not known.
    package private(set) var lastStop: HistoryEvent?
    /// When it was looked, milliseconds since 1970.
    package let now: Int64

    /// Looks at everything.
    /// - Parameters:
    ///   - purpose: under `status` a command topic that cannot be looked at is left unknown; under `cutover` it is an
    ///     error.
    ///   - letters: what is known of the dead letters already; nil: they are read.
    package static func look(
        _ recipe: Recipe, for purpose: Purpose = .status, letters: Letters? = nil, logger: Logger
    ) throws -> Status {
        let begun = MonotonicClock.milliseconds()
        let prepared = try Preflight.prepare(recipe, for: purpose, depth: .facts, logger: logger)
        let survey = prepared.survey
        let letters =
            try letters
            ?? Letters.read(recipe, tally: survey.state?.letters, unlessAway: survey.logUnknown, logger: logger)
        let store = StateStore(target: survey.target, name: recipe.name)
        let members = survey.state == nil ? [] : (try? MemberDirectory(store, target: survey.target).read()) ?? []
        var status = Status(prepared, members: members, letters: letters, now: WallClock.now())
        if let lag = status.lag, lag > 0, status.standing.running.contains("follow") {
            let passed = try awaitEnds(prepared, logger: logger)
            let seconds = Double(MonotonicClock.milliseconds() - begun) / 1000
            status = Status(
                prepared, members: members, letters: letters, lagSeconds: passed ? seconds : nil, now: status.now)
        }
        if status.standing.isIdle {
            let history = try? HistoryStore(store, target: survey.target, logger: logger).load()
            status.lastStop = history?.lastStop(isLeft: status.standing.isLeft)
        }
        return status
    }

    /// Waits until the group has acknowledged everything that was there when it was looked at: then no record that is
    /// behind is older than that. False after 3 s.
    private static func awaitEnds(_ prepared: Preflight, logger: Logger) throws -> Bool {
        let recipe = prepared.recipe
        let admin = try LogAdmin(settings: recipe.kafkaSettings, log: logger.kafka)
        defer { admin.close() }
        let ends = prepared.survey.watermarks.filter { $0.value.high > $0.value.low }.mapValues(\.high)
        let deadline = MonotonicClock.milliseconds() + 3000
        repeat {
            let committed = try? admin.committed(
                group: recipe.commands.group, topic: recipe.commands.topic, partitions: Array(ends.keys), timeout: 3)
            if let committed, ends.allSatisfy({ (committed[$0.key] ?? -1) >= $0.value }) { return true }
            Thread.sleep(forTimeInterval: 0.2)
        } while MonotonicClock.milliseconds() < deadline && !StopSignal.isAsked
        return false
    }

    private init(
        _ prepared: Preflight, members: [MemberReport], letters: Letters, lagSeconds: Double? = nil, now: Int64
    ) {
        (self.prepared, self.members, self.letters, self.now) = (prepared, members, letters, now)
        let survey = prepared.survey
        let running = members.filter { !$0.isStale(now: now) }
        partitions = survey.watermarks.sorted { $0.key < $1.key }.map { partition, mark in
            Self.partition(partition, mark, committed: survey.committed[partition], running)
        }
        var standing = Standing(prepared, running: running, now: now)
        standing.lag = partitions.reduce(0) { sum, part in sum.flatMap { sum in part.lag.map { sum + $0 } } }
        standing.logUnknown = survey.logUnknown?.description
        standing.beyondEnd = partitions.filter(\.isBeyondEnd).map {
            Self.beyondEnd(prepared.recipe.commands.group, $0.partition, $0.committed ?? 0, end: $0.end)
        }
        if !standing.hasCommands || survey.logUnknown != nil { standing.lag = nil }
        standing.lagSeconds = standing.lag == 0 ? 0 : lagSeconds
        (standing.deadLetters, standing.lostLetters) = (letters.unresolved, letters.lost)
        standing.unread = partitions.filter { $0.holder == nil }.map(\.partition)
        standing.lost = members.filter { $0.isStale(now: now) }.map {
            "\($0.command) of \($0.host) (process \($0.pid)) has not been heard of for \($0.age(now: now)) s"
        }
        self.standing = standing
    }

    private static func partition(
        _ number: Int32, _ mark: (low: Int64, high: Int64), committed: Int64?, _ running: [MemberReport]
    ) -> Partition {
        let isBeyond =
            committed.map { LogRails.end(0, applied: $0, log: LogExtent(low: mark.low, high: mark.high)) != nil }
            ?? false
        var found = Partition(
            partition: number, committed: committed, end: mark.high,
            lag: isBeyond
                ? nil : committed.map { max(0, mark.high - max($0, mark.low)) } ?? (mark.high == mark.low ? 0 : nil),
            isBeyondEnd: isBeyond)
        for member in running {
            for part in member.partitions where part.partition == number {
                if member.command == "follow", part.isOwned { found.holder = found.holder ?? member }
                found.read = OutsideNumber.sum([found.read, part.read])
                found.inFlight = OutsideNumber.sum([found.inFlight, part.inFlight])
                for at in found.outcomes.indices where at < part.outcomes.count {
                    found.outcomes[at] = OutsideNumber.sum([found.outcomes[at], part.outcomes[at]])
                }
            }
        }
        return found
    }

    /// What is wrong with an offset behind the end of the log.
    package static func beyondEnd(_ group: String, _ partition: Int32, _ committed: Int64, end: Int64) -> String {
        "partition \(partition): group \(group) has committed offset \(committed), but the log ends at \(end). It was "
            + "recreated or lost its tail, or somebody has set the group's offsets; `crossfade plan` says what to do"
    }

    /// What the running members cry about.
    package var alarms: [Alarm] { standing.alarms }

    /// Sum over the partitions; nil when one is unknown.
    package var lag: Int64? { standing.lag }
}

extension Standing {
    /// As far as the survey and the running members tell; lag and dead letters are still unknown. `state`: as it is by
    /// now; nil: the survey's.
    package init(_ prepared: Preflight, state: MigrationState? = nil, running: [MemberReport], now: Int64) {
        let survey = prepared.survey
        let state = state ?? survey.state
        phase = state?.phase
        if state == nil { traces = survey.traces(prepared.recipe) }
        isConfirmed = state == nil || state?.fingerprint == prepared.fingerprint
        hasSource = survey.hasSource
        hasCommands = prepared.recipe.hasCommands
        copy = state?.copy.map { $0.finished == nil ? .unfinished : .done } ?? .none
        copyStopped = state?.copy.flatMap { $0.finished == nil ? $0.stopped : nil }
        replay = state?.replay.map { $0.finished == nil ? .unfinished : .done } ?? .none
        replayDue = state?.replayDue == true && hasCommands
        readersDue = state?.cutover.openReaders?.words
        if state?.cutover.end == .cancelled { ending = "cancel" }
        if state?.cutover.end == .finished { ending = "finish" }
        hasCutOver = state.map { $0.cutover.position != .before } ?? false
        isRolledOver = state.map { !$0.cutover.moved.isEmpty } ?? false
        repair = state?.repair.map { $0.finished == nil ? .unfinished : .done } ?? .none
        if let newest = state?.newestReceipt(of: prepared.fingerprint) {
            hasWorkedSince = [state?.copy?.finished, state?.repair?.finished].contains { ($0 ?? 0) > newest.ended }
            if newest.verdict == .different, let count = newest.oldSideDiffers {
                verified = .oldSideDiffers(count, receipt: newest.id)
            } else if newest.verdict != .equal {
                verified = .notEqual(isDifferent: newest.verdict == .different, receipt: newest.id)
            } else if let why = newest.voided {
                verified = .void("receipt \(newest.id) proves nothing any more: \(why)")
            } else if let copied = state?.copy?.finished, copied > newest.ended {
                verified = .void("receipt \(newest.id) proves nothing any more: \(ReceiptVoid.copied.words)")
            } else {
                verified = now - newest.oldestRead > Self.freshFor ? .old : .fresh
            }
        }
        if survey.state != nil {
            missing = survey.entries.filter { !$0.exists }.map(\.index)
            closed = survey.entries.filter(\.isClosed).map(\.index)
            remade = survey.entries.filter { state?.isRemade($0.index, uuid: $0.uuid) == true }.map(\.index)
        }
        self.running = Set(running.map(\.command))
        waiting = running.compactMap { member in member.trouble.map { "\(member.command) waits: \($0)" } }
        alarms = running.flatMap(\.alarms)
    }
}

extension Preflight {
    /// What to type after work that left the state like this: the same again when it was interrupted. This process does
    /// not count as running any more.
    package func next(after state: MigrationState, letters: [String: Int], store: StateStore) -> [String] {
        let pid = Int(ProcessInfo.processInfo.processIdentifier)
        let host = ProcessInfo.processInfo.hostName
        let members = (try? MemberDirectory(store, target: survey.target).read()) ?? []
        let now = WallClock.now()
        let others = members.filter { !$0.isStale(now: now) && ($0.pid, $0.host) != (pid, host) }
        var standing = Standing(self, state: state, running: others, now: now)
        // What was confirmed with this very command is confirmed.
        standing.isConfirmed = true
        standing.deadLetters = letters
        return standing.next(recipe: recipe.typed, fingerprint: fingerprint)
    }
}
