import Foundation
import Migration
import Parity
import Planning
import Runtime
import State

/// What does not run, or has not run, and keeps a verification from coming to an end.
extension VerifyWork {
    /// The first thing first, each in words. What the servers do not say now is left out.
    func needs(_ positions: GroupPositions) -> [(need: Receipt.Need, words: String)] {
        let store = StateStore(target: prepared.survey.target, name: recipe.name)
        guard let state = try? store.load() else { return [] }
        let now = WallClock.now()
        let members = try? MemberDirectory(store, target: prepared.survey.target).read()
        let running = (members ?? []).filter { !$0.isStale(now: now) }
        let standing = Standing(prepared, state: state, running: running, now: now)
        let isBehind = positions.behind(positions.ends).contains { $0.who == .crossfade }
        return standing.needs(isBehind: members != nil && isBehind)
    }

    /// At once, and not after all was read and waited for.
    func warn(_ needs: [(need: Receipt.Need, words: String)]) {
        for need in needs {
            logger.warning(
                "both sides cannot be alike yet", ["because": need.words, "next": "crossfade \(need.need.rawValue)"])
        }
    }

    /// That the application's indexer stands still although commands wait for it, in words; nil: it does not.
    ///
    /// - Parameters:
    ///   - before: where the groups stood `seconds` ago.
    ///   - hasMembers: nil: the brokers do not say it.
    static func stillIndexer(
        _ group: String, before: GroupPositions, now: GroupPositions, seconds: Int64, hasMembers: Bool?
    ) -> String? {
        guard now.applicationStandsStill(since: before) else { return nil }
        let members = hasMembers == false ? "has no members and " : ""
        let advice = hasMembers == false ? "start the application's indexer" : "look at the application's indexer"
        return "the group \(group) \(members)has not moved for \(seconds) s, although commands wait for it: \(advice)"
    }

    /// Notes in the receipt what has to run before more can be said. `seconds`: how long ago `before` was.
    func note(
        _ receipt: inout Receipt, _ groups: GroupReader, before: GroupPositions, now: GroupPositions?, seconds: Int64
    ) {
        guard ![.equal, .empty].contains(receipt.verdict) else { return }
        let found = needs(now ?? before)
        receipt.needs = found.map(\.need)
        receipt.remarks += found.map(\.words)
        guard receipt.totals.settling > 0, let group = recipe.commands.applicationGroup, let now,
            let words = Self.stillIndexer(
                group, before: before, now: now, seconds: seconds, hasMembers: groups.applicationHasMembers)
        else { return }
        receipt.needs.append(.indexer)
        receipt.remarks.append(words)
    }
}

extension Standing {
    /// What has to run before both sides can be alike, in words. `isBehind`: commands wait for Crossfade.
    func needs(isBehind: Bool) -> [(need: Receipt.Need, words: String)] {
        if hasSource, copy != .done {
            if running.contains("copy") { return [(.copy, "the copy still runs")] }
            return [(.copy, copy == .none ? "the copy has not run" : "the copy is not finished")]
        }
        if !running.contains("replay"), replayDue || replay == .unfinished {
            return [(.replay, replayDue ? "a replay is due" : "the replay is not finished")]
        }
        guard isBehind, running.isDisjoint(with: ["follow", "replay"]) else { return [] }
        if replay == .none, hasSource { return [(.replay, "the replay has not run, and nobody follows")] }
        return [(.follow, "nobody follows: no process applies the commands that wait for Crossfade")]
    }
}
