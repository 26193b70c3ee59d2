import Basics
import CommandLog
import Foundation
import Recipe
import Runtime

/// Explains why the application's consumer group has committed nothing on the topic. Most often its name is mistyped.
package enum ApplicationGroup {
    /// `groups`: the groups that the brokers name; nil: we may not ask.
    package static func without(_ group: String, topic: String, groups: [String]?) -> String {
        let nothing = "group \(group) (commands.application_group) has committed nothing on topic \(topic)"
        guard let groups else { return "\(nothing): check the name" }
        if groups.contains(group) {
            return "\(nothing), though there is such a group: check the name, or let it commit"
        }
        let near = NearestWord.to(group, among: groups).map { "; did you mean \"\($0)\"?" } ?? ": check the name"
        return "\(nothing), and there is no such group\(near)"
    }

    /// What the group that is to go on (`cutover.handover`) is, once it has no members. A new indexer has often not run
    /// yet. But a group that nobody ever saw may be a misspelt one.
    /// - Parameters:
    ///   - hasCommitted: whether it has offsets of the topic.
    ///   - groups: those that the brokers name; nil: we may not ask.
    package static func handover(_ group: String, hasCommitted: Bool, groups: [String]?) -> String {
        guard !hasCommitted, let groups, !groups.contains(group) else { return "group \(group) has no members" }
        let near = NearestWord.to(group, among: groups).map { "; did you mean \"\($0)\"?" } ?? ": check the name"
        return "there is no group \(group) (cutover.handover) yet, and finish makes it\(near)"
    }

    /// Asks the brokers for their groups and explains; nil: the group has committed something.
    package static func look(
        _ group: String, topic: String, committed: [Int32: Int64]?, admin: LogAdmin
    ) -> String? {
        guard let committed, committed.isEmpty else { return nil }
        return without(group, topic: topic, groups: try? admin.groups())
    }
}

extension Survey {
    /// Whether the application's indexer runs: its group has members, or its offsets move. One that takes its
    /// partitions itself is no member. nil: no group is named.
    package func applicationRuns(_ recipe: Recipe, _ admin: LogAdmin) throws(LogError) -> Bool? {
        guard let group = recipe.commands.applicationGroup else { return nil }
        if try admin.groupHasMembers(group, timeout: 5) { return true }
        guard let before = application, let lag = applicationLag, lag > 0 else { return false }
        let deadline = MonotonicClock.milliseconds() + 2000
        while true {
            let now = try admin.committed(
                group: group, topic: recipe.commands.topic, partitions: Array(watermarks.keys), timeout: 5)
            if now.contains(where: { $0.value > before[$0.key] ?? -1 }) { return true }
            guard MonotonicClock.milliseconds() < deadline, !StopSignal.isAsked else { return false }
            Thread.sleep(forTimeInterval: 0.2)
        }
    }

    /// Why we cannot check that the log still reaches back to what the old index had applied; nil: we can, or there is
    /// no old index. `plan` and `status` both use this text.
    package func reachUnknown(_ recipe: Recipe) -> String? {
        guard recipe.source != nil else { return nil }
        if state?.recorded == nil, let why = applicationUnknown {
            return
                "it is not known where group \(recipe.commands.applicationGroup ?? "-") stands, so it cannot be "
                + "checked that "
                + "the log still reaches back to what the old index had applied: \(why)"
        }
        guard recorded(recipe)?.isEmpty ?? true else { return nil }
        return
            "\(whyNotRecorded(recipe)), so it cannot be checked that the log still reaches back to what the old index "
            + "had "
            + "applied when the copy began"
    }

    package func whyNotRecorded(_ recipe: Recipe) -> String {
        guard let group = recipe.commands.applicationGroup else { return "commands.application_group is not named" }
        if state?.copy != nil, state?.recorded == nil {
            return
                "the copy began before commands.application_group was named, so it is not known where group \(group) "
                + "stood "
                + "then"
        }
        return applicationWithout ?? "group \(group) had committed nothing when the copy began"
    }
}
