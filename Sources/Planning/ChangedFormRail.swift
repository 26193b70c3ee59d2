import Commands
import Failures
import JSONText
import Recipe
import SearchCluster
import State

/// The rail `changed_form`: an index that holds documents is written in the form in which they were written. What is
/// read again in another form has the versions that are there already, and would be left as it is.
package enum ChangedFormRail {
    /// `work`: the work of the recipe as it is now.
    package static func look(_ recipe: Recipe, _ survey: Survey, work: JSONValue) throws -> [Rail] {
        let substituted = SubstitutedValues(recipe)
        guard let state = survey.state else { return [] }
        var rails: [Rail] = []
        for entry in survey.entries where entry.exists && state.indices.contains(entry.index) {
            let present = WrittenForm.of(entry.index, in: state.work)
            guard let now = WrittenForm.of(entry.index, in: work), now != present,
                let changes = changes(
                    present ?? state.fence.forms[entry.index], now, shown: substituted.masked(now)),
                try isWritten(entry, state, survey.target)
            else { continue }
            let refusal = Refusal.formChanged(index: entry.index, changes: changes)
            rails.append(Rail(name: refusal.name, verdict: .refused, detail: refusal.text))
        }
        return rails
    }

    /// In words; nil: there are none.
    private static func changes(_ before: JSONValue?, _ now: JSONValue, shown: JSONValue) -> String? {
        guard let before else { return "nobody knows any more in which" }
        guard before != now else { return nil }
        return "the recipe has changed: "
            + Fingerprint.differences(before, now, shown: shown, limit: 4).joined(separator: "; ")
    }

    /// Whether the index holds anything that was written.
    private static func isWritten(_ entry: Survey.Entry, _ state: MigrationState, _ target: Cluster) throws -> Bool {
        guard entry.held == 0, entry.tombstones == 0, state.phase != .created else {
            return entry.held + entry.tombstones > 0
        }
        guard entry.isCounted, !entry.isClosed else { return true }
        // What was written a moment ago is not counted before the index is refreshed.
        do {
            try target.writer.refresh(entry.index)
            return try target.reader.count(entry.index, query: nil) > 0
        } catch {
            guard !error.retriable else { throw error }
            return true
        }
    }
}
