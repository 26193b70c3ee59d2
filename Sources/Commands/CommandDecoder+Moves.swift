import JSONText

/// Moves: an operation that puts a document into one entry deletes it in the others, and under its former routing.
///
/// In another index the tombstone carries the version of the record. Under another routing of the same index it carries
/// the version before that: both routings may lead to the same shard, where id and document are the same, and the
/// document must win there.
extension CommandDecoder {
    /// Where a document was before this event.
    private enum Former {
        /// It was in no entry.
        case nowhere
        case entry(Int)
        case unknown

        func mayBe(in other: Int) -> Bool {
            switch self {
            case .nowhere: false
            case .entry(let entry): entry == other
            case .unknown: true
            }
        }
    }

    /// Tombstones of the id in all entries but one.
    func addCompanions(besides entry: Int, routing: Bytes?, version: Int64) {
        var other = 0
        while other < format.selectors.count {
            if other != entry { companions.append(Companion(entry: other, routing: routing, version: version)) }
            other &+= 1
        }
    }

    /// The operation of a document or of a command that has no `before`. `entry`: as ``attribute(_:_:_:_:)`` gave it.
    /// Nil when nothing is to be done.
    @inline(__always) func place(_ operation: Operation) -> Operation? {
        guard writesCompanions else { return operation.entry < 0 ? nil : operation }
        return placeWithCompanions(operation)
    }

    private func placeWithCompanions(_ operation: Operation) -> Operation? {
        switch operation.entry {
        case Attribution.every: return everywhere(operation)
        case Attribution.none:
            guard tombstonesMoves else { return nil }
            if operation.kind == .merge { return leaving(operation) }
            return operation.kind == .index ? everywhere(operation) : nil
        default:
            if operation.kind == .index, tombstonesMoves {
                addCompanions(besides: operation.entry, routing: operation.routing, version: operation.version)
            }
            return operation
        }
    }

    private func leaving(_ operation: Operation) -> Operation {
        var leaving = operation
        (leaving.kind, leaving.entry) = (.leave, 0)
        return leaving
    }

    /// A delete of the id in every entry.
    private func everywhere(_ operation: Operation) -> Operation {
        addCompanions(besides: 0, routing: operation.routing, version: operation.version)
        return Operation(
            kind: .delete, entry: 0, id: operation.id, routing: operation.routing, version: operation.version,
            document: Self.nothing)
    }

    /// A row that no entry takes may have been in one before.
    func movedOut(_ record: Record, _ event: DecoderLayout.Event, _ text: Bytes) throws(Reject) -> Operation? {
        guard tombstonesMoves else { return nil }
        let former = try former(event, text, record.key)
        if case .nowhere = former { return nil }
        guard let id = try? debeziumID(record) else { return nil }
        var routing: Bytes?
        if case .known(let before) = try formerRouting(event, text) {
            routing = before
        } else {
            routing = try self.routing(event.after, text, .index)
        }
        let operation = Operation(
            kind: .delete, entry: 0, id: id, routing: routing,
            version: try version(record, event.after, text), document: Self.nothing)
        guard case .entry(let entry) = former else { return everywhere(operation) }
        var placed = operation
        placed.entry = entry
        return placed
    }

    /// The same for a change event, whose `before` may tell where the document was.
    func place(
        _ operation: Operation, _ event: DecoderLayout.Event, _ text: Bytes, _ key: Bytes?
    ) throws(Reject) -> Operation? {
        guard writesCompanions, operation.kind != .delete, operation.entry != Attribution.every else {
            return place(operation)
        }
        let former = try former(event, text, key)
        let formerly = try formerRouting(event, text)
        if operation.kind == .keep {
            try refuseMove(of: operation, from: former, formerly)
            return operation
        }
        if tombstonesMoves {
            switch former {
            case .nowhere: break
            case .unknown:
                addCompanions(besides: operation.entry, routing: operation.routing, version: operation.version)
            case .entry(let entry) where entry != operation.entry:
                companions.append(
                    Companion(
                        entry: entry, routing: formerly.routing(else: operation.routing), version: operation.version))
            case .entry: break
            }
        }
        if case .known(let routing) = formerly, former.mayBe(in: operation.entry),
            !Self.isSame(routing, operation.routing), operation.version > 1
        {
            companions.append(
                Companion(entry: operation.entry, routing: routing, version: operation.version &- 1))
        }
        return operation
    }

    /// What is to be kept lies elsewhere.
    private func refuseMove(
        of operation: Operation, from former: Former, _ formerly: FormerRouting
    ) throws(Reject) {
        var hasMoved = false
        if case .entry(let entry) = former, tombstonesMoves, entry != operation.entry { hasMoved = true }
        if case .known(let routing) = formerly, !Self.isSame(routing, operation.routing) { hasMoved = true }
        guard hasMoved else { return }
        throw Reject(
            reason: "moves",
            detail: "the document moves to another index or routing, and Debezium did not get the value of a column "
                + "that is to be kept")
    }

    private func former(_ event: DecoderLayout.Event, _ text: Bytes, _ key: Bytes?) throws(Reject) -> Former {
        guard layout.isSelective else { return .unknown }
        guard format.rules.beforeIsProof else { return .unknown }
        guard extractor[event.before.row].kind == .object else {
            // A row that was created was not there before.
            let operation = extractor[event.operation].bytes(of: text)
            return operation.elementsEqual("\"c\"".utf8) ? .nowhere : .unknown
        }
        switch try find(event.before, text, isWhole: false, key) {
        case Attribution.none: return .nowhere
        case Self.unknown: return .unknown
        case let entry: return .entry(entry)
        }
    }

    /// The routing that a document had before this event.
    private enum FormerRouting {
        case unknown
        case known(Bytes?)

        func routing(else other: Bytes?) -> Bytes? {
            if case .known(let routing) = self { return routing }
            return other
        }
    }

    private func formerRouting(_ event: DecoderLayout.Event, _ text: Bytes) throws(Reject) -> FormerRouting {
        guard event.before.routing >= 0, extractor[event.before.row].kind == .object else { return .unknown }
        let slice = extractor[event.before.routing]
        switch slice.kind {
        case .string, .number, .boolean:
            let routing = try content(slice, text, formerRoutingScratch)
            return routing.count > 0 ? .known(routing) : layout.missingRoutingIsID ? .known(nil) : .unknown
        case .absent, .null: return layout.missingRoutingIsID ? .known(nil) : .unknown
        case .array, .object: return .unknown
        }
    }

    private static func isSame(_ one: Bytes?, _ other: Bytes?) -> Bool {
        guard let one, let other else { return one == nil && other == nil }
        return one.elementsEqual(other)
    }
}
