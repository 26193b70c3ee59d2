import Cutover
import Migration
import Planning
import Recipe
import State
import Telemetry

extension Status {
    /// The same with what a rollover would find about the readers' aliases and the hold file. Only before a rollover:
    /// after it, the way back says where the aliases stand.
    package func lookingAtReaders(logger: Logger) -> Status {
        let survey = prepared.survey
        guard let state = survey.state, state.cutover.position == .before || state.cutover.position == .rolledBack
        else { return self }
        let session = CutoverSession(prepared, logger: logger)
        var found = [GateLook(session: session, status: self).hold()].filter { $0.verdict == .failed }
        // Whoever names no alias may move the readers in another way; `plan` says it.
        let areNamed = survey.entries.allSatisfy {
            !ReadersRail.aliases(of: $0, isOneCluster: session.isOneCluster).isEmpty
        }
        if areNamed, let aliases = try? AliasLook.take(session, only: nil) { found += aliases.problems }
        var status = self
        status.standing.blocked = found
        return status
    }
}
