import Commands

/// What the driver of a ``PartialUpdateCoordinator`` has to do.
public enum PartialUpdateAction: Sendable {
    /// The records have their final outcome.
    case settle([LaneOutcome])
    /// The records go to the dead letters.
    case reject([LaneReject])
    /// Read these documents from the target by real-time get, and answer with
    /// ``PartialUpdateCoordinator/basesRead(_:)``.
    case readTarget([LaneFetch])
    /// The same from the source, where the answer is a document in SOURCE form.
    case readSource([LaneFetch])
    /// Send this write, as often as it takes, and answer with ``PartialUpdateCoordinator/written(_:_:)``. Its body is
    /// never ``LaneWrite/Body/nothing``.
    case write(LaneWrite)
}

/// What reading a base came to. Each key that was to be read is answered once.
public enum BaseAnswer: Sendable {
    /// What the target has; `document` is nil when it is not found.
    case target(LaneKey, found: Bool, tombstone: Bool, version: Int64, document: [UInt8]?)
    /// The source's own document, and the version that its copied page carries; nil: the source has none.
    case source(LaneKey, document: [UInt8]?, version: Int64)
    /// It is not alive in its entry but in another one. `tombstone`: its own entry has a tombstone, of this version.
    case elsewhere(LaneKey, tombstone: Bool, version: Int64)
    /// The base can never be read.
    case unreadable(LaneKey, reason: String, detail: String)
    /// The read failed and is to be given out again.
    case failed(LaneKey)

    /// Bytes of the document that came; nil: none came.
    var documentBytes: Int? {
        switch self {
        case .target(_, _, _, _, let document), .source(_, let document, _): document?.count
        case .unreadable, .failed, .elsewhere: nil
        }
    }
}

/// What becomes of a record that was decoded.
public enum RecordRoute {
    /// Nothing is to be done: its outcome is `skipped`.
    case skip
    /// It can never become a write and goes to the dead letters.
    case reject(Reject)
    /// It waits in its key's lane: ``PartialUpdateCoordinator/append(_:recordBytes:)``.
    case keyLane(Operation)
    /// It goes into its entry's open batch.
    case batch(Operation)
}
