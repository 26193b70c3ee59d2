import Commands
import Indexing
import Recipe
import SearchCluster

/// Whether the application deletes what its commands delete. One that leaves such documents (Kafka Connect ignores
/// records without a value if it is told to) means something else by these records than the recipe says.
///
/// The rail has the name `identity`: what the source has is what its commands made of it.
struct AppliedDeletes {
    static let idsWanted = 500

    private let recipe: Recipe
    private let survey: Survey
    /// By the place of the entry.
    private let deletes: [Int: [SampledCommand]]

    init(_ recipe: Recipe, _ survey: Survey, _ log: LogSample) {
        (self.recipe, self.survey) = (recipe, survey)
        // Without the application's group nobody knows which deletes the source has.
        guard survey.application != nil, survey.entries.count == recipe.indices.count else {
            deletes = [:]
            return
        }
        let all = log.applied.commands(atMost: .max).filter {
            log.isDelete($0) && !log.isNamedLater($0, routing: $0.routing)
        }
        deletes = Dictionary(grouping: all, by: \.entry).mapValues { Array($0.prefix(Self.idsWanted)) }
    }

    /// The ids that the source may have these documents under.
    func ids(_ place: Int) -> [String] {
        guard let deletes = deletes[place], survey.entries.indices.contains(place) else { return [] }
        let entry = survey.entries[place]
        let template = IDTemplate(entry.recipe.id)
        let types = Array(Set(entry.source.flatMap(\.types)))
        return deletes.flatMap { template.sourceIDs(of: $0.id, types: types) }
    }

    /// - Parameter found: what the source has of ``ids(_:)``.
    func rails(_ found: [Int: [FoundDocument]]) -> [Rail] {
        guard let source = survey.source else { return [] }
        return survey.entries.enumerated().compactMap { place, entry in
            guard let deletes = deletes[place], let found = found[place] else { return nil }
            do throws(ClusterError) {
                let alive = try alive(deletes, entry, found, source.reader)
                // Some may have been written again by hand, or by commands behind the sample. An application that
                // ignores such commands leaves most of these documents.
                guard let one = alive.first, alive.count * 100 >= deletes.count else { return nil }
                return Rail(
                    name: "identity", verdict: alive.count * 2 > deletes.count ? .refused : .warn,
                    detail:
                        "\(alive.count) of \(deletes.count) documents that the application's commands delete are alive "
                        + "in \(entry.recipe.from ?? "-"), although group "
                        + "\(recipe.commands.applicationGroup ?? "-") has applied these commands (partition "
                        + "\(one.partition) offset \(one.offset) deletes id \(one.id)): the replay would delete them, "
                        + "unless later commands write them again. "
                        + Self.advice(recipe.commands.format))
            } catch {
                return nil
            }
        }
    }

    private static func advice(_ format: CommandFormat) -> String {
        switch format.shape {
        case .document:
            "If the application ignores records without a value, say `tombstone: ignore` under commands.document"
        case .envelope: "If the application ignores such commands, name them in commands.envelope.ignore"
        case .debezium: "Let the application delete them, or take them out of the source's indices of this recipe"
        }
    }

    private func alive(
        _ deletes: [SampledCommand], _ entry: Survey.Entry, _ found: [FoundDocument], _ reader: ClusterReader
    ) throws(ClusterError) -> [SampledCommand] {
        let template = IDTemplate(entry.recipe.id)
        let documents = Dictionary(grouping: found) { template.id($0.id, type: $0.type) }
        var alive: [SampledCommand] = []
        var looked = 0
        for delete in deletes {
            for document in documents[delete.id] ?? [] {
                let routing = IdentityComparison.effective(document.routing, id: delete.id)
                guard looked < 100, routing == IdentityComparison.effective(delete.routing, id: delete.id) else {
                    continue
                }
                looked += 1
                // A search may show what was deleted a moment ago.
                if try reader.isThere(document) { alive.append(delete) }
            }
        }
        return alive
    }
}
