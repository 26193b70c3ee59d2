import Failures
import Parity
import Planning
import Recipe
import State
import Telemetry

extension VerifyWork {
    /// Goes on from a receipt, and compares everything where the look at it finds that it proves nothing any more.
    ///
    /// - Parameters:
    ///   - since: nil: there is none to go on from.
    ///   - verify: verifies since a receipt, or everything.
    package static func whole(
        unless since: String?, _ recipe: Recipe, _ prepared: Preflight, logger: Logger,
        verify: (String?) throws -> Receipt
    ) throws -> Receipt {
        guard let since else { return try verify(nil) }
        do {
            return try verify(since)
        } catch let error as WorkError where error.code == .refused || error.code == .state {
            let store = StateStore(target: prepared.survey.target, name: recipe.name)
            let receipts = ReceiptStore(store, target: prepared.survey.target)
            guard try receipts.check(since) == .intact else { return try verify(nil) }
            guard error.code == .refused, let base = try receipts.load(since) else { throw error }
            guard base.namesAllOpen else { return try verify(nil) }
            guard case .void = try ReceiptLook.standing(of: base, in: receipts, recipe, logger: logger)
            else { throw error }
            return try verify(nil)
        }
    }
}
