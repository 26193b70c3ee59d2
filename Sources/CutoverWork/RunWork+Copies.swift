import Cutover
import Failures
import Migration
import Parity
import Planning
import Recipe
import SearchCluster

/// `run` without a command topic: copies keep the new side current.
extension RunWork {
    var way: RunMachine.Way {
        recipe.hasCommands ? .commands : .copies(below: options.below, hasDeltas: recipe.copy.since != nil)
    }

    /// Whether copies keep something current by now.
    var keepsByCopies: Bool { !recipe.hasCommands && seen.isMade && !seen.isCopyDue }

    /// The old side was written, and nobody knows which documents.
    var needsSince: WorkError {
        let count = seen.sourceWrites ?? 0
        return WorkError(
            .refused,
            "\(count) write\(count == 1 ? "" : "s") to the old side since the copy, and the recipe does not say how to "
                + "find them. Name the field with the time of a document's last change (copy.since: { field: "
                + "modified_at }), and run goes on with copies of what changed. If the documents have no such field: "
                + "stop the writers, then crossfade copy \(recipe.typed), which reads everything again, and then run")
    }

    /// What copies alone have to know.
    func addCopies(_ facts: inout RunMachine.Facts, _ prepared: Preflight) throws(ClusterError) {
        guard let copy = prepared.survey.state?.copy, copy.finished != nil else { return }
        // It compares what was there before that copy.
        if let newest = prepared.survey.state?.newestReceipt(of: prepared.fingerprint),
            newest.oldestRead < copy.finished ?? .max
        {
            facts.receipt = nil
        }
        guard let before = copy.sourceWritten else { return }
        switch WriteMark.change(from: before, to: try prepared.survey.writeMarks()) {
        case .writes(let count):
            facts.sourceWrites = count
            if count == 0 { board.find(.delta, Self.still) }
        case .unknown(let why):
            logger.debug("what was written to the old side cannot be told", ["because": why])
        }
    }

    private static let still = "nobody has written to the old side since the last copy"

    /// What was written to the old side, in words; nil: commands bring it, or it cannot be told.
    var sourceWords: String? {
        guard !recipe.hasCommands, let count = seen.sourceWrites else { return nil }
        guard count > 0 else { return Self.still }
        return
            "\(count) write\(count == 1 ? "" : "s") to the old side since the last copy: stop the writers, and it goes "
            + "on"
    }

    func delta() throws -> RunMachine.Outcome {
        let prepared = try CopyWork.prepared(recipe, confirmation: nil, logger: logger)
        var came: Summary?
        try serve(prepared, CopyWork.command) { came = try CopyWork($0, confirmation: nil, since: .last).run() }
        guard let summary = came else { throw Self.unserved }
        guard summary.complete else {
            board.end(.delta, .next, "interrupted: " + summary.words)
            return .looked
        }
        done(.delta, summary.words)
        return .copied(documents: summary.returned ?? 0)
    }
}
