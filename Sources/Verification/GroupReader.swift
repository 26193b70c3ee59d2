import CommandLog
import Failures
import Foundation
import LogGuard
import Parity
import Planning
import Recipe
import Runtime
import State
import Telemetry

/// Asks where both consumer groups stand, and what the topic holds. One thread at a time.
package final class GroupReader {
    private let prepared: Preflight
    private let store: StateStore
    /// Without a client there are no commands, and the log is as one without partitions.
    private let clients: LogClients
    private var admin: LogAdmin? { clients.admin }
    private let partitions: [Int32]

    /// What is compared with the log alone does not wait for the application.
    package let basis: Receipt.Basis
    /// What was found of ``cleanupPolicy()``; nil: it was not asked for yet.
    private var policy: String??

    package init(_ prepared: Preflight, against basis: Receipt.Basis = .source, logger: Logger) throws {
        (self.prepared, self.basis) = (prepared, basis)
        store = StateStore(target: prepared.survey.target, name: prepared.recipe.name)
        clients = try prepared.clients ?? LogClients(prepared.recipe, logger)
        partitions = prepared.survey.topic.partitions
    }

    /// Ends the clients that nobody has lent. No other call may follow.
    package func close() { if prepared.clients == nil { clients.close() } }

    /// Asks both groups, then for the ends of the log: what was applied lies before them.
    ///
    /// Crossfade stands where its group has committed, or where the replay of this epoch stands, whichever is further.
    /// In a partition with neither, it stands where the log is to be read from: the copy holds what was before.
    package func look() throws -> GroupPositions {
        guard let admin else { return GroupPositions(application: nil, crossfade: [:], starts: [:], ends: [:]) }
        let commands = prepared.recipe.commands
        let group = basis == .source && prepared.recipe.source != nil ? commands.applicationGroup : nil
        let application = try group.map { group in
            try Told.by { () throws(LogError) in
                try admin.committed(group: group, topic: commands.topic, partitions: partitions)
            }
        }
        var own = prepared.start
        let state = try store.load()
        let committed = try admin.committedOffsets(
            group: commands.group, topic: commands.topic, partitions: partitions)
        for (partition, offset) in committed where isOurs(offset, partition, state) {
            own[partition] = max(own[partition] ?? 0, offset.offset)
        }
        if let replay = state?.replay, replay.epoch == commands.format.epoch {
            own.merge(replay.position) { max($0, $1) }
        }
        let marks = try (clients.whole ?? admin).watermarks(commands.topic, partitions: partitions)
        return GroupPositions(
            application: application?.value, crossfade: own, starts: marks.mapValues(\.low),
            ends: marks.mapValues(\.high))
    }

    /// The same for the begin of a comparison in masses: what both groups had applied is written when it returns, also
    /// by an application that commits up to `grace` milliseconds before it writes. Then the sides are to be refreshed.
    package func begin(grace: Int64) throws -> GroupPositions {
        let positions = try look()
        // Of an application that nobody names, nothing is known after any time.
        let end = MonotonicClock.milliseconds() + (positions.application == nil ? 0 : grace)
        while MonotonicClock.milliseconds() < end {
            guard !StopSignal.isAsked else { throw WorkError(.interrupted, "interrupted before anything was compared") }
            Thread.sleep(forTimeInterval: 0.05)
        }
        return positions
    }

    /// `cleanup.policy` of the topic; nil: it is not known.
    package func cleanupPolicy() throws -> String? {
        if let policy { return policy }
        guard let admin else { return "delete" }
        let topic = prepared.recipe.commands.topic
        let found = try Told.by { () throws(LogError) in try admin.configuration(of: topic) }.value?["cleanup.policy"]
        policy = .some(found)
        return found
    }

    /// Whether somebody is in the application's group; nil: the brokers do not say it.
    var applicationHasMembers: Bool? {
        prepared.recipe.commands.applicationGroup.flatMap { try? admin?.groupHasMembers($0, timeout: 5) }
    }

    /// Whether nobody runs who could get this group on; false: somebody does, or the servers do not say it.
    func isAbandoned(_ who: GroupPositions.Behind.Who) -> Bool {
        switch who {
        case .application: return applicationHasMembers == false
        case .crossfade:
            guard (try? admin?.groupHasMembers(prepared.recipe.commands.group, timeout: 5)) == false,
                let members = try? MemberDirectory(store, target: prepared.survey.target).read()
            else { return false }
            let now = WallClock.now()
            return !members.contains { ["replay", "follow"].contains($0.command) && !$0.isStale(now: now) }
        }
    }

    /// What the log does not hold any more, as it stood at `positions`.
    package func losses(at positions: GroupPositions) throws -> LogLosses {
        // A recipe whose old cluster is gone says nothing of the copy that was made.
        let copy = try store.load()?.copy
        let hasCopy = copy.map { $0.slices.contains { $0.returned > 0 } } ?? (prepared.recipe.source != nil)
        return LogLosses(
            topic: prepared.recipe.commands.topic, starts: positions.starts, policy: try cleanupPolicy(),
            hasCopy: hasCopy)
    }

    /// An offset that was committed for another log counts only where the survey has found it to be good for this one.
    private func isOurs(_ offset: CommittedOffset, _ partition: Int32, _ state: MigrationState?) -> Bool {
        guard let note = CommitNote(text: offset.note) else { return true }
        guard state?.holds(note) ?? true else { return false }
        return note.epoch == prepared.recipe.commands.format.epoch || prepared.survey.committed[partition] != nil
    }

    /// What cannot be excluded, because the application's group is not known; nil: it is.
    package var remark: String? {
        let survey = prepared.survey
        guard basis == .source, prepared.recipe.source != nil else { return nil }
        guard prepared.recipe.hasCommands else {
            return "the recipe names no command topic, so nobody can tell a document that the application changed in "
                + "the source after the copy from one that the copy missed: both count as different"
        }
        if let group = prepared.recipe.commands.applicationGroup {
            guard let why = survey.applicationUnknown ?? survey.applicationWithout else { return nil }
            return "it is not known where the application's group \(group) stands (\(why)): \(Self.unexcluded)"
        }
        return "commands.application_group is not named: \(Self.unexcluded)"
    }

    /// That the application's indexer can never apply what retention has taken, in words; nil: it has missed nothing,
    /// or ``remark`` says that it is not known.
    func lost(_ positions: GroupPositions?) -> String? {
        guard remark == nil, basis == .source, positions?.application?.isEmpty == false else { return nil }
        return positions?.sourceDoubt.map { "\($0): the old side may lack documents that the new side has by right" }
    }

    private static let unexcluded =
        "a document may count as different that the application has still to write to the old side, or as equal "
        + "although a command is lost that it has still to write there"
}
