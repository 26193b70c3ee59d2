import Foundation
import Runtime
import Schema
import SearchCluster
import State

/// Looks up now and then what only those who watch want to know: the members, the state, and what the target indices
/// hold. Used by the one thread that looks after the target, and only while somebody watches.
package struct LiveLook {
    private var nextMembers: Int64 = 0
    private var nextIndices: Int64 = 0
    private var nextLetters: Int64 = 0

    /// Milliseconds between two looks.
    package static let membersEvery: Int64 = 10_000
    package static let indicesEvery: Int64 = 30_000
    package static let lettersEvery: Int64 = 60_000

    package mutating func look(_ live: LiveWork, _ board: MemberDirectory) {
        // A target that is away has nothing to say, and must not hold up who looks after it.
        guard live.isWatched, live.targetIsThere else { return }
        let now = MonotonicClock.milliseconds()
        let target = live.prepared.survey.target
        if now >= nextMembers {
            nextMembers = now + Self.membersEvery
            live.sees(members: try? board.read())
            let store = StateStore(target: target, name: live.prepared.recipe.name)
            if let state = try? store.load() { live.knows(state) }
        }
        if live.command == "follow", now >= nextLetters {
            live.lookUpLetters()
            // Many letters take their time: no more than a twentieth of ours. At first no broker has told anything yet.
            let took = MonotonicClock.milliseconds() - now
            nextLetters = now + (live.knowsLetters ? max(Self.lettersEvery, 20 * took) : Self.membersEvery / 5)
        }
        if now >= nextIndices {
            nextIndices = now + Self.indicesEvery
            live.sees(indices: try? live.prepared.survey.entries.map { try Self.index($0.index, target) })
        }
    }

    private static func index(_ name: String, _ target: Cluster) throws(ClusterError) -> WorkSnapshot.Index {
        let documents = try target.reader.count(name, query: target.capabilities.notTombstone)
        let tombstones = try target.reader.count(name, query: Capabilities.tombstones())
        let fields = TargetMapping.fieldCount(TargetMapping.bare(try target.writer.mapping(name)))
        return WorkSnapshot.Index(
            index: name, documents: Int(clamping: documents), tombstones: Int(clamping: tombstones), fields: fields)
    }
}
