import Commands
import Failures
import Foundation
import Indexing
import JSONText
import LogGuard
import Recipe
import Schema
import SearchCluster

/// One condition that must hold before anything is written (P9 in docs/architecture.md).
package struct Rail: Sendable {
    package enum Verdict: String, Sendable { case ok, warn, refused }

    package var name: String
    package var verdict: Verdict
    /// What was found, with its numbers, and what to do.
    package var detail: String
    /// Why the recipe accepts that this rail refuses (then it is a warning); nil: it does not, or nothing is refused.
    package var accepted: String?
    /// Whether what the recipe accepts of this rail covers what was found.
    package var isCovered = true

    /// A refusal that the recipe accepts becomes a warning. Another one says how it can be accepted, if it can.
    package func answered(by recipe: Recipe) -> Rail {
        guard verdict == .refused, RailCatalogue.isAcceptable(name) else { return self }
        var rail = self
        if isCovered, let why = recipe.acceptance(of: name) {
            rail.verdict = .warn
            rail.accepted = why
            rail.detail = "accepted: \(detail); because \(why)"
        } else {
            rail.detail = RailCatalogue.withAnswer(detail, of: name)
        }
        return rail
    }
}

/// Judges a survey.
package struct Rails {
    package let recipe: Recipe
    package let survey: Survey
    /// The offset per partition from which the log would be read.
    package let start: [Int32: Int64]
    package private(set) var found: [Rail] = []

    package init(recipe: Recipe, survey: Survey, start: ReplayStart) {
        (self.recipe, self.survey) = (recipe, survey)
        self.start = start.offsets
        if recipe.hasCommands {
            judgeLog()
            judgeTime(start)
            judgeRecorded()
            judgePartitions()
        } else {
            add(
                "commands", .ok,
                "the recipe names no command topic, so no rail about a log applies: copies bring everything, and what "
                    + "is written to the source after the last of them does not come over")
        }
        judgeClusters()
        for entry in survey.entries { judge(entry) }
        judgeTargets()
        found +=
            SourceFilterRail.look(recipe, survey) + SourceFilterRail.ofReaders(survey)
            + SourceFieldsRail.look(recipe, survey)
        for warning in RecipeText.warnings(recipe) { add("tombstones", .warn, warning) }
        for exposure in RecipeText.exposures(recipe) { add("exposure", .warn, exposure) }
        if let trouble = recipe.folderTrouble(ProcessInfo.processInfo.environment) {
            add("verify_folder", .warn, trouble)
        }
    }

    mutating func add(_ name: String, _ verdict: Rail.Verdict, _ detail: String) {
        found.append(Rail(name: name, verdict: verdict, detail: detail))
    }

    // MARK: The log

    private mutating func judgeLog() {
        let topic = recipe.commands.topic
        let marks = survey.watermarks.sorted { $0.key < $1.key }
        let logs = marks.map { (partition: $0.key, log: LogExtent(low: $0.value.low, high: $0.value.high)) }
        let gone = logs.first { LogRails.start(start[$0.partition] ?? $0.log.low, log: $0.log) != nil }
        if let (partition, mark) = gone {
            add(
                "log_start", .refused,
                "topic \(topic) partition \(partition) no longer reaches back to the start asked for: offset "
                    + "\(start[partition] ?? 0) is wanted, the log begins at \(mark.low). What lay between is lost to "
                    + "a replay: start later (replay.from) and copy again, or restore the log")
        } else {
            add("log_start", .ok, "the log of \(topic) reaches back to the start asked for on all partitions")
        }
        if case .offsets(let asked) = recipe.replay,
            let unknown = asked.keys.sorted().first(where: { survey.watermarks[$0] == nil })
        {
            add(
                "start_partitions", .refused,
                "replay.from names partition \(unknown), which topic \(topic) does not have (it has \(marks.count))")
        }
        judgeEnd(logs, topic: topic)
        if let refusal = survey.history.refusal {
            add("log_identity", .refused, refusal.text)
        } else {
            add(
                "log_identity", .ok,
                survey.history.found.count > 0
                    ? "it is the log that was read before: applied records were found again on "
                        + "\(survey.history.found.count) partitions"
                    : "no applied record is known that could be looked for")
        }
        if let (partition, mark) = marks.first(where: { (survey.ends[$0.key] ?? 0) > $0.value.high }) {
            add(
                "open_transaction", .warn,
                OpenTransaction.words(
                    partition: partition, stable: mark.high, end: survey.ends[partition] ?? mark.high)
                    + ". A replay ends at the last stable offset")
        }
        judgeReach(marks.map { ($0.key, $0.value.low) })
    }

    /// Whether the log still has everything that was applied, and the start.
    private mutating func judgeEnd(_ logs: [(partition: Int32, log: LogExtent)], topic: String) {
        let beyond = logs.first { LogRails.end(start[$0.partition] ?? 0, applied: 0, log: $0.log) != nil }
        let behind = logs.first { LogRails.end(0, applied: applied($0.partition), log: $0.log) != nil }
        if let (partition, log) = beyond {
            add(
                "log_end", .refused,
                "topic \(topic) partition \(partition) is to start at offset \(start[partition] ?? 0), but the log "
                    + "ends at \(log.high)")
        } else if let (partition, log) = behind {
            add(
                "log_end", .refused,
                "topic \(topic) partition \(partition) went backwards: everything before offset \(applied(partition)) "
                    + "has been applied, but the log ends at \(log.high). It was recreated or lost its tail "
                    + "in an unclean election: raise commands.epoch and use a new commands.group")
        } else if let why = survey.committedUnknown {
            add(
                "log_end", .warn,
                "it is not known what group \(recipe.commands.group) has applied, so it cannot be checked that the log "
                    + "still holds it: \(why). `follow` will need the group")
        } else {
            add("log_end", .ok, "the log ends at or after everything that was applied")
        }
    }

    private mutating func judgeTime(_ start: ReplayStart) {
        guard let unknown = start.unknown else { return }
        let partitions = unknown.partitions.map { "\($0)" }.joined(separator: ", ")
        add(
            "start_time", .warn,
            "it is not known where the time of replay.from lies on partitions \(partitions) of "
                + "\(recipe.commands.topic): \(unknown.why). They are read from their beginning, which writes nothing "
                + "wrong and takes longer")
    }

    /// The offset up to which a partition has been applied, by the group's offset or the replay of this epoch.
    private func applied(_ partition: Int32) -> Int64 {
        let replay = survey.state?.replay
        let replayed = replay?.epoch == recipe.commands.format.epoch ? replay?.position[partition] : nil
        return max(survey.committed[partition] ?? 0, replayed ?? 0)
    }

    /// The copy holds what the application had applied; the replay must begin no later than that.
    private mutating func judgeReach(_ lows: [(Int32, Int64)]) {
        guard recipe.source != nil else {
            if let (partition, low) = lows.first(where: { $0.1 > 0 && (start[$0.0] ?? 0) >= $0.1 }) {
                return add(
                    "log_reach", .warn,
                    "there is no source and partition \(partition) begins at offset \(low): what came before it will "
                        + "not be in the new index")
            }
            return add("log_reach", .ok, "the log reaches back to its very beginning")
        }
        if let unknown = survey.reachUnknown(recipe) { return add("log_reach", .warn, unknown) }
        let application = survey.recorded(recipe) ?? [:]
        let late = application.sorted { $0.key < $1.key }
            .first { LogRails.reach(start[$0.key] ?? 0, recorded: $0.value) != nil }
        if let (partition, offset) = late {
            return add(
                "log_reach", .refused,
                "partition \(partition) would be read from offset \(start[partition] ?? 0), but the old index had only "
                    + "applied up to offset \(offset) when it was looked at: the commands between would be lost. Start "
                    + "at or before \(offset)")
        }
        add("log_reach", .ok, "the replay begins at or before what the old index had applied")
    }

    private mutating func judgeRecorded() {
        guard recipe.replay == .recorded else { return }
        let group = recipe.commands.applicationGroup ?? "-"
        let topic = recipe.commands.topic
        guard let recorded = survey.recorded(recipe) else {
            return add(
                "recorded_group", .refused,
                survey.applicationUnknown.map {
                    "replay.from is recorded, and it is not known where group \(group) stands: \($0)"
                }
                    ?? (survey.application == nil
                        ? "replay.from is recorded, and commands.application_group names no group to record"
                        : "replay.from is recorded, but the copy began before commands.application_group was named, so "
                            + "it is not known where group \(group) stood then: cancel, init and copy again"))
        }
        let marks = survey.watermarks.sorted { $0.key < $1.key }
        if recorded.isEmpty {
            return add(
                "recorded_group", .refused,
                "replay.from is recorded, but \(survey.whyNotRecorded(recipe))")
        }
        let without = marks.filter { recorded[$0.key] == nil && $0.value.high > 0 }
        if let (partition, mark) = without.first(where: { $0.value.low > 0 }) {
            return add(
                "recorded_group", .refused,
                "replay.from is recorded, but group \(group) has committed nothing on partition \(partition) of "
                    + "\(topic), which begins at offset \(mark.low): what it had not applied of the records before is "
                    + "not known")
        }
        if !without.isEmpty {
            return add(
                "recorded_group", .warn,
                "group \(group) has committed nothing on partitions "
                    + "\(without.map { "\($0.key)" }.joined(separator: ", ")) of "
                    + "\(topic): they are read from their beginning")
        }
        add("recorded_group", .ok, "the application's group has committed offsets on all partitions")
    }

    private mutating func judgePartitions() {
        let now = survey.topic.partitions.count
        let epoch = survey.state?.work["recipe"]?["commands"]?["epoch"]?.count
        if let epoch, epoch > recipe.commands.format.epoch {
            add(
                "epoch", .refused,
                "commands.epoch is \(recipe.commands.format.epoch), and the target has been written with epoch "
                    + "\(epoch): every write would look stale. An epoch is only ever raised")
        }
        guard let before = survey.state?.work["topic"]?["partitions"]?.count, before != Int64(now),
            epoch == nil || epoch == recipe.commands.format.epoch
        else {
            return add("partitions", .ok, "\(now) partitions")
        }
        add(
            "partitions", .refused,
            "topic \(recipe.commands.topic) had \(before) partitions at init and has \(now) now: keys have moved "
                + "between partitions, so offsets no longer order one id's commands. Raise commands.epoch, or take "
                + "versions from a timestamp or a field")
    }

    // MARK: The clusters

    private mutating func judgeClusters() {
        if recipe.hasCommands, recipe.deadLetterTopic == recipe.commands.topic {
            add(
                "dead_letters", .refused,
                "dead_letters.topic is the command topic itself: dead letters would be commands")
        }
        guard let source = survey.source, source.isSame(as: survey.target) else {
            return add(
                "same_index", .ok,
                survey.hasSource && survey.source == nil
                    ? "the source was not looked at; it was when the work was confirmed"
                    : "source and target are different clusters")
        }
        for entry in survey.entries {
            let aliased = entry.source.contains { $0.name == entry.index || $0.aliases[entry.index] != nil }
            guard aliased else { continue }
            return add(
                "same_index", .refused,
                "source and target are the same index \(entry.index) of the same cluster: it would be written over "
                    + "while it is read. Give `to` another name")
        }
        add("same_index", .ok, "source and target are one cluster, but different indices")
    }

    private mutating func judge(_ entry: Survey.Entry) {
        let ours = survey.state?.indices.contains(entry.index) == true
        let known = survey.state?.uuids[entry.index] ?? ""
        if entry.isClosed {
            add(
                "target_closed", .refused,
                "the target index \(entry.index) is closed: nothing can be read from it or written to it. Open it "
                    + "(POST /\(entry.index)/_open)")
        }
        if entry.exists, ours, let uuid = entry.uuid, survey.state?.isRemade(entry.index, uuid: uuid) == true {
            add(
                "target_identity", .refused,
                "the target index \(entry.index) is not the one that init made (its UUID was \(known) and is \(uuid)): "
                    + "somebody deleted it and made another. Delete that one if it is not needed, run init, then copy "
                    + "and replay"
            )
        }
        if survey.takesOver(entry) {
            judgeAdoption(entry)
        } else if entry.exists, !ours, entry.held > 0 {
            judgeStrange(entry)
        } else if entry.exists, !ours {
            add(
                "target_content", .refused,
                "the target index \(entry.index) exists (empty) and was not made by init, so its mapping is not ours: "
                    + "delete it, or choose another `to`")
        } else {
            let isAdopted = survey.state?.adopted.contains(entry.index) == true
            add(
                "target_content", .ok,
                isAdopted
                    ? "\(entry.index) was there before init and was adopted: the application writes it, too"
                    : ours ? "\(entry.index) is ours" : "\(entry.index) does not exist yet")
        }
        let fields = TargetMapping.fieldCount(entry.templates.mapping(under: entry.mapping))
        let limit = TargetMapping.limit(entry.templates.settingsText ?? entry.settings)
        if fields > limit {
            add(
                "mapping_size", .refused,
                "the mapping of \(entry.index) would have \(fields) fields, more than index.mapping.total_fields.limit "
                    + "(\(limit)): flatten the map with keyToValue, or raise the limit in settings")
        } else {
            add("mapping_size", .ok, "the mapping of \(entry.index) has \(fields) fields of at most \(limit)")
        }
        judgeRouting(entry)
        found += PatternRail.judge(entry)
        for index in entry.source { judge(index, entry) }
    }

    private mutating func judge(_ index: IndexInfo, _ entry: Survey.Entry) {
        if !index.hasSource {
            add("source_documents", .refused, "source index \(index.name) does not store _source: it cannot be copied")
        }
        if !index.parentTypes.isEmpty {
            add(
                "parents", .refused,
                "source index \(index.name) has parent types "
                    + "(\(index.parentTypes.keys.sorted().joined(separator: ", "))): parent and "
                    + "child documents are not carried yet")
        }
        if index.types.count > 1, entry.recipe.id == nil {
            add(
                "types", .refused,
                "source index \(index.name) has several types (\(index.types.sorted().joined(separator: ", "))), whose "
                    + "ids may collide: set `id: \"{type}-{id}\"` for \(entry.index), and give the ids of commands the "
                    + "same form; or `id: \"{id}\"`, if no id is used by two types")
        }
    }
}
