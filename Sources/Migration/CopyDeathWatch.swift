import Commands
import Failures
import Indexing
import Pipeline
import Planning
import State

/// Looks whether the documents of a copy mostly become dead letters, and stops it then. Not safe for several threads.
struct CopyDeathWatch {
    private let prepared: Preflight
    private let copy: MigrationState.Copy
    private let pipeline: Pipeline
    private var deaths: CopyDeaths
    /// Names of the indices that are judged, by place.
    private let indices: [String]

    /// nil: the recipe accepts it.
    init?(_ prepared: Preflight, _ copy: MigrationState.Copy, _ pipeline: Pipeline) {
        guard !prepared.recipe.accepts("copy_deaths") else { return nil }
        (self.prepared, self.copy, self.pipeline) = (prepared, copy, pipeline)
        var indices: [String] = []
        let places = copy.slices.map { slice in
            if let known = indices.firstIndex(of: slice.index) { return known }
            indices.append(slice.index)
            return indices.count - 1
        }
        self.indices = indices
        deaths = CopyDeaths(
            limit: prepared.recipe.copy.deadLetters, page: prepared.recipe.copy.page, indexOfSlice: places,
            earlier: copy.slices.map { slice in
                guard slice.done else { return CopyDeaths.Tally() }
                return CopyDeaths.Tally(
                    documents: slice.outcomes.values.reduce(0, +),
                    dead: slice.outcomes[Outcome.deadLettered.name] ?? 0)
            })
    }

    /// Why the copy must stop; nil: it need not. `isOver`: everything is settled.
    mutating func look(isOver: Bool = false) -> String? {
        let settled = copy.slices.indices.map { slice in
            pipeline.ledger.ownership(of: Int32(slice)).map(CopyDeaths.Tally.init) ?? CopyDeaths.Tally()
        }
        let found = deaths.look(settled)
        return (found ?? (isOver ? deaths.atEnd() : nil)).map(words)
    }

    private func words(_ found: CopyDeaths.Finding) -> String {
        let examples = pipeline.deadLetters.examples
        let reasons = pipeline.deadLetters.reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
        let why = reasons.map { "\($0.key) \($0.value)" + (examples[$0.key].map { " (\($0))" } ?? "") }
        return "\(found.tally.dead) of \(found.tally.documents) documents of the source index "
            + "\(indices[found.index]) became dead letters: \(why.joined(separator: "; "))"
    }

    /// Writes it into the state, and gives the error that ends the work.
    func stop(_ why: String, _ store: StateStore) throws -> WorkError {
        _ = try store.update { state in
            try state.checkIsPresent(copy)
            state.copy?.stopped = why
        }
        return Refusal.copyDies(why, letters: prepared.recipe.deadLetterTopic, recipe: prepared.recipe.typed)
    }
}
