import Planning
import Runtime
import Schema
import SearchCluster
import State

extension TargetMonitor {
    /// Looks up what only those who watch want to know, and only while somebody watches: the members, the dead letters,
    /// and what the target indices hold.
    func lookForThoseWhoWatch() {
        // A target that is away has nothing to say.
        guard live.isWatched, live.targetIsThere else { return }
        let now = MonotonicClock.milliseconds()
        if looks.isDueForMembers(now) { live.sees(members: ask { try directory.read() }) }
        if live.command == "follow", looks.isDueForLetters(now) {
            live.lookUpLetters()
            looks.readLetters(from: now, to: MonotonicClock.milliseconds(), areKnown: live.knowsLetters)
        }
        if looks.isDueForIndices(now) {
            live.sees(indices: ask { try prepared.survey.entries.map { try Self.index($0.index, target) } })
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
