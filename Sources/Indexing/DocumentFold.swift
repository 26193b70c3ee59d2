import Basics
import Commands

/// What the commands of one document come to, taken in the order of the log: by the rules of the key lanes, so that it
/// is what the write path makes of them (P4 in docs/architecture.md).
public final class DocumentFold {
    public enum Content: Sendable, Equatable {
        /// No command says anything of it.
        case unnamed
        /// Partial updates only. What they are to be merged into is not among the commands.
        case parts
        /// In TARGET form.
        case document([UInt8])
        case deleted
        /// Its commands lie in two partitions, and their versions do not tell which of them is newer.
        case split
    }

    private let lane: Lane
    private let missing: MissingDocument
    private var base = LaneBase(state: .absent, version: LaneBase.none)
    private var waitingBytes = 0
    /// Whether it is made of partial updates of a document that was not there.
    public private(set) var isMadeOfParts = false

    /// Where its commands lie.
    private var partition: Int32?
    private var isSplit = false

    /// The document has one routing: commands with others are for another document.
    public init(entry: Int, id: [UInt8], routing: [UInt8]?, missing: MissingDocument) {
        lane = Lane(key: LaneKey(slot: 0, serial: 0), entry: entry, id: id, hash: 0, sameHash: -1)
        lane.routing = routing
        // A partial update without a base waits for one.
        lane.readDuringCopy = true
        self.missing = missing
    }

    /// Tells where the next command lies, where versions order only the commands of one partition.
    public func lies(in partition: Int32) {
        isSplit = isSplit || self.partition.map { $0 != partition } ?? false
        self.partition = partition
    }

    /// Adds the next command. One that cannot be applied is a dead letter and changes nothing, and so does one that is
    /// older than what was added before.
    public func add(
        _ kind: OperationKind, version: Int64, document: [UInt8], using transform: some LaneTransform
    ) {
        guard kind != .leave else { return }
        // At the same version a tombstone is written over a document, as the cluster does it (`external_gte`).
        let isOver = kind == .delete && version == self.version
        if isOver, newestWaiting == nil {
            base.state = .deleted
            isMadeOfParts = false
            return
        }
        let waiting = (lane.queue, newestWaiting, waitingBytes)
        if !kind.readsBase, let last = newestWaiting, version > last || isOver {
            // It replaces the partial updates that wait for their base.
            (lane.queue, newestWaiting, waitingBytes) = (FIFO(), nil, 0)
        }
        waitingBytes += document.count + 96
        lane.queue.append(
            LaneOperation(kind: kind, version: version, routing: lane.routing, document: document, token: 0))
        newestWaiting = max(newestWaiting ?? version, version)
        let wasDeleted = content == .deleted
        fold(using: transform)
        if content == .deleted || (!kind.readsBase && base.version == version) { isMadeOfParts = false }
        if wasDeleted, kind == .merge, case .document = content { isMadeOfParts = true }
        // It could not be applied after all.
        if content == .unnamed, waiting.1 != nil { (lane.queue, newestWaiting, waitingBytes) = waiting }
    }

    /// The greatest version of what waits for a base; nil: nothing waits.
    private var newestWaiting: Int64?

    private func fold(using transform: some LaneTransform) {
        while !lane.queue.isEmpty {
            let fold = lane.fold(base, missing: missing, using: transform)
            if fold.needsSource { return }
            base = fold.base
        }
        // An empty queue keeps the room of a few operations, and there is one for each document.
        lane.queue = FIFO()
        newestWaiting = nil
        waitingBytes = 0
    }

    /// Tells what partial updates that wait for their base are merged into. `document`: in TARGET form; nil: there is
    /// none anywhere, so the recipe's `missing` decides.
    public func merge(into document: [UInt8]?, version: Int64, using transform: some LaneTransform) {
        guard case .parts = content else { return }
        base = document.map { LaneBase(state: .document($0), version: version) } ?? .nowhere
        lane.readDuringCopy = false
        fold(using: transform)
        if document == nil, case .document = content { isMadeOfParts = true }
    }

    public var content: Content {
        guard !isSplit else { return .split }
        return switch base.state {
        case .document(let document): .document(document)
        case .deleted: .deleted
        case .source, .absent, .nowhere: newestWaiting == nil ? .unnamed : .parts
        }
    }

    /// The version of the last command that counts; -1: there is none.
    public var version: Int64 { max(base.version, newestWaiting ?? LaneBase.none) }

    /// What it needs of memory, in bytes, with an allowance for its own storage.
    public var heldBytes: Int { base.heldBytes + waitingBytes + lane.ownBytes + 160 }
}
