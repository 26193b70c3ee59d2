import Cutover
import Planning
import State

/// Where a migration stands, as far as it is known, and what follows from that: the phase, whether readers may be
/// moved, what a person has to look at, and the command to type next. `status` and running work both use it.
package struct Standing: Sendable, Equatable {
    package enum Part: Sendable { case none, unfinished, done }

    /// The phase by the state; nil: `init` has not run.
    package var phase: MigrationState.Phase?
    /// What is left of a migration whose state is not there.
    package var traces = Traces()
    /// Whether the recipe still describes the confirmed work.
    package var isConfirmed = true
    package var hasSource = true
    /// Without commands there is no log that could be replayed or followed.
    package var hasCommands = true
    package var copy = Part.none
    /// Why the copy was stopped: its documents mostly became dead letters; nil: it was not.
    package var copyStopped: String?
    package var replay = Part.none
    /// The target index was made again, so it is complete only after a replay.
    package var replayDue = false
    package var repair = Part.none
    package enum Verified: Sendable, Equatable {
        /// Nothing was verified, at least not under this work.
        case never
        /// The newest verification says something else than `equal`.
        case notEqual(isDifferent: Bool, receipt: String)
        /// So many documents are different, and only because the old side has something else than the log says.
        case oldSideDiffers(Int, receipt: String)
        /// The newest receipt proves nothing any more, and why.
        case void(String)
        /// It is older than ``Standing/freshFor``.
        case old
        case fresh
    }

    package var verified = Verified.never
    /// Whether a copy or a repair has ended after the newest verification.
    package var hasWorkedSince = false
    /// Whether an alias of the readers was ever moved.
    package var hasCutOver = false
    /// Whether readers are on the new side now, at least some.
    package var isRolledOver = false
    /// The command that ends the migration and was broken off; nil: none was begun.
    package var ending: String?
    /// Why the readers are not where their aliases are; nil: they are, as far as is known.
    package var readersDue: String?
    /// Target indices that are gone, and those that are closed.
    package var missing: [String] = []
    package var closed: [String] = []
    /// Target indices that are others than those that `init` made or took over.
    package var remade: [String] = []
    /// The consumer group, for messages.
    package var group = ""
    /// Why the command topic could not be looked at; nil: it was, or there is none.
    package var logUnknown: String?
    /// That the group has committed more than the log holds, in words, by partition.
    package var beyondEnd: [String] = []
    /// Records that the group has still to acknowledge; nil: unknown.
    package var lag: Int64?
    /// The greatest possible age of the oldest of them, in seconds; nil: unknown.
    package var lagSeconds: Double?
    /// Dead letters that no redrive has resolved, by reason; nil: unknown.
    package var deadLetters: [String: Int]?
    /// Unresolved letters that nobody can read any more, in words.
    package var lostLetters: [String] = []
    /// Partitions that no follower reports as its own.
    package var unread: [Int32] = []
    /// Commands (`copy`, `replay`, `follow`) of the processes that run.
    package var running: Set<String> = []
    /// Processes that were killed, or hang, as text.
    package var lost: [String] = []
    /// What running processes wait for.
    package var waiting: [String] = []
    package var alarms: [Alarm] = []
    /// Gates of the rollover that fail because of the readers' aliases or the hold file, where somebody has looked.
    package var blocked: [Gate] = []

    package init() {}

    /// So many milliseconds a receipt counts as fresh: a verification a day.
    package static let freshFor: Int64 = 86_400_000

    /// A lag of less than so many seconds is no reason against moving the readers. While writers write there is always
    /// a little lag.
    package static let lagAllowed = 5.0

    // MARK: The phase

    /// The phase as one word for programs: what runs now, or where the migration was left.
    package var phaseName: String {
        guard let phase else { return "planned" }
        if running.contains("follow") { return "following" }
        if running.contains("replay") { return "replaying" }
        if running.contains("copy") { return "copying" }
        switch phase {
        case .created, .copied: return phase.rawValue
        case .copying: return copy == .done ? "copied" : copyStopped == nil ? "copy_interrupted" : "copy_stopped"
        case .replaying: return replay == .done ? "replayed" : "replay_interrupted"
        case .following: return "stopped"
        }
    }

    /// The phase in words for people.
    package var phaseText: String {
        let now = [("copy", "copying"), ("replay", "replaying"), ("follow", "following")].filter {
            running.contains($0.0)
        }
        if phase != nil, !now.isEmpty { return now.map(\.1).joined(separator: " and ") }
        switch phaseName {
        case "planned": return plannedText
        case "copy_interrupted": return "the copy was interrupted"
        case "copy_stopped": return "the copy was stopped: " + (copyStopped ?? "")
        case "replay_interrupted": return "the replay was interrupted"
        case "replayed": return "replayed, nobody follows"
        case "stopped": return "nobody follows"
        default: return phaseName
        }
    }

    private var plannedText: String {
        let place = "see docs/cutover.md, \"If the state is gone\""
        let seen = traces.all.joined(separator: ", ")
        if isStateGone { return "its state is gone: a migration was here (\(seen)); \(place)" }
        guard seen.isEmpty else {
            return "not initialised, but a migration was here (\(seen)): it was finished, or its state is gone; "
                + place
        }
        return "planned, not initialised"
    }

    /// Whether somebody has deleted the state of a migration that was not finished.
    package var isStateGone: Bool { phase == nil && !traces.unfinished.isEmpty }

    /// Whether work was begun that no process goes on with.
    package var isLeft: Bool {
        ["copy_interrupted", "copy_stopped", "replay_interrupted", "stopped"].contains(phaseName)
    }

    /// Whether there is a migration, and no copy, replay or follower runs.
    package var isIdle: Bool { phase != nil && running.isDisjoint(with: ["copy", "replay", "follow"]) }

    // MARK: Readers

    /// Why readers must not be moved to the target now; empty: they may be moved.
    package var reasonsAgainstSwitch: [String] {
        gates(recipe: "", fingerprint: "").filter { $0.verdict == .failed }.map(\.text)
    }

    package var isReadyToSwitch: Bool { reasonsAgainstSwitch.isEmpty }

    static let unconfirmed = "the recipe says other work than was confirmed"
    static let topicAway = "the command topic cannot be looked at"
    static let due = "a replay is due: the target index was made again"

    var indexReasons: [String] {
        missing.map { "the target index \($0) is gone" } + closed.map { "the target index \($0) is closed" }
            + remade.map { "the target index \($0) is not the one that was filled: somebody made it again" }
    }

    var letterReasons: [String] {
        guard let deadLetters else {
            let why = logUnknown == nil ? "" : ": \(Self.topicAway)"
            return ["it is not known whether there are dead letters" + why]
        }
        let count = deadLetters.values.reduce(0, +)
        return count > 0 ? ["\(count) dead letter\(count == 1 ? "" : "s") unresolved"] : []
    }

    /// Whether the lag is so small that a verification does not wait for it.
    package var isCurrent: Bool { lagReason == nil }

    var lagReason: String? {
        guard hasCommands else { return nil }
        if let first = beyondEnd.first { return first }
        guard let lag else {
            return logUnknown == nil ? "the lag is unknown" : "the lag is not known: \(Self.topicAway)"
        }
        guard lag > 0, (lagSeconds ?? .infinity) > Self.lagAllowed else { return nil }
        let seconds = lagSeconds.map { ", \(Int($0.rounded(.up))) s" } ?? ""
        return "the lag is \(lag) record\(lag == 1 ? "" : "s")\(seconds)"
    }

    // MARK: People

    /// Problems that do not pass by waiting, so that a person has to look; empty: there are none. A migration that was
    /// only created has no problem. It lacks only the next command.
    package var attention: [String] {
        var found = indexReasons
        guard phase != nil else { return isStateGone ? found + [phaseText] : found }
        if !isConfirmed { found.append(Self.unconfirmed) }
        if replayDue, !running.contains("replay") { found.append(Self.due) }
        switch phaseName {
        case "copy_interrupted", "copy_stopped", "replay_interrupted": found.append(phaseText)
        case "copied" where !replayDue && hasCommands: found.append("copied, and nobody replays")
        case "stopped", "replayed": found.append("nobody follows")
        default: break
        }
        if let readersDue { found.append(readersDue) }
        if isRepairBroken { found.append("the repair was interrupted, and nothing is purged before it ends") }
        found += waiting
        found += lost
        if let logUnknown {
            found.append("\(Self.topicAway): \(logUnknown)")
        } else if !beyondEnd.isEmpty {
            found += beyondEnd
        } else if lag == nil, shouldFollow {
            found.append("the lag is unknown")
        }
        found += letterReasons + lostLetters
        if let wrongReceipt { found.append(wrongReceipt) }
        return found + alarms.map { "alarm \($0.name): \($0.text)" }
    }

    /// That the newest verification found documents wrong, where nothing has been done about it; nil: it did not, or
    /// what is different is none of the new side's faults any more.
    private var wrongReceipt: String? {
        guard !hasWorkedSince else { return nil }
        switch verified {
        // Without commands, nothing keeps the old side current once the readers have moved.
        case .notEqual(isDifferent: true, let receipt) where hasCommands || !isRolledOver:
            return "the newest verification found documents wrong: receipt \(receipt)"
        case .oldSideDiffers(let count, let receipt) where !isRolledOver:
            return "receipt \(receipt): \(count) document\(count == 1 ? "" : "s") different, left as log_agrees"
        default: return nil
        }
    }

    private var isRepairBroken: Bool { repair == .unfinished && !running.contains("verify") }

    /// Whether somebody follows or should follow. Then the lag must be known.
    private var shouldFollow: Bool {
        hasCommands && (running.contains("follow") || phase == .following || phaseName == "replayed")
    }

    // MARK: The next command

    package var isCopyDue: Bool { hasSource && copy != .done }

    package var isReplayDue: Bool {
        replayDue || replay == .unfinished || (replay == .none && !running.contains("follow"))
    }

    /// The command lines to type next, in order; empty: there is nothing to do. `fingerprint`: of the present recipe,
    /// for
    /// `init`. `recipe`: as it is typed (``Recipe/typed``).
    package func next(recipe: String, fingerprint: String) -> [String] {
        // No command goes on without it.
        guard !isStateGone else { return [] }
        guard phase != nil else { return ["crossfade plan \(recipe)"] }
        if let ending { return ["crossfade \(ending) \(recipe) --yes"] }
        // No command of Crossfade opens an index. That takes the cluster's own API.
        guard closed.isEmpty else { return [] }
        guard missing.isEmpty else {
            // An index that readers search cannot be filled behind them.
            if isRolledOver { return ["crossfade rollback \(recipe) --accept-loss"] }
            return ["crossfade init \(recipe) --confirm \(fingerprint)"]
        }
        guard isConfirmed else { return ["crossfade plan \(recipe)"] }
        var lines = readersDue == nil ? [] : ["crossfade rollover \(recipe)"]
        if isCopyDue, !running.contains("copy") {
            lines.append("crossfade copy \(recipe)")
        } else if !hasCommands {
            // Nothing more reads the source.
        } else if isReplayDue, !running.contains("replay"), !running.contains("copy") {
            lines.append("crossfade replay \(recipe)")
        } else if running.subtracting(["verify"]).isEmpty {
            lines.append("crossfade follow \(recipe)")
        }
        if isRepairBroken { lines.append("crossfade verify \(recipe) --repair --yes") }
        if deadLetters?.values.contains(where: { $0 > 0 }) == true || !lostLetters.isEmpty {
            lines.append("crossfade dead-letters list \(recipe)")
        }
        // Without commands, a repair would put back what the old side last had.
        if shouldVerify, hasCommands || !isRolledOver || !foundWrong {
            lines.append("crossfade verify \(recipe)" + (foundWrong ? " --repair" : ""))
        }
        if lines.isEmpty, verified == .fresh, isReadyToSwitch, !hasCutOver, !running.contains("verify") {
            lines.append("crossfade rollover \(recipe)")
        }
        return lines
    }

    /// Whether everything is on the new side, and nobody has proved that of late. A follower must run, where there are
    /// commands: a document is judged only once both sides have applied its commands.
    private var shouldVerify: Bool {
        verified != .fresh && (running.contains("follow") || !hasCommands) && running.isDisjoint(with: ["copy"])
            && !running.contains("verify") && repair != .unfinished
            && (!hasSource || copy == .done) && replay != .unfinished && !replayDue && lagReason == nil
    }
}
