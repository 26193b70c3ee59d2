import CommandLog
import Failures
import Foundation
import JSONText
import LogGuard
import Recipe
import Runtime
import State
import Telemetry

/// Whether the consumer group is this migration's alone. A copied recipe with the same `name` and another target would
/// take partitions away from the first migration, and neither would write all commands.
package enum GroupRail {
    /// For a migration that nobody has initialised: nothing of its group can be its own. nil: the group is free, or the
    /// brokers do not tell.
    ///
    /// - Parameter notes: what stands beside the group's offsets. An offset without a note of Crossfade was set by
    ///   hand, on purpose.
    package static func judge(
        _ recipe: Recipe, members: [LogAdmin.GroupMember], notes: [CommitNote]
    ) -> Rail? {
        let group = recipe.commands.group
        var found: [String] = []
        if !members.isEmpty { found.append("\(words(members)) now") }
        if !notes.isEmpty {
            let works = Set(notes.compactMap(\.mark?.fingerprint)).sorted()
            found.append(
                "offsets that other work has committed"
                    + (works.isEmpty ? "" : " (fingerprint \(works.joined(separator: ", ")))"))
        }
        guard !found.isEmpty else { return nil }
        let over = members.isEmpty ? "; or, if that work is over, delete the group" : ""
        return Rail(
            name: "group", verdict: .refused,
            detail: "migration \(recipe.name) is new on this target, and its consumer group \(group) has "
                + "\(found.joined(separator: ", and ")): they are of another migration with this name, or of another "
                + "application, and a follower would take partitions away from it. Give this migration another "
                + "`name`, or name another group in `commands.group`\(over)")
    }

    static func look(_ recipe: Recipe, _ survey: Survey, admin: LogAdmin) throws(LogError) -> Rail? {
        guard survey.state == nil else { return nil }
        let commands = recipe.commands
        let members = try Told.by { () throws(LogError) in try admin.members(of: commands.group) }
        let committed = try Told.by { () throws(LogError) in
            try admin.committedOffsets(
                group: commands.group, topic: commands.topic, partitions: survey.topic.partitions)
        }
        return judge(
            recipe, members: members.value ?? [],
            notes: (committed.value ?? [:]).values.compactMap { CommitNote(text: $0.note) })
    }

    /// `2 members (crossfade at /10.0.0.7, crossfade at /10.0.0.8)`.
    package static func words(_ members: [LogAdmin.GroupMember]) -> String {
        let all = members.map { "\($0.client) at \($0.host)" }.sorted()
        let shown = all.prefix(3).joined(separator: ", ") + (all.count > 3 ? ", ..." : "")
        return "\(members.count) member\(members.count == 1 ? "" : "s") (\(shown))"
    }
}

/// Whether all members of the group are followers that the migration's state knows.
package struct GroupCheck {
    /// The brokers drop a killed follower after its session timeout, by default 45 s. Milliseconds until then, with
    /// some reserve.
    static func patience(_ recipe: Recipe) -> Int64 {
        (recipe.kafkaSettings.passthrough["session.timeout.ms"].flatMap { OutsideNumber.time(text: $0) } ?? 45_000)
            + 5_000
    }

    /// Members that no follower of ours can be, in number.
    package static func strangers(
        members: Int, reports: [MemberReport], fate: (MemberReport) -> ProcessMark.Fate
    ) -> Int {
        max(0, members - reports.count { $0.command == "follow" && !$0.isOwn && fate($0) != .isGone })
    }

    /// Waits until the group has no other members than known followers. Throws if it still has some when a killed one
    /// would have been dropped. Must be asked before this process joins the group, and after it has reported itself, so
    /// that two that start together know of each other.
    ///
    /// A group with static members is not checked: they stay in it after their process has ended.
    package static func wait(_ prepared: Preflight, admin: LogAdmin, logger: Logger, beat: () -> Void = {}) throws {
        let recipe = prepared.recipe
        guard recipe.kafkaSettings.passthrough["group.instance.id"] == nil else { return }
        let directory = MemberDirectory(prepared.store, target: prepared.survey.target)
        let end = MonotonicClock.milliseconds() + patience(recipe)
        var isTold = false
        while !StopSignal.isAsked {
            beat()
            // What cannot be told now is no reason to stand still.
            guard let members = try? admin.members(of: recipe.commands.group), !members.isEmpty,
                let reports = try? directory.read()
            else { return }
            let strangers = strangers(members: members.count, reports: reports) { $0.process?.fate ?? .unknown }
            guard strangers > 0 else { return }
            guard MonotonicClock.milliseconds() < end else {
                throw Refusal.groupIsShared(
                    recipe.commands.group, migration: recipe.name, members: GroupRail.words(members),
                    known: members.count - strangers
                ).error()
            }
            if !isTold {
                logger.info(
                    "the group has members that are no known followers; waiting whether they are killed ones",
                    ["group": recipe.commands.group, "strangers": strangers])
                isTold = true
            }
            Thread.sleep(forTimeInterval: 0.5)
        }
    }
}
