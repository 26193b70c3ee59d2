import Commands

extension Lane {
    /// Applies queued operations in order, as many as fit one write.
    func fold(
        _ start: LaneBase, missing: MissingDocument, using transform: some LaneTransform
    ) -> LaneFold {
        var fold = LaneFold(base: start)
        if case .source(let document) = start.state { begin(&fold, document, using: transform) }
        let limit = alone > 0 ? 1 : KeyLanes.largestFold
        var work = 0
        while let operation = queue.first, operation.routing == routing, fold.folded.count < limit,
            work < KeyLanes.largestWork
        {
            if operation.version <= fold.base.version, !renews(operation, fold.base) {
                supersede(operation, &fold)
            } else if operation.kind.readsBase, case .absent = fold.base.state, readDuringCopy,
                !fold.base.isElsewhere
            {
                // Nothing is folded yet, because any index or delete would have changed the state. What was dropped is
                // put back and judged again, with the same result.
                queue.putBack(fold.dropped)
                var again = LaneFold(base: start)
                again.needsSource = true
                return again
            } else if passes(over: operation, fold.base, missing) {
                fold.settled.outcomes.append(LaneOutcome(token: operation.token, outcome: .skipped))
                fold.dropped.append(operation)
                // The operations behind one that is tried alone need another base.
                if alone > 0 { _ = queue.next(); break }
            } else {
                do throws(LaneError) {
                    fold.base.state = try apply(operation, to: fold.base, missing, using: transform)
                    fold.base.version = operation.version
                    if !operation.kind.readsBase { fold.replaced = fold.folded.count }
                    if operation.kind == .index { fold.base.isElsewhere = false }
                    fold.folded.append(LaneFolded(operation: operation, outcome: Self.outcome(operation.kind)))
                } catch {
                    fold.settled.rejects.append(
                        LaneReject(token: operation.token, reason: error.reason, detail: error.detail))
                    fold.dropped.append(operation)
                    // One that was to be tried alone had its turn.
                    if alone > 0 { _ = queue.next(); break }
                }
            }
            work += operation.document.count + (operation.kind.readsBase ? fold.base.heldBytes : 0)
            _ = queue.next()
        }
        for at in 0..<fold.replaced where fold.folded[at].outcome != .stale {
            fold.folded[at].outcome = .superseded
        }
        return fold
    }

    /// The source's own document becomes the base, as the copied page would. A document that cannot be brought into
    /// TARGET form is not copied either: it counts as missing, so it does not matter whether copy or update comes
    /// first.
    private func begin(_ fold: inout LaneFold, _ document: [UInt8], using transform: some LaneTransform) {
        do throws(LaneError) {
            fold.base.state = .document(try transform.apply(entry: entry, document: document))
            fold.isOnSource = true
        } catch {
            fold.base = .nowhere
        }
    }

    /// The operation is older than the base.
    private func supersede(_ operation: LaneOperation, _ fold: inout LaneFold) {
        if fold.isOnSource {
            // The document that makes it stale is not in the target yet, so it is settled when that is written.
            fold.folded.append(LaneFolded(operation: operation, outcome: .stale))
        } else {
            fold.settled.outcomes.append(
                LaneOutcome(token: operation.token, outcome: .stale, newer: fold.base.version))
            fold.dropped.append(operation)
        }
    }

    /// Whether the operation does nothing, because there is no document that it could concern.
    private func passes(over operation: LaneOperation, _ base: LaneBase, _ missing: MissingDocument) -> Bool {
        guard !base.isAlive else { return false }
        return operation.kind == .leave || (operation.kind == .merge && missing == .ignore)
    }

    private static func outcome(_ kind: OperationKind) -> Outcome {
        switch kind {
        case .merge: .merged
        case .index, .keep: .indexed
        case .leave: .skipped
        case .delete: .deleted
        }
    }

    /// Whether a delete that was read again finds its own tombstone. It is then written over it, once, which makes the
    /// tombstone young again: operations that were read again before it may arrive as late as this, and the purge goes
    /// by the tombstone's time (P5 in docs/architecture.md).
    private func renews(_ operation: LaneOperation, _ base: LaneBase) -> Bool {
        guard !hasRenewed, operation.kind == .delete, operation.version == base.version, case .deleted = base.state
        else { return false }
        hasRenewed = true
        return true
    }

    private func apply(
        _ operation: LaneOperation, to present: LaneBase, _ missing: MissingDocument,
        using transform: some LaneTransform
    ) throws(LaneError) -> LaneBase.State {
        switch operation.kind {
        case .delete: return .deleted
        case .index: return .document(try transform.apply(entry: entry, document: operation.document))
        case .merge, .keep: break
        case .leave: throw LaneError.moves
        }
        var base: [UInt8]?
        if case .document(let document) = present.state { base = document }
        if base == nil, present.isElsewhere {
            throw LaneError.moves
        }
        if operation.kind == .keep {
            guard let base else {
                throw LaneError(
                    reason: "missing_document",
                    detail: "a row whose large columns did not come, of a document that is neither in the target nor "
                        + "to be had from the source")
            }
            return .document(try transform.keep(entry: entry, base: base, row: operation.document))
        }
        guard base != nil || missing == .create else {
            throw LaneError(
                reason: "missing_document",
                detail: "a partial update of a document that is neither in the target nor to be had from the source")
        }
        return .document(try transform.merge(entry: entry, base: base, partial: operation.document))
    }
}
