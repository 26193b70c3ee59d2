import Commands
import Failures
import Planning
import SearchCluster
import State
import Telemetry

/// Whether a finished copy has lost documents because several of the source are one document in the target: the same id
/// under other routings, in other indices, of other types. They have the same version, so that the first one stays.
struct CopyCollisions {
    let survey: Survey
    /// Whether the recipe takes responsibility for what is the same document.
    let accepts: Bool
    let logger: Logger

    /// Refreshes the target. Throws where it has fewer documents and tombstones than were copied.
    func check(_ store: StateStore) throws {
        for entry in survey.entries { try survey.target.writer.refresh(entry.index) }
        guard !accepts, let state = try store.load(), let copy = state.copy else { return }
        for (place, entry) in survey.entries.enumerated() {
            let slices = copy.slices.filter { $0.entry == place }
            // What an index held that is gone since was counted when it was still there.
            guard slices.allSatisfy({ entry.scope.names.contains($0.index) }) else { continue }
            let lost: [Outcome] = [.skipped, .deadLettered, .gone]
            let copied = slices.reduce(0) { sum, slice in
                sum + slice.returned - lost.reduce(0) { $0 + (slice.outcomes[$1.name] ?? 0) }
            }
            let there = Int(try survey.target.reader.count(entry.index, query: nil))
            guard there < copied else { continue }
            // The application has deleted some there, which refuses older documents of them for a while.
            guard !state.adopted.contains(entry.index) else {
                logger.warning(
                    """
                    fewer documents are there than were copied: the application has deleted some in the adopted index, \
                    or ids of the source collide; verify tells which
                    """,
                    ["index": entry.index, "copied": copied, "there": there])
                continue
            }
            // What an application moves to another routing or index meanwhile is read twice, too.
            guard (copied - there) * 1000 >= copied else {
                logger.warning(
                    "fewer documents are there than were copied: ids of the source collide, or documents moved",
                    ["index": entry.index, "copied": copied, "there": there])
                continue
            }
            throw Refusal.copiesCollide(index: entry.index, copied: copied, there: there).error()
        }
    }
}
