import Failures
import Pipeline
import SearchCluster
import State

/// The slices of an interrupted copy, as others may have written them.
extension MigrationState.Copy {
    private struct Place: Hashable {
        var entry: Int
        var index: String
    }

    /// Why the slices cannot be those with which the copy began; nil: they can. Of each index all parts are there, each
    /// once: with one of them missing, the copy would count as whole without its documents.
    ///
    /// - Parameters:
    ///   - entries: how many the recipe has.
    ///   - names: the source indices of the confirmed work. Slices of others may be of an entry that is not confirmed
    ///     any more; they are not read.
    ///   - shards: of the source indices that were looked at, by name.
    package func sliceTrouble(entries: Int, names: Set<String>, shards: [String: Int] = [:]) -> String? {
        var parts: [Place: [SliceSpec]] = [:]
        for (number, slice) in slices.enumerated() {
            guard (0..<entries).contains(slice.entry) || !names.contains(slice.index) else {
                return "slice \(number) of the copy names entry \(slice.entry), and the recipe has \(entries)"
            }
            guard let spec = SliceSpec(index: slice.index, text: slice.spec) else {
                return "slice \(number) of the copy is \(slice.spec), which is none"
            }
            parts[Place(entry: slice.entry, index: slice.index), default: []].append(spec)
        }
        for (place, specs) in parts.sorted(by: { ($0.key.entry, $0.key.index) < ($1.key.entry, $1.key.index) }) {
            let isWhole = specs.allSatisfy { $0.kind == specs[0].kind && $0.of == specs.count }
            guard isWhole, Set(specs.map(\.number)).count == specs.count else {
                return "the slices of the copy of index \(place.index) are not all its parts, each once"
            }
            if specs[0].kind == .shard, let count = shards[place.index], count != specs.count {
                return "the slices of the copy of index \(place.index) are \(specs.count) shards, and it has \(count)"
            }
        }
        guard slices.isEmpty || names.isEmpty || parts.keys.contains(where: { names.contains($0.index) }) else {
            return "the slices of the copy name none of the indices of the confirmed work"
        }
        return nil
    }

    package func damaged(_ trouble: String, in index: String) -> WorkError {
        WorkError(
            .state,
            "the state in \(index) is damaged: \(trouble). Nothing was copied. Restore the state document from a "
                + "snapshot, or begin anew: delete \(index) and the target index, then init, copy and replay")
    }
}
