import CommandLog
import Commands
import Foundation
import Indexing
import JSONText
import Recipe
import SearchCluster

/// The rail `attribution`: whether each command says which entry it belongs to, and whether what is deleted elsewhere
/// can only be the same document.
package struct AttributionRail {
    private let recipe: Recipe
    private let survey: Survey
    private let samples: Samples
    private var tally: AttributionTally { samples.log.attribution }
    private var rules: CommandRules { recipe.commands.format.rules }
    private var isDebezium: Bool {
        if case .debezium = recipe.commands.format.shape { return true }
        return false
    }
    private var refusals: [String] = []
    private var doubts: [String] = []
    private var looks: [String] = []

    package static func look(_ recipe: Recipe, _ survey: Survey, _ samples: Samples) -> [Rail] {
        var rail = AttributionRail(recipe: recipe, survey: survey, samples: samples)
        rail.judgeRecords()
        rail.judgeMoves()
        rail.judgeTwins()
        SelectionLook(recipe, survey, samples).tell(refusals: &rail.refusals, doubts: &rail.doubts, looks: &rail.looks)
        return rail.rails
    }

    private init(recipe: Recipe, survey: Survey, samples: Samples) {
        (self.recipe, self.survey, self.samples) = (recipe, survey, samples)
    }

    private var rails: [Rail] {
        if !refusals.isEmpty {
            return [Rail(name: "attribution", verdict: .refused, detail: refusals.joined(separator: "; also "))]
        }
        let isNeeded = recipe.commands.format.isSelective || !doubts.isEmpty
        guard isNeeded else { return [] }
        return [
            Rail(
                name: "attribution", verdict: doubts.isEmpty ? .ok : .warn,
                detail: (doubts + looks).joined(separator: "; "))
        ]
    }

    private func share(_ finding: AttributionTally.Finding) -> String {
        "\(finding.count) of \(tally.read) sampled records"
    }

    private func examples(_ finding: AttributionTally.Finding) -> String {
        finding.examples.joined(separator: "; ")
    }

    // MARK: Records

    private mutating func judgeRecords() {
        if recipe.commands.format.isSelective {
            if tally.unattributed.count > 0 {
                doubts.append(
                    "\(share(tally.unattributed)) do not say which of indices they belong to and will be dead letters "
                        + "(\(examples(tally.unattributed))). If ids are unique over all entries, select.missing: "
                        + "every deletes in all of them; or let "
                        + (isDebezium
                            ? "`before` have the whole row (Postgres: REPLICA IDENTITY FULL)"
                            : "the command carry the field"))
            } else {
                looks.append("each of \(tally.read) sampled records says which of indices it belongs to")
            }
        }
        if tally.noValue.count > 0 {
            doubts.append(
                "\(share(tally.noValue)) have no value and will be dead letters (\(examples(tally.noValue))): say in "
                    + "\(recipe.commands.format.shapeName).tombstone what that means")
        }
        if tally.truncated.count > 0 {
            doubts.append(
                "\(share(tally.truncated)) empty a whole table (\(examples(tally.truncated))): a replay stops there")
        }
        if tally.unavailable.count > 0 {
            doubts.append(
                "\(share(tally.unavailable)) lack a large column that did not change and will be dead letters "
                    + "(\(examples(tally.unavailable)))")
        }
        if tally.kept.count > 0 { looks.append("\(share(tally.kept)) keep a large column that did not change") }
        if tally.marked.count > 0 {
            refusals.append(
                "\(share(tally.marked)) are documents with `__deleted: true` (\(examples(tally.marked))): deleted "
                    + "rows, which would be indexed as documents. Use format: envelope with operation: __deleted, "
                    + "index: [\"false\"], delete: [\"true\"]; or let the connector write deletes as records without a "
                    + "value"
            )
        }
        if tally.placeholders.count > 0 {
            refusals.append(
                "\(share(tally.placeholders)) hold \(CommandRules.placeholder) (\(examples(tally.placeholders))), "
                    + "which Debezium writes in place of a large value that did not change: it would be indexed as the "
                    + "value. Let the connector write its whole events and use format: debezium with unavailable: "
                    + "keep, or let the table have REPLICA IDENTITY FULL")
        }
    }

    // MARK: Moves

    private mutating func judgeMoves() {
        let format = recipe.commands.format
        if format.isSelective, tally.moved.count > 0, rules.moves == nil {
            refusals.append(
                "\(share(tally.moved)) put an id into another entry than a record before (\(examples(tally.moved))). "
                    + "If it is the same document, it would then be in both: say select.moves: tombstone. If two kinds "
                    + "use the same ids, say select.moves: never")
        }
        if tally.rerouted.count > 0 {
            refusals.append(
                "\(share(tally.rerouted)) give a document another routing than a record before, and do not tell the "
                    + "former one (\(examples(tally.rerouted))): the copy under it would stay. "
                    + (isDebezium
                        ? "Let `before` have the whole row (Postgres: REPLICA IDENTITY FULL)"
                        : "Let the application delete the document under its former routing first"))
        }
        if format.tombstonesMoves, tally.documents > 0 {
            looks.append(
                "\(tally.documents) sampled documents write \(tally.tombstones) tombstones into the entries where they "
                    + "may have been before (select.moves)")
        }
    }

    // MARK: Twins

    /// Ids that two entries have at the same time: deleting one of them elsewhere would delete another document.
    private mutating func judgeTwins() {
        let needsUniqueIDs = recipe.commands.format.tombstonesMoves || rules.unattributed == .every
        guard recipe.commands.format.isSelective, needsUniqueIDs, survey.entries.count > 1 else { return }
        var looked = 0
        do throws(ClusterError) {
            for place in survey.entries.indices {
                let found = survey.source == nil ? try twinsInTarget(place) : try twinsInSource(place)
                looked += found.looked
                guard let twin = found.twin else { continue }
                refusals.append(
                    "id \(twin.id) is in \(twin.one) and in \(twin.other): ids are not unique over the entries of "
                        + "indices, so that a delete or a move in one of them would delete another document. Say "
                        + "select.moves: never, and select.missing: reject")
                return
            }
        } catch {
            doubts.append("it is not known whether ids are unique over the entries of indices: \(error)")
            return
        }
        if looked > 0 {
            looks.append("none of \(looked) sampled ids is in two of the entries")
        } else {
            doubts.append(
                "whether ids are unique over the entries of indices is unchecked: there are no documents yet. If two "
                    + "kinds use the same ids, say select.moves: never")
        }
    }

    private typealias Twins = (looked: Int, twin: (id: String, one: String, other: String)?)
    private static let idsWanted = 500

    private func twinsInSource(_ place: Int) throws(ClusterError) -> Twins {
        guard let source = survey.source, samples.source.entries.indices.contains(place) else { return (0, nil) }
        let entry = survey.entries[place]
        let own = Set(entry.source.map(\.name))
        let names = samples.source.entries[place].names.prefix(Self.idsWanted)
        let template = IDTemplate(entry.recipe.id)
        let mine = Dictionary(names.map { (template.id($0.id, type: $0.type), $0) }) { first, _ in first }
        for (other, survey) in survey.entries.enumerated() where other > place {
            let indices = SourceSample.readable(survey).filter { !own.contains($0.name) }
            guard !indices.isEmpty else { continue }
            let theirs = IDTemplate(survey.recipe.id)
            for document in try SourceSample.find(names.map(\.id), indices, source.reader) {
                guard let twin = mine[theirs.id(document.id, type: document.type)],
                    try areBothThere(twin, document, source.reader)
                else { continue }
                return (names.count, (document.id, twin.index, document.index))
            }
        }
        return (names.count, nil)
    }

    private func twinsInTarget(_ place: Int) throws(ClusterError) -> Twins {
        let (entry, target) = (survey.entries[place], survey.target)
        guard entry.exists, !entry.isClosed, entry.held > 0 else { return (0, nil) }
        let alive = target.capabilities.notTombstone
        let mine = try target.reader.names(entry.index, query: alive, size: Self.idsWanted)
        let ids = mine.map(\.id)
        for other in survey.entries.dropFirst(place + 1) where other.exists && !other.isClosed && other.held > 0 {
            let wanted = ClusterReader.query(ids: ids)
            let both: JSONValue = ["bool": ["must": [wanted, alive]]]
            for twin in try target.reader.names(other.index, query: both, size: 20) {
                guard let one = mine.first(where: { $0.id == twin.id }),
                    try areBothThere(one, twin, target.reader)
                else { continue }
                return (ids.count, (twin.id, entry.index, other.index))
            }
        }
        return (ids.count, nil)
    }

    /// Whether two documents that two searches have found are there at one time. The indices were not refreshed at one
    /// moment, and an application that moves a document does not do it in one.
    private func areBothThere(
        _ one: FoundDocument, _ other: FoundDocument, _ reader: ClusterReader
    ) throws(ClusterError) -> Bool {
        for attempt in 0..<3 {
            if attempt > 0 { Thread.sleep(forTimeInterval: 0.3) }
            guard try reader.isThere(one), try reader.isThere(other) else { return false }
        }
        return true
    }
}

extension Recipe {
    /// What `before` says of a document counts only where the log has all events: a compacted one lacks those between.
    /// Where nobody may know, nothing is taken for granted.
    mutating func lookWhetherBeforeIsProof(_ admin: LogAdmin) throws(LogError) {
        guard case .debezium = commands.format.shape, commands.format.tombstonesMoves else { return }
        do throws(LogError) {
            let policy = try admin.configuration(of: commands.topic)["cleanup.policy"]
            commands.format.rules.beforeIsProof = policy.map { !$0.contains("compact") } ?? false
        } catch {
            guard error.isUnanswerable else { throw error }
            commands.format.rules.beforeIsProof = false
        }
    }
}
