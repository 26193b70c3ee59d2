import Cutover
import Planning
import SearchCluster

/// Whether the user may do all that is about to be done, so that no refusal of the cluster is met half way.
enum RightsGate {
    /// A cluster that cannot be asked stops nothing.
    static func look(_ session: CutoverSession, at stages: Set<Rights.Stage>) throws -> Gate {
        let rights = Rights.all(
            of: session.recipe, session.prepared.survey, isOneCluster: session.isOneCluster)
        let look = try RightsLook.take(rights, at: stages, source: nil, target: session.target)
        if let missing = look.words(at: stages) {
            return .failed(
                .rights, "the user lacks privileges: \(missing)",
                mend: "grant them: docs/guide.md, \"Privileges\", has roles to copy")
        }
        if let why = look.unknown.first { return .passed(.rights, "it is not known whether any is missing: \(why)") }
        return .passed(
            .rights,
            look.count == 0
                ? "the target checks no privileges" : "all \(look.count) privileges that it needs are there")
    }
}
