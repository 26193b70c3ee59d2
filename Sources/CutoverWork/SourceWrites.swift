import Cutover
import Parity
import Planning
import SearchCluster
import State
import Verification

/// Whether the old side was written since a receipt. Without a command topic nothing brings that to the new side.
struct SourceWrites {
    let session: CutoverSession

    init(_ session: CutoverSession) { self.session = session }

    /// - Parameters:
    ///   - id: of the receipt.
    ///   - receipt: nil: it is gone.
    func gate(_ id: String, _ receipt: Receipt?, _ state: MigrationState) throws -> Gate {
        let (recipe, survey) = (session.recipe, session.prepared.survey)
        guard !recipe.hasCommands else {
            return .passed(.sourceWrites, "what is written to the old side comes with the commands")
        }
        guard !state.adopted.isSuperset(of: survey.entries.map(\.index)) else {
            return .passed(.sourceWrites, "the application writes the new indices, too (init --adopt)")
        }
        let verify = "crossfade verify \(recipe.typed)"
        switch change(since: receipt?.sourceWritten) {
        case .writes(0): return .passed(.sourceWrites, "nobody has written to the old side since receipt \(id)")
        case .writes(let count):
            let copy = "crossfade copy \(recipe.typed)" + (recipe.copy.since == nil ? "" : " --since last")
            return .failed(
                .sourceWrites,
                "\(count) write\(count == 1 ? "" : "s") to the old side since receipt \(id), which nothing "
                    + "brings to the new one", mend: "stop the writers, then \(copy), then \(verify)")
        case .unknown(let why):
            return .failed(
                .sourceWrites, "it is not known whether the old side was written since receipt \(id): \(why)",
                mend: verify)
        }
    }

    /// What was written since; nil marks: nobody knows how far it was written then.
    func change(since marks: [WriteMark]?) -> WriteMark.Change {
        guard let marks else { return .unknown("nobody could look then") }
        if let why = session.prepared.survey.sourceUnknown { return .unknown(why) }
        do {
            return WriteMark.change(from: marks, to: try session.prepared.survey.writeMarks())
        } catch {
            return .unknown("\(error)")
        }
    }
}

extension CutoverSession {
    /// The newest receipt of the confirmed work; nil: there is none, or it is gone.
    func newestReceipt(_ state: MigrationState) throws -> Receipt? {
        guard let newest = state.newestReceipt(of: state.fingerprint) else { return nil }
        return try ReceiptStore(store, target: target).load(newest.id)
    }
}
