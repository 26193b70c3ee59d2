import Commands
import Indexing
import JSONText

/// How the recipe tells documents apart, and what the log says of them.
enum Layout: Int, CaseIterable, Sendable {
    /// One entry, no routing: the envelope format, with partial updates.
    case single
    /// Two entries by a field of the row, and a routing that may be absent (`missing: id`). Debezium writes the whole
    /// row as it was before.
    case rows
    /// Two entries by a field of the row. Debezium writes no more than the key of the row before, and
    /// `select.missing` is `every`.
    case keys
    /// Two entries by a field of the document: the envelope format, with partial updates. Deletes carry no more than an
    /// id, and `select.missing` is `every`.
    case parts

    var entries: Int { self == .single ? 1 : 2 }
    var shards: Int { self == .rows ? 2 : 1 }
    /// Whether commands are change events of Debezium.
    var isEvents: Bool { self == .rows || self == .keys }
    /// Slots of the new cluster per id.
    var places: Int { entries * shards }

    /// As the recipe would have it.
    var format: CommandFormat {
        func selectors(_ field: String) -> [CommandFormat.Selector?] {
            (0..<entries).map { CommandFormat.Selector(field: JSONPath(names: [field, "kind"]), equals: "\($0)") }
        }
        guard isEvents else {
            var format = CommandFormat(
                shape: .envelope(
                    CommandFormat.Envelope(
                        id: .field(JSONPath(names: ["id"])), operation: JSONPath(names: ["command"]),
                        index: ["Insert"], merge: ["Update"], delete: ["Delete"], ignore: ["Ping"],
                        document: JSONPath(names: ["message"]))),
                selectors: self == .single ? [nil] : selectors("message"))
            if self == .parts { format.rules.unattributed = .every }
            return format
        }
        var format = CommandFormat(
            shape: .debezium(id: nil), routing: self == .rows ? JSONPath(names: ["r"]) : nil,
            missingRoutingIsID: self == .rows, selectors: selectors("after"))
        if self == .keys { format.rules.unattributed = .every }
        return format
    }
}

extension World {
    var layout: Layout { setup.layout }

    /// The slot of the new cluster that a write goes to: a shard has one document per id, whatever its routing.
    func slot(_ id: Int, entry: Int = 0, routing: Int16 = Document.absent) -> Int {
        guard layout != .single else { return id }
        return (entry * layout.shards + shard(id, routing)) * setup.ids + id
    }

    /// Routings 2 and 3 lead to the same shard.
    private func shard(_ id: Int, _ routing: Int16) -> Int {
        guard layout.shards > 1 else { return 0 }
        return routing == Document.absent ? id & 1 : routing == 1 ? 0 : 1
    }

    func slot(of item: Item) -> Int { slot(item.id, entry: item.entry, routing: item.routing) }

    /// Where a document belongs; nil: no entry takes it.
    func slot(_ id: Int, of document: Document?) -> Int? {
        guard let document else { return nil }
        guard layout != .single else { return id }
        guard document.kind >= 0, document.kind < layout.entries else { return nil }
        return slot(id, entry: Int(document.kind), routing: document.routing)
    }

    func id(of slot: Int) -> Int { slot % setup.ids }

    // MARK: Application

    /// Changes a row. The event says where it was before, as far as the layout has it.
    func writeRow(_ id: Int, _ b: Int) -> Entry {
        var entry = Entry(kind: .command, id: id)
        entry.former = rows[id]
        // Deletes and partial updates without routing are dead letters for ever, so no such row is deleted.
        let canGo = rows[id].map { layout != .rows || $0.routing != Document.absent } ?? false
        switch b & 15 {
        case 11..<14 where canGo: entry.verb = .delete
        case 5..<11 where layout == .parts: return writePart(entry, b)
        case 14: return Entry(kind: b >> 12 & 1 == 0 ? .ping : .junk, id: id)
        default: entry.verb = .insert
        }
        if entry.verb == .insert {
            entry.document.fields[0] = topic.value()
            // Of three kinds two have an entry.
            entry.document.kind = Self.kinds[b >> 8 & 3]
            if layout == .rows, b >> 10 & 3 > 0 { entry.document.routing = Int16(b >> 10 & 3) }
        }
        rows[id] = entry.verb == .delete ? nil : entry.document
        return entry
    }

