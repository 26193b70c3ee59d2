import Commands
import Foundation
import Indexing
import JSONText
import Recipe
import SearchCluster

/// The rail `identity`: the copy and the commands must mean the same document. It compares a sample of the commands
/// with the source's documents, and a sample of the documents with what the recipe says.
package struct IdentityRail {
    /// The most ids that are looked up in the source.
    package static let idsWanted = 1000

    let recipe: Recipe
    let survey: Survey
    let samples: Samples
    private(set) var found: [Rail] = []
    /// What was looked at, in words, for when nothing is wrong.
    private var looks: [String] = []
    private var doubts: [String] = []

    /// What the source has of the documents that commands name, by the place of the entry. Places that could not be
    /// asked are left out.
    private var documents: [Int: [FoundDocument]] = [:]
    private let deletes: AppliedDeletes

    /// - Parameter deletes: their ids are looked up in the same searches.
    static func look(
        _ recipe: Recipe, _ survey: Survey, _ samples: Samples, _ deletes: AppliedDeletes
    ) -> (rails: [Rail], found: [Int: [FoundDocument]]) {
        var rail = IdentityRail(recipe: recipe, survey: survey, samples: samples, deletes: deletes)
        rail.judge()
        return (rail.found, rail.documents)
    }

    private init(recipe: Recipe, survey: Survey, samples: Samples, deletes: AppliedDeletes) {
        (self.recipe, self.survey, self.samples, self.deletes) = (recipe, survey, samples, deletes)
    }

    private mutating func judge() {
        guard let source = survey.source else {
            return recipe.source == nil
                ? add(.ok, "there is no source: only the commands name documents")
                : add(
                    .warn, "it is not known whether copy and commands mean the same documents: the source was not asked"
                )
        }
        for place in survey.entries.indices where samples.source.entries.indices.contains(place) {
            let (entry, sample) = (survey.entries[place], samples.source.entries[place])
            if let unknown = sample.unknown {
                doubts.append("it is not known what the documents of \(name(entry)) look like: \(unknown)")
            } else {
                judgeRouting(entry, sample)
                judgeTwins(entry, sample)
            }
        }
        judgeCommands(source)
        guard found.isEmpty else { return }
        add(doubts.isEmpty ? .ok : .warn, (doubts + looks).joined(separator: "; "))
    }

    private mutating func add(_ verdict: Rail.Verdict, _ detail: String) {
        found.append(Rail(name: "identity", verdict: verdict, detail: detail))
    }

    private func name(_ entry: Survey.Entry) -> String { entry.recipe.from ?? entry.index }

    // MARK: The log

    private mutating func judgeCommands(_ source: Cluster) {
        // A pattern with `{index}` may stand for several targets; another rail refuses that.
        guard survey.entries.count == recipe.indices.count else { return }
        for (place, entry) in survey.entries.enumerated() where !entry.source.isEmpty {
            let (commands, areApplied) = commands(of: place)
            do throws(ClusterError) {
                let found = try find(commands, entry, place, source.reader)
                documents[place] = found
                guard !commands.isEmpty else {
                    doubts.append(
                        "the ids of \(name(entry)) are unchecked: none of \(samples.log.read) sampled records asks for "
                            + "one of its documents")
                    continue
                }
                judge(compare(commands, entry, place, found), commands, areApplied, entry, place)
            } catch {
                doubts.append("it is not known whether \(name(entry)) has the documents of the commands: \(error)")
            }
        }
    }

    /// The commands to look up: those that the source is known to have, or the newest where there are none of these.
    private func commands(of place: Int) -> ([SampledCommand], areApplied: Bool) {
        for (fold, areApplied) in [(samples.log.applied, true), (samples.log.recent, false)] {
            let mine = fold.commands(atMost: .max).filter { $0.entry == place && $0.kind != .delete }
            if !mine.isEmpty { return (Array(mine.prefix(Self.idsWanted)), areApplied) }
        }
        return ([], false)
    }

    /// Which records the source is known to have, in words.
    private var stretch: String {
        guard let group = recipe.commands.applicationGroup, survey.application != nil else {
            return "come before the middle of the log (commands.application_group would say what the source has)"
        }
        return "group \(group) has applied"
    }

    private func find(
        _ commands: [SampledCommand], _ entry: Survey.Entry, _ place: Int, _ reader: ClusterReader
    ) throws(ClusterError) -> [FoundDocument] {
        let wanted = commands.flatMap(comparison(entry, place).wanted) + deletes.ids(place)
        // Two Unicode forms of a text are equal to Swift, and two ids.
        let ids = Set(wanted.map { Array($0.utf8) }).map { String(decoding: $0, as: UTF8.self) }
        return try SourceSample.find(ids, SourceSample.readable(entry), reader)
    }

    private func compare(
        _ commands: [SampledCommand], _ entry: Survey.Entry, _ place: Int, _ found: [FoundDocument]
    ) -> IdentityTally {
        let comparison = comparison(entry, place)
        let documents = Dictionary(grouping: found, by: \.id)
        let findings = commands.map { command in
            let finding = comparison.finding(command, documents)
            guard case .routing(let document) = finding,
                samples.log.isNamedLater(command, routing: document.routing)
            else { return (command: command, finding: finding) }
            return (command: command, finding: .same)
        }
        return IdentityTally(findings, by: comparison)
    }

    private func comparison(_ entry: Survey.Entry, _ place: Int) -> IdentityComparison {
        var types = Set(entry.source.flatMap(\.types))
        let format = recipe.commands.format
        let selectors = format.selectors
        if selectors.indices.contains(place), let selector = selectors[place] { types.insert(selector.equals) }
        return IdentityComparison(
            template: IDTemplate(entry.recipe.id),
            takesRoutingFromDocument: format.copiesTakeRoutingFromDocument,
            types: types.sorted(),
            lengths: IDShape.lengthsOfNumbers(samples.source.entries[place].names.map(\.id)),
            forms: { id in
                guard id.utf8.contains(where: { $0 >= 0x80 }) else { return [] }
                return [id.precomposedStringWithCanonicalMapping, id.decomposedStringWithCanonicalMapping].filter {
                    !$0.utf8.elementsEqual(id.utf8)
                }
            })
    }

    private mutating func judge(
        _ tally: IdentityTally, _ commands: [SampledCommand], _ areApplied: Bool, _ entry: Survey.Entry, _ place: Int
    ) {
        let sizes =
            "of \(tally.looked) ids of \(name(entry)) from "
            + (areApplied
                ? "\(samples.log.appliedRead) records that \(stretch)"
                : "\(samples.log.read) records that the source need not have yet") + ", \(tally.same) were found"
        guard tally.contradictions.isEmpty else {
            let text =
                "\(sizes), and \(tally.contradictions.count) mean another document than the copy would write: "
                + IdentityWords.examples(tally) + ". "
                + IdentityWords(
                    recipe: recipe, entry: entry.recipe, types: samples.log.typeFields.best,
                    routings: samples.log.routingFields
                )
                .advice(tally)
            return tally.refuses ? add(.refused, text) : doubts.append(text)
        }
        let template = IDTemplate(entry.recipe.id)
        let theirs = IDShape(samples.source.entries[place].names.map { template.id($0.id, type: $0.type) })
        let ours = IDShape(commands.map(\.id))
        if areApplied, tally.same == 0, tally.looked >= 20, ours.isUnlike(theirs) {
            return add(
                .refused,
                "\(sizes), and the ids look different: the commands' are \(ours.words), those of the copy "
                    + "\(theirs.words). Look where the commands have their ids, and how the source makes its own")
        }
        // Where no id at all is found, a search may show nothing that was written of late.
        if areApplied, survey.application != nil, tally.same > 0, let missing = tally.missingKind {
            let example = missing.example
            return add(
                .refused,
                "\(sizes), and of those made of \(missing.kind) the source lacks \(missing.absent) of "
                    + "\(missing.looked), such as id \(example.id) (partition \(example.partition) offset "
                    + "\(example.offset)). If it has these documents under other ids, the copy would stand beside what "
                    + "commands write. Look where the application takes the ids of such commands from")
        }
        if tally.absent > 0 {
            let unlike =
                ours.isUnlike(theirs) ? ". The commands' ids are \(ours.words), the copy's \(theirs.words)" : ""
            let isHidden = entry.source.contains { survey.source?.reader.refreshInterval($0) == nil }
            let hidden =
                isHidden ? ". It is never refreshed (refresh_interval), so that a search does not show all" : ""
            doubts.append("\(sizes) and \(tally.absent) are not in the source\(unlike)\(hidden)")
        } else {
            let format = recipe.commands.format
            looks.append("\(sizes), under the same id and routing")
            if format.hasKey, format.key != .text { looks.append("keys are read as \(format.key.rawValue)") }
        }
    }

    // MARK: The source

    private mutating func judgeRouting(_ entry: Survey.Entry, _ sample: SourceSample.Entry) {
        guard !sample.names.isEmpty else { return }
        let template = IDTemplate(entry.recipe.id)
        let routed = sample.names.filter { document in
            let id = template.id(document.id, type: document.type)
            return IdentityComparison.effective(document.routing, id: id) != nil
        }
        let share = "\(routed.count) of \(sample.names.count) sampled documents of \(name(entry))"
        guard let path = recipe.commands.format.routing else {
            let aliases = entry.source.flatMap(\.aliases).filter { $0.value["index_routing"] != nil }.map(\.key)
            guard !routed.isEmpty else {
                looks.append("none of \(sample.names.count) sampled documents of \(name(entry)) has a routing")
                return
            }
            return add(
                .refused,
                "\(share) have a routing (\(IdentityWords.examples(routed))), and the recipe does not say where "
                    + "commands have it: their writes and deletes would go to other shards, beside the copied "
                    + "documents. Name the routing under commands.\(recipe.commands.format.shapeName)"
                    + (routed.count < sample.names.count ? IdentityWords.missingID(nil) : "")
                    + (aliases.first.map { ". The alias \($0) of the source gives documents a routing" } ?? ""))
        }
        judgeNamedRouting(entry, sample, path, share: share, routed: routed.count)
    }

    private mutating func judgeNamedRouting(
        _ entry: Survey.Entry, _ sample: SourceSample.Entry, _ path: JSONPath, share: String, routed: Int
    ) {
        guard let inside = recipe.commands.format.routingInDocument else {
            guard routed < sample.names.count, !recipe.commands.format.missingRoutingIsID else {
                looks.append("\(share) have a routing")
                return
            }
            return add(
                .refused,
                "the recipe names the routing \(path), which lies outside the document, and \(share) have a routing: "
                    + "the others would be dead letters, every one of them"
                    + (routed == 0
                        ? ". Leave the routing out, or let the source have it" : IdentityWords.missingID(path)))
        }
        judgeDocuments(entry, sample, inside, path, isMixed: routed > 0)
    }

    /// The routing is a field of the document: it must be there, and say what the document was written with.
    private mutating func judgeDocuments(
        _ entry: Survey.Entry, _ sample: SourceSample.Entry, _ inside: JSONPath, _ path: JSONPath, isMixed: Bool
    ) {
        if let unknown = sample.documentsUnknown {
            doubts.append(
                "it is not known whether the documents of \(name(entry)) have the routing \(path): \(unknown)")
            return
        }
        var without: [FoundDocument] = []
        var other: [FoundDocument] = []
        var unrouted: [FoundDocument] = []
        for document in sample.documents {
            let value = document.source.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }?[path: inside]
            let routing = document.name.routing
            let named = value?.string ?? value.flatMap { $0.array == nil && $0.object == nil ? $0.text() : nil }
            if let named, !named.isEmpty, value?.isNull == false {
                if let routing, routing != named { other.append(document.name) }
                if routing == nil, named != document.name.id { unrouted.append(document.name) }
            } else if routing == nil {
                without.append(document.name)
            }
        }
        let size = "\(sample.documents.count) sampled documents of \(name(entry))"
        if isMixed, !unrouted.isEmpty, entry.source.contains(where: { Self.hasJoin($0.mappings) }) {
            return add(
                .refused,
                "\(unrouted.count) of \(size) were written without a routing although they have the field \(inside) "
                    + "(\(IdentityWords.examples(unrouted))), and the mapping has a join field: they would leave the "
                    + "shard of the documents that are joined to them. Name the field that only those with a "
                    + "routing have"
            )
        }
        if !other.isEmpty {
            add(
                .refused,
                "\(other.count) of \(size) were written with another routing than their field \(inside) says "
                    + "(\(IdentityWords.examples(other))): the copy would keep the one, commands would have the other. "
                    + "Name the field that the application routes by")
        } else if !without.isEmpty, !recipe.commands.format.missingRoutingIsID {
            let text =
                "\(without.count) of \(size) have neither a routing nor the field \(inside), from which the recipe "
                + "takes it (\(IdentityWords.examples(without))): they would be dead letters"
            // A few that lack the field may be broken. Most, or some beside others with a routing, are meant.
            guard isMixed || without.count * 2 >= sample.documents.count else { return doubts.append(text) }
            add(
                .refused,
                text
                    + (without.count == sample.documents.count
                        ? ". Leave the routing out, if the source has none" : IdentityWords.missingID(path)))
        } else {
            looks.append(
                without.isEmpty
                    ? "all of \(size) have the routing \(path)"
                    : "\(without.count) of \(size) have no routing and go by their ids")
        }
    }

    private static func hasJoin(_ mapping: JSONValue) -> Bool {
        guard let members = mapping.object else { return false }
        return members.contains { $0.value["type"]?.string == "join" || hasJoin($0.value) }
    }

    /// Documents of one id: of several types, or in several indices that go into one.
    private mutating func judgeTwins(_ entry: Survey.Entry, _ sample: SourceSample.Entry) {
        let template = IDTemplate(entry.recipe.id)
        if let double = sample.doubles.first {
            doubts.append(
                "\(sample.doubles.count) of \(sample.names.count) sampled ids of \(name(entry)) are there under "
                    + "several routings, such as \(IdentityWords.examples(double)): commands reach only the one under "
                    + "their own routing. The others are copied where the target keeps them in another shard, and "
                    + "one of them at random where it does not. Delete in the source what is stale")
        }
        let types = Set(entry.source.flatMap(\.types))
        guard types.count > 1 || entry.source.count > 1 else { return }
        let twins = sample.twins.filter { documents in
            let copied = Set(documents.map { template.id($0.id, type: $0.type) })
            return copied.count < documents.count
        }
        guard !twins.isEmpty else {
            looks.append("no id of \(sample.names.count) is there twice in \(name(entry))")
            return
        }
        let examples = twins.prefix(3).map { IdentityWords.twins($0) }.joined(separator: "; ")
        let text =
            "\(twins.count) of \(sample.names.count) sampled ids of \(name(entry)) are there more than once: "
            + "\(examples). Only one document of each would be in \(entry.index), and which one is chance"
        // Copied documents have the same version, so the first one that is written stays.
        let hasTypes = types.count > 1 && !template.namesType
        add(
            .refused,
            text
                + (hasTypes
                    ? ". `id` says that ids are unique: use {type} in it, or give each an entry of its own"
                    : ". Name in `from` only the index that the application reads, give each an entry of its own, "
                        + "or delete in the source what is stale"))
    }
}
