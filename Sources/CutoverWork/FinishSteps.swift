import CommandLog
import Cutover
import Failures
import JSONText
import Migration
import Planning
import Recipe
import Runtime
import SearchCluster
import State

/// The steps of the end, one at a time. Each looks what is left to do, so that it may be repeated.
struct FinishSteps {
    let session: CutoverSession
    let state: MigrationState
    let offsets: [Int32: Int64]
    private var recipe: Recipe { session.recipe }
    private var writer: TargetWriter { session.target.writer }
    private var leftovers: LogLeftovers { LogLeftovers(recipe: recipe, logger: session.logger) }

    /// What a step is about to do, or has done: in words that follow "would" or a verb.
    struct Deed: Sendable, Equatable {
        var would: String
        var did: String
    }

    /// What the step would do now; empty: nothing.
    func look(_ step: Ending.Step) throws -> [Deed] {
        switch step {
        case .members: return []
        case .handover: return [handoverDeed]
        case .writes:
            return try targets().flatMap { index in
                let own = TargetAliases(index: index)
                let present = try writer.aliases(of: index)
                return [own.log, own.copy].filter { present[$0] != nil }.map { removal("alias \($0)") }
            }
        case .tombstones:
            return try targets().map { index in
                let count = try session.target.reader.count(index, query: Capabilities.tombstones())
                let text = "\(count) tombstones of \(index)"
                return Deed(would: "purge \(text)", did: "purged \(text)")
            }
        case .readers: return try readers().deeds
        case .group where !recipe.hasCommands, .deadLetters where !recipe.hasCommands: return []
        case .group: return [removal("consumer group \(recipe.commands.group)")]
        case .deadLetters: return [removal("topic \(recipe.deadLetterTopic)")]
        case .oldSide:
            return try OldSide(session, state.cutover.moved).present().map {
                Deed(
                    would: "delete the old index \($0.index) (UUID \($0.uuid ?? ""))",
                    did: "deleted the old index \($0.index) (UUID \($0.uuid ?? ""))")
            }
        }
    }

    private func removal(_ what: String) -> Deed { Deed(would: "remove \(what)", did: "removed \(what)") }

    private var handoverDeed: Deed {
        let places = offsets.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: " ")
        let text = "group \(recipe.cutover.handover ?? "") to our offsets (\(places))"
        return Deed(would: "set \(text)", did: "set \(text)")
    }

    /// Takes the step. Returns what was done.
    func take(_ step: Ending.Step) throws -> [Deed] {
        switch step {
        case .members:
            let gate = try FinishLook.members(state, session)
            guard gate.verdict == .passed else {
                throw WorkError(.refused, "\(gate.text): stop it, then run finish again")
            }
            return []
        case .handover: return try handOver()
        case .writes: return try closeWrites()
        case .tombstones: return try purge()
        case .readers:
            let found = try readers()
            if !found.actions.isEmpty { try writer.updateAliases(.array(found.actions)) }
            return found.deeds
        case .group: return try leftovers.deleteGroup() ? try look(step) : []
        case .deadLetters: return try leftovers.deleteDeadLetters() ? try look(step) : []
        case .oldSide:
            let deeds = try look(step)
            for place in try OldSide(session, state.cutover.moved).present() { try writer.deleteIndex(place.index) }
            return deeds
        }
    }

    /// The target indices that are still those that `init` made.
    private func targets() throws -> [String] {
        try state.uuids.sorted { $0.key < $1.key }.filter { try writer.indexUUID($0.key) == $0.value }.map(\.key)
    }

    private func handOver() throws -> [Deed] {
        guard let group = recipe.cutover.handover else { return [] }
        let admin = try LogAdmin(settings: recipe.kafkaSettings, log: session.logger.kafka)
        defer { admin.close() }
        let topic = recipe.commands.topic
        func stands() throws -> Bool {
            let now = try admin.committed(group: group, topic: topic, partitions: Array(offsets.keys))
            return offsets.allSatisfy { (now[$0.key] ?? -1) >= $0.value }
        }
        // It was begun by the user, after the offsets were set and before that was written down.
        if try admin.groupHasMembers(group) {
            guard try stands() else {
                throw WorkError(
                    .refused,
                    "group \(group) has members by now, so its offsets cannot be set: stop them, then run finish again")
            }
            return [handoverDeed]
        }
        try admin.commit(group: group, topic: topic, offsets: offsets)
        guard try stands() else {
            throw WorkError(.log, "the offsets of group \(group) were set, and the broker does not show them")
        }
        return [handoverDeed]
    }

    /// Leaves one way to write, which only the last purge uses.
    private func closeWrites() throws -> [Deed] {
        let deeds = try look(.writes)
        for index in try targets() {
            let own = TargetAliases(index: index)
            let present = try writer.aliases(of: index)
            var actions = [own.log, own.copy].filter { present[$0] != nil }.map { AliasAction.remove($0, index) }
            if present[own.purge] == nil { actions.append(AliasAction.add(own.purge, index)) }
            if !actions.isEmpty { try writer.updateAliases(.array(actions)) }
        }
        return deeds
    }

    private func purge() throws -> [Deed] {
        let indices = try targets()
        let purge = session.prepared.lastPurge(of: indices, logger: session.logger)
        let report = try purge.run(before: nil) { StopSignal.isAsked }
        guard report.complete else { throw WorkError(.interrupted, "interrupted while tombstones were purged") }
        for index in indices {
            try writer.refresh(index)
            let left = try session.target.reader.count(index, query: Capabilities.tombstones())
            guard left == 0 else {
                throw WorkError(.cluster, "\(left) tombstones are still in \(index): run finish again")
            }
        }
        let text = "\(report.purged) tombstones"
        return [Deed(would: "purge \(text)", did: "purged \(text)")]
    }

    /// The readers' aliases without the filter that hides tombstones, and Crossfade's own aliases gone: one request.
    private func readers() throws -> (actions: [JSONValue], deeds: [Deed]) {
        var actions: [JSONValue] = []
        var deeds: [Deed] = []
        let hiding = session.target.capabilities.notTombstone
        for move in state.cutover.moved {
            for (index, definition) in try writer.indices(behind: move.alias) {
                guard move.to.contains(where: { $0.index == index }),
                    let shown = AliasMove.showing(definition.object ?? [:], hiding: hiding)
                else { continue }
                actions.append(AliasAction.add(move.alias, index, shown))
                let text = "the filter that hides tombstones off alias \(move.alias) of \(index)"
                deeds.append(Deed(would: "take \(text)", did: "took \(text)"))
            }
        }
        for index in try targets() {
            let own = TargetAliases(index: index)
            let present = try writer.aliases(of: index)
            for alias in [own.readers, own.purge] where present[alias] != nil {
                actions.append(AliasAction.remove(alias, index))
                if alias == own.readers { deeds.append(removal("alias \(alias)")) }
            }
        }
        // Those on the state index go with it.
        for (alias, index) in try Turn.aliases(session) where index != session.store.index {
            actions.append(AliasAction.remove(alias, index))
            deeds.append(removal("alias \(alias)"))
        }
        return (actions, deeds)
    }
}

extension Turn {
    /// All markers of the migration that are there, with their indices.
    static func aliases(_ session: CutoverSession) throws -> [(alias: String, index: String)] {
        try aliases(session.store, session.target.writer)
    }

    static func aliases(_ store: StateStore, _ writer: TargetWriter) throws -> [(alias: String, index: String)] {
        let prefix = prefix(store.index)
        return try writer.aliases(beginning: prefix).filter {
            OutsideNumber.count(text: $0.alias.dropFirst(prefix.count)) != nil
        }
    }
}