    private static let kinds: [Int16] = [0, 1, 2, 0]

    /// A partial update. Some would move the document, and are dead letters.
    private func writePart(_ entry: Entry, _ b: Int) -> Entry {
        var entry = entry
        entry.verb = .update
        entry.document.fields[b >> 4 & 3] = topic.value()
        entry.document.kind = rows[entry.id]?.kind ?? Int16(b >> 8 & 1)
        if let row = rows[entry.id], row.kind < layout.entries, b >> 6 & 7 == 1 {
            entry.document.kind = row.kind == 0 ? Self.kinds[1 + b >> 9 & 1] : 2 * Int16(b >> 9 & 1)
        }
        OldCluster.apply(entry, to: &rows[entry.id], creates: true)
        return entry
    }

    /// What a lane finds that looks for a base of its own entry and then in the other.
    func base(_ id: Int, _ entry: Int) -> (slot: NewCluster.Slot, isElsewhere: Bool) {
        let own = new.slots[slot(id, entry: entry)]
        guard layout == .parts, own.version == 0 || own.isTombstone else { return (own, false) }
        let other = new.slots[slot(id, entry: 1 - entry)]
        return (own, other.version > 0 && !other.isTombstone)
    }

    /// The same of the old cluster.
    func sourceBase(_ id: Int, _ entry: Int) -> (document: Document?, isElsewhere: Bool) {
        guard let document = readOld(id), layout != .single, document.kind != entry else { return (readOld(id), false) }
        return (nil, document.kind < layout.entries)
    }

    // MARK: Outcomes

    /// Where a command must have left its mark, and at least with which version: at its own place, and where the
    /// document was before.
    func isWritten(_ entry: Entry, version: Int64) -> Bool {
        guard layout != .single else { return new.slots[entry.id].highest >= version }
        let own = slot(entry.id, of: entry.verb == .delete ? nil : entry.document)
        if let own, new.slots[own].highest < version { return false }
        if entry.verb == .update { return true }
        guard let former = slot(entry.id, of: entry.former), former != own else { return true }
        let isSameEntry = own != nil && entry.former?.kind == entry.document.kind
        return new.slots[former].highest >= (isSameEntry ? version - 1 : version)
    }
}

extension Engine {
    var decoder: CommandDecoder { world.tools.decoders[world.layout.rawValue] }

    /// Decodes a record, and sends the tombstones that it writes beside its own operation.
    func decode(_ record: Record, _ run: RunID, then body: (Decoded) -> Void) {
        let decoded = decoder.decode(record)
        // They come first, as in the workers.
        if case .operation(let operation) = decoded { takeCompanions(of: operation, record, run) }
        body(decoded)
    }

    private func takeCompanions(of operation: Operation, _ record: Record, _ run: RunID) {
        let companions = decoder.companions
        guard !companions.isEmpty, world.on(.moveTombstones) else { return }
        guard kind != .restore || world.on(.movesRestored) else { return }
        if world.on(.companionsFirst) { book.expect(companions.count, in: run) }
        for companion in companions {
            let tombstone = companion.tombstone(of: operation)
            var item = Item(id: Self.id(tombstone.id), version: tombstone.version, body: [], isTombstone: true)
            if tombstone.entry == operation.entry, !world.on(.formerRoutingBelow) { item.version = operation.version }
            (item.run, item.partition, item.offset) = (run, Int(record.partition), Int(record.offset))
            (item.entry, item.routing) = (tombstone.entry, Self.routing(tombstone.routing))
            item.isCompanion = true
            if coordinator.mustWait(tombstone) {
                waiting[coordinator.append(tombstone, recordBytes: 0)] = Waiting(
                    run: run, partition: item.partition, offset: item.offset, id: item.id, companion: item)
                continue
            }
            let batch = add(item)
            if world.on(.laneWaits) { coordinator.sent(tombstone, in: batch.serial) }
        }
    }

    /// A companion has its final answer.
    func conclude(companion item: Item) {
        if world.on(.companionsFirst) { book.conclude(1, in: item.run) }
    }

    static func id(_ text: Bytes) -> Int { Int((text.first ?? 0) &- UInt8(ascii: "a")) }

    static func routing(_ text: Bytes?) -> Int16 {
        text?.first.map { Int16($0) - Int16(UInt8(ascii: "0")) } ?? Document.absent
    }
}
