import CommandLog
import Commands
import Failures
import Foundation
import JSONText
import LogGuard
import Recipe
import Schema
import SearchCluster
import State
import Telemetry

/// The state of everything that the recipe names. Looking changes nothing.
package struct Survey: Sendable {
    /// One entry of the recipe with what was found for it.
    package struct Entry: Sendable {
        package var recipe: Recipe.IndexEntry
        /// The source indices of the migration, and which of those that `from` names are new or gone.
        package var scope: SourceScope
        /// The same indices as the source describes them; empty without a source, and while it was not looked at.
        package var source: [IndexInfo]
        /// The filters through which `from` shows source indices, by the index. Whether a filter decides what is copied
        /// stands in the index itself.
        package var filters: [String: JSONValue] = [:]
        /// What the target's alias for readers shows besides hiding tombstones; nil: everything.
        package var shown: JSONValue?
        /// Why the alias for readers cannot show the same part as `from`; nil: it can.
        package var unshown: String?
        /// Says filters of the old indices in words of the new one.
        package var rewrite: FilterRewrite
        /// Target index; with `{index}` filled in.
        package var index: String
        /// Closed indices that `from` also matches. They cannot be read.
        package var closed: [String]
        /// Hidden indices that `from` would also match. A pattern does not mean them.
        package var hidden: [String]
        /// Whether the recipe's own mapping requires routing; nil: it does not say.
        package var declaredRouting: Bool?
        /// How the existing target index keeps its documents; nil: there is no index.
        package var storage: SourceStorage?
        /// Whether the existing target index requires routing; nil: there is no index.
        package var requiresRouting: Bool?
        /// The target index as it is; nil: it does not exist, or is closed.
        package var present: IndexInfo?
        /// Documents in the source now; 0 while it was not looked at.
        package var documents: Int
        /// The mapping that the target index gets.
        package var mapping: JSONObject
        /// Whether the mapping is the source's, because the recipe has none.
        package var mappingFromSource: Bool
        package var settings: JSONValue?
        /// What the target adds to the index by itself.
        package var templates = TemplateLook()
        /// Whether the target index exists, and how many documents and how many tombstones it holds.
        package var exists: Bool
        /// The index exists but is closed, so its content is unknown.
        package var isClosed = false
        package var held: Int
        package var tombstones: Int
        /// Whether these could be counted.
        package var isCounted = true
        /// nil: there is no index of that name.
        package var uuid: String?
    }

    package var target: Cluster
    /// nil: there is none, or it was not looked at.
    package var source: Cluster?
    /// Why the source could not be looked at; nil: it was, or was not asked.
    package var sourceUnknown: String?
    /// Whether the recipe has a source.
    package var hasSource: Bool
    package var topic: TopicDescription
    /// Per partition the first offset and the last stable offset.
    package var watermarks: [Int32: (low: Int64, high: Int64)]
    /// The application's own group's offsets, when the recipe names it.
    package var application: [Int32: Int64]?
    /// Whether the application's own group has members now; nil: that is not known, or was not asked.
    package var applicationHasMembers: Bool?
    /// Why the application's offsets are unknown; nil: they are known, or no group is named.
    package var applicationUnknown: String?
    /// An explanation if the application's group has committed nothing; nil: it has.
    package var applicationWithout: String?
    /// Why the command topic could not be looked at; nil: it was, or was not asked, or there is none.
    package var logUnknown: LogError?
    /// Why our own group's offsets are not known.
    package var committedUnknown: String?
    /// Our group's offsets that belong to this log and epoch.
    package var committed: [Int32: Int64]
    /// Whether the log is the one that was read before.
    package var history: LogHistory
    /// Per partition the end of the log, including records of open transactions.
    package var ends: [Int32: Int64]
    package var entries: [Entry]
    /// Aliases of the recipe that are names of indices on the target.
    package var targetNames: Set<String>
    /// Names of the recipe that stand for a data stream of the target, each with that one.
    package var dataStreams: [String: String] = [:]
    package var state: MigrationState?
    /// What the target would add to the index of the state; nil: that is there.
    package var stateTemplates: TemplateLook?
    /// What the target did not let us ask; only `status` goes on without an answer.
    package var untold: [String] = []
    /// Whether the readers could go back; nil: they were not moved, or it was not looked at.
    package var wayBack: WayBack?
    /// Whether target indices that are there already are to be taken as they are (`--adopt`).
    package var adopts = false

    /// Looks at everything that the purpose needs. Throws if something cannot be reached or is missing. The rails judge
    /// what is there but wrong.
    package static func look(
        _ recipe: Recipe, for purpose: Purpose, isConfirming: Bool = false, clients: LogClients?, logger: Logger
    ) throws -> Survey {
        let admin = clients?.admin
        var log = try LogLook.begin(recipe, admin, isSpared: purpose.sparesLog)
        let target = try recipe.connectTarget()
        let state = try StateStore(target: target, name: recipe.name).load()
        let known = KnownSources(state?.work)
        let use = SourceUse.of(
            purpose, recipe: recipe, state: state, isKnown: known.knows(recipe), isConfirming: isConfirming)
        let source = try SourceLook.take(
            use, recipe, state: state, refreshes: purpose == .copy, logger: logger)
        try log.rest(recipe, state, clients, logger: logger)
        var entries: [Entry] = []
        let untold = Untold(isLenient: purpose.isLenient)
        for (place, entry) in recipe.indices.enumerated() {
            entries += try look(
                entry, recipe, confirmed: known[entry], found: source[place],
                copy: purpose == .copy ? state?.copy?.finished == nil && state?.copy != nil ? .goesOn : .begins : .none,
                made: Set(state?.indices ?? []), target: target, from: source.cluster?.capabilities, untold)
        }
        var survey = Survey(
            target: target, source: source.cluster, sourceUnknown: source.unknown, hasSource: recipe.source != nil,
            topic: log.topic, watermarks: log.watermarks, application: log.application?.value,
            applicationUnknown: log.application?.why, applicationWithout: log.applicationWithout,
            logUnknown: log.unknown, committedUnknown: log.committedUnknown, committed: log.history.committed,
            history: log.history, ends: log.ends,
            entries: entries, targetNames: try namesOfIndices(recipe, target, untold), state: state,
            stateTemplates: state == nil
                ? TemplateLook.take(".crossfade-\(recipe.name)", own: nil, present: nil, target: target) : nil,
            untold: untold.texts)
        if purpose == .plan || purpose == .initialise { survey.findDataStreams() }
        if purpose.isLenient {
            if let group = recipe.commands.applicationGroup, survey.logUnknown == nil {
                survey.applicationHasMembers = admin.flatMap { try? $0.groupHasMembers(group, timeout: 5) }
            }
            let found = survey
            survey.wayBack = WayBack.look(
                survey, recipe,
                runs: found.logUnknown == nil ? admin.flatMap { try? found.applicationRuns(recipe, $0) } : nil)
        }
        return survey
    }

    private mutating func findDataStreams() {
        let read = entries.flatMap { $0.recipe.aliases.isEmpty ? [$0.recipe.from ?? ""] : $0.recipe.aliases }
        let names = entries.map(\.index) + read
        for name in Set(names) where !name.isEmpty && !name.contains("*") && !name.contains(",") {
            dataStreams[name] = target.reader.dataStream(named: name)
        }
    }

    /// Aliases of the recipe that are names of indices on the target.
    private static func namesOfIndices(
        _ recipe: Recipe, _ target: Cluster, _ untold: Untold
    ) throws -> Set<String> {
        var names: Set<String> = []
        for alias in Set(recipe.indices.flatMap(\.aliases))
        // An alias is found, too. Only an index has a UUID under its own name.
        where try isIndex(alias, target, untold) {
            names.insert(alias)
        }
        return names
    }

    /// False where we may not ask. The rail `rights` says so then, and the rollover asks again.
    private static func isIndex(_ name: String, _ target: Cluster, _ untold: Untold) throws -> Bool {
        do {
            return try untold.ask(nil) { try target.writer.indexUUID(name) } != nil
        } catch let error as ClusterError where error.code == .forbidden {
            return false
        }
    }

    private static func look(
        _ entry: Recipe.IndexEntry, _ recipe: Recipe, confirmed: [KnownSources.Item]?,
        found: SourceLook.Found?, copy: SourceScope.Copy, made: Set<String>, target: Cluster, from: Capabilities?,
        _ untold: Untold
    ) throws -> [Entry] {
        let there = entry.from == nil ? [] : found?.indices.map(\.name)
        let scope = SourceScope(confirmed: confirmed?.flatMap(\.from), there: there, copy: copy)
        guard entry.from != nil, entry.to.contains("{index}") else {
            return [
                try make(
                    entry, scope, found, confirmed ?? [], index: entry.to, recipe, made: made, target: target,
                    from: from, untold)
            ]
        }
        return try scope.names.enumerated().map { place, name in
            let index = entry.to.replacingOccurrences(of: "{index}", with: name)
            var own = scope
            (own.names, own.gone) = ([name], scope.gone.filter { $0 == name })
            if place > 0 { own.fresh = [] }
            return try make(
                entry, own, found, confirmed ?? [], index: index, recipe, made: made, target: target, from: from,
                untold)
        }
    }

    private static func make(
        _ entry: Recipe.IndexEntry, _ scope: SourceScope, _ look: SourceLook.Found?,
        _ confirmed: [KnownSources.Item], index: String, _ recipe: Recipe, made isMade: Set<String>, target: Cluster,
        from: Capabilities?, _ untold: Untold
    ) throws -> Entry {
        let found = look?.indices.filter { scope.names.contains($0.name) } ?? []
        let writer = target.writer
        let exists = try untold.ask(isMade.contains(index)) { try writer.indexExists(index) }
        var isClosed = false
        var present: IndexInfo?
        do {
            present = exists ? try untold.ask(nil) { try target.reader.resolve(index).first } : nil
        } catch let error as ClusterError {
            guard error.code == .indexClosed else { throw error }
            isClosed = true
        }
        let base = try entry.mapping.map { try JSONValue(parsing: $0) }
        let own = base.map(TargetMapping.bare)
        // The target index has the source's mapping, too, while the source is not looked at.
        let theirs = found.first ?? (entry.from == nil ? nil : present)
        let mapping = try TargetMapping.complete(
            own ?? theirs.map { TargetMapping.bare($0.mappings) } ?? JSONObject(), index: entry.to,
            transform: entry.transform, routingRequired: recipe.commands.format.requiresRouting, fromSource: own == nil,
            tombstoneProperties: target.capabilities.tombstoneProperties)
        var made = Entry(
            recipe: entry, scope: scope, source: found,
            rewrite: Entry.rewrite(
                entry, found, present.map { TargetMapping.bare($0.mappings) } ?? mapping, from: from,
                to: target.capabilities),
            index: index, closed: look?.closed ?? [], hidden: look?.hidden ?? [],
            declaredRouting: own?["_routing"]?["required"].flatMap { $0.bool ?? $0.string.map { $0 == "true" } },
            documents: found.reduce(0) { $0 + Int($1.liveCount) },
            mapping: mapping, mappingFromSource: own == nil,
            settings: try entry.settings.map { try JSONValue(parsing: $0) }, exists: exists, isClosed: isClosed,
            held: 0, tombstones: 0)
        if !isClosed {
            made.templates = TemplateLook.take(index, own: made.settings, present: present, target: target)
        }
        for name in scope.names {
            let isKept = look == nil || scope.gone.contains(name)
            made.filters[name] = isKept ? confirmed.lazy.compactMap { $0.filters[name] }.first : look?.filters[name]
        }
        made.showsAsSource()
        guard exists else { return made }
        made.uuid = try untold.ask(nil) { try writer.indexUUID(index) }
        guard !isClosed else { return made }
        made.present = present
        made.requiresRouting = present?.routingRequired
        made.storage = present?.storage
        try count(&made, target, untold)
        return made
    }

    private static func count(_ made: inout Entry, _ target: Cluster, _ untold: Untold) throws {
        do {
            let counts = try untold.ask(nil) {
                (
                    held: Int(try target.reader.count(made.index, query: target.capabilities.notTombstone)),
                    tombstones: Int(try target.reader.count(made.index, query: Capabilities.tombstones()))
                )
            }
            (made.held, made.tombstones) = counts ?? (0, 0)
            made.isCounted = counts != nil
        } catch let error as ClusterError {
            guard error.code == .indexClosed else { throw error }
            made.isClosed = true
        }
    }

    /// The entries that read the same documents of an index as the entry at `place`, itself among them, by the index;
    /// only where there are several. Two aliases with different filters show different documents.
    package func sharing(_ place: Int) -> [String: [Int]] {
        var sharing: [String: [Int]] = [:]
        for index in entries[place].source {
            let others = entries.indices.filter { other in
                entries[other].source.contains { $0.name == index.name && $0.filter == index.filter }
            }
            if others.count > 1 { sharing[index.name] = others }
        }
        return sharing
    }

    // MARK: The work

    /// The parts under the fingerprint.
    package func work(_ recipe: Recipe) -> JSONValue {
        var entries: [JSONValue] = []
        for entry in self.entries {
            var members = JSONObject()
            members["index"] = .string(entry.index)
            members["from"] = .array(entry.scope.names.map { .string($0) })
            members["mapping"] = entry.mappingFromSource ? "the source's" : .object(entry.mapping)
            members["settings"] = entry.settings ?? .null
            if !entry.filters.isEmpty {
                let filters = entry.filters.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
                members["filters"] = .object(JSONObject(filters))
            }
            entries.append(.object(members))
        }
        return [
            "recipe": Self.meaning(recipe),
            "indices": .array(entries),
            "source": source.map { .string($0.permanentID) } ?? (hasSource ? state?.work["source"] : nil) ?? .null,
            "target": .string(target.permanentID),
            "topic": recipe.hasCommands
                ? confirmedTopic(recipe) ?? [
                    "name": .string(recipe.commands.topic), "id": topic.topicID.map { .string($0) } ?? .null,
                    "partitions": .number(topic.partitions.count),
                    "cluster": topic.clusterID.map { .string($0) } ?? .null,
                ] : .null,
        ]
    }

    /// The topic as it was confirmed, where it was not looked at.
    private func confirmedTopic(_ recipe: Recipe) -> JSONValue? {
        guard topic.partitions.isEmpty, let known = state?.work["topic"],
            known["name"]?.string == recipe.commands.topic
        else { return nil }
        return known
    }

    /// The recipe without what only tunes the work or says how to reach a server, and without what the work holds
    /// elsewhere.
    package static func meaning(_ recipe: Recipe) -> JSONValue {
        guard var object = RecipeText.meaning(recipe).object else { return .null }
        for key in ["source", "target", "copy", "limits", "tombstone_age", "operations", "verify", "cutover", "tests"] {
            object.removeValue(forKey: key)
        }
        if var replay = object["replay"]?.object {
            replay.removeValue(forKey: "recorded_margin")
            object["replay"] = .object(replay)
        }
        // Which versions copied documents get is a part of the work.
        if let version = RecipeText.meaning(recipe)["copy"]?["version"] { object["copy"] = ["version": version] }
        if var commands = object["commands"]?.object {
            for key in ["bootstrap", "kafka", "allow_exec"] { commands.removeValue(forKey: key) }
            object["commands"] = .object(commands)
        }
        // What is accepted is part of the work; the words for it are not, nor their order.
        let accepted = recipe.accept.sorted { $0.rail < $1.rail }.map { accepted -> JSONValue in
            let ids = Set(accepted.ids).sorted()
            guard !ids.isEmpty else { return .string(accepted.rail) }
            return ["rail": .string(accepted.rail), "ids": .array(ids.map { .string($0) })]
        }
        object["accept"] = accepted.isEmpty ? nil : .array(accepted)
        object["indices"] = .array(
            (object["indices"]?.array ?? []).map { entry in
                guard var entry = entry.object else { return entry }
                for key in ["mapping", "settings", "empty"] { entry.removeValue(forKey: key) }
                return .object(entry)
            })
        return .object(object)
    }

    /// The part of the log in which each id must stay in one partition. That is the whole log. After the epoch was
    /// raised, because keys have moved, it is only what the group has not applied yet.
    package func unread(_ recipe: Recipe) -> [Int32: (low: Int64, high: Int64)] {
        let epoch = state?.work["recipe"]?["commands"]?["epoch"]?.count ?? 0
        guard state != nil, epoch < recipe.commands.format.epoch else { return watermarks }
        return Dictionary(
            uniqueKeysWithValues: watermarks.map { partition, mark in
                let low = min(mark.high, max(mark.low, committed[partition] ?? mark.low))
                return (partition, (low: low, high: mark.high))
            })
    }

    /// The offsets of the application's group when anything was first read, or its present ones before that; nil: they
    /// were not recorded. Offsets of another epoch mean nothing for this log, so then the whole log is new.
    package func recorded(_ recipe: Recipe) -> [Int32: Int64]? {
        guard let state, let recorded = state.recorded else { return state?.copy == nil ? application : nil }
        return (state.recordedEpoch ?? 0) == recipe.commands.format.epoch ? recorded : watermarks.mapValues(\.low)
    }
}
