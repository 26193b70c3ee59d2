import Cutover
import Migration
import Planning
import Recipe
import State
import Telemetry

extension Status {
    /// The same with what a rollover would find about the state index, the readers' aliases, the way back, writes to
    /// the old side that nothing brings over, and the hold file. Only before a rollover: after it, the way back says
    /// where the aliases stand.
    package func lookingAtReaders(logger: Logger) -> Status {
        let survey = prepared.survey
        guard let state = survey.state, state.cutover.position == .before || state.cutover.position == .rolledBack
        else { return self }
        let session = CutoverSession(prepared, logger: logger)
        let look = GateLook(session: session, status: self)
        var found = [look.stateWrites(), look.hold()]
        let receipt = Result { try session.newestReceipt(state) }
        if let aliases = try? AliasLook.take(session, only: nil) {
            found += aliases.problems
            if aliases.problems.isEmpty, let way = try? look.wayBack(aliases.moves, comparedIn: receipt.get()) {
                found.append(way)
            }
        }
        if let newest = state.newestReceipt(of: state.fingerprint), newest.verdict == .equal,
            let writes = try? SourceWrites(session).gate(newest.id, receipt.get(), state)
        {
            found.append(writes)
        }
        var status = self
        status.standing.blocked = found.filter { $0.verdict == .failed }
        return status
    }
}
