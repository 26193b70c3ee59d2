import Commands
import Indexing
import JSONText
import Seeds
import Testing

/// Documents that move between entries, with answers in any order, batches that are sent again, and records that are
/// read again: in the end each is in the entry of its last command, and nowhere else.
///
/// Decoder and outcome book are the product's. The index is a model: the greatest version wins, and a tombstone is
/// written over itself.
@Suite struct MovesTests {
    private struct Write {
        var entry: Int
        var id: String
        var version: Int64
        var document: String?
        var run: RunID
        var isCompanion: Bool
    }

    private struct Held {
        var version: Int64
        var document: String?
    }

    private static let format: CommandFormat = {
        func selector(_ equals: String) -> CommandFormat.Selector {
            CommandFormat.Selector(field: JSONPath(names: ["after", "kind"]), equals: equals)
        }
        var format = CommandFormat(
            shape: .debezium(id: nil), selectors: [selector("0"), selector("1"), selector("2")])
        format.rules.unattributed = .every
        return format
    }()

    private final class World {
        var random: Seeded
        let decoder = CommandDecoder(MovesTests.format)
        var book = OutcomeBook()
        var indices: [[String: Held]] = [[:], [:], [:]]
        var wires: [Write] = []

        init(_ seed: UInt64) {
            random = Seeded(seed)
            book.own(0)
        }

        func pick(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

        /// Decodes a record and sends its writes.
        func take(_ value: String?, key: String, offset: Int64) {
            guard let run = book.open(0, first: offset, next: offset + 1, count: 1) else { return }
            Array(key.utf8).withUnsafeBufferPointer { key in
                func decode(_ value: Bytes?) {
                    let record = Record(key: key, value: value, timestamp: 1, partition: 0, offset: offset)
                    guard case .operation(let operation) = decoder.decode(record) else {
                        return _ = book.settle(run, .skipped, 1)
                    }
                    let companions = decoder.companions
                    book.expect(companions.count, in: run)
                    for companion in companions { send(companion.tombstone(of: operation), run, isCompanion: true) }
                    send(operation, run, isCompanion: false)
                }
                guard let value else { return decode(nil) }
                Array(value.utf8).withUnsafeBufferPointer { decode($0) }
            }
        }

        private func send(_ operation: Operation, _ run: RunID, isCompanion: Bool) {
            wires.append(
                Write(
                    entry: operation.entry, id: String(repairing: operation.id), version: operation.version,
                    document: operation.kind == .delete ? nil : String(repairing: operation.document), run: run,
                    isCompanion: isCompanion))
        }

        /// Delivers any of the writes; now and then its answer is lost, and it is sent again.
        func deliver() {
            guard !wires.isEmpty else { return }
            let write = wires.remove(at: pick(wires.count))
            let held = indices[write.entry][write.id]
            let wins =
                held.map { write.document == nil ? write.version >= $0.version : write.version > $0.version } ?? true
            if wins { indices[write.entry][write.id] = Held(version: write.version, document: write.document) }
            if pick(4) == 0 { return wires.append(write) }
            if write.isCompanion {
                book.conclude(1, in: write.run)
            } else {
                _ = book.settle(write.run, wins ? .indexed : .stale, 1)
            }
        }
    }

    @Test func everyDocumentEndsInOneEntry() {
        let seed = newSeed("everyDocumentEndsInOneEntry")
        for round in 0..<400 {
            let world = World(seed &+ UInt64(round))
            var rows: [Int: Int] = [:]
            var log: [(key: String, value: String?)] = []
            for _ in 0..<world.pick(40) + 5 {
                let id = world.pick(4)
                let key = #"{"id":\#(id)}"#
                // `before` is there, or Postgres keeps the key alone.
                let before = rows[id].map { world.pick(2) == 0 ? #"{"id":\#(id),"kind":"\#($0)"}"# : "null" } ?? "null"
                if rows[id] != nil, world.pick(4) == 0 {
                    rows[id] = nil
                    log.append((key, #"{"op":"d","before":\#(before == "null" ? #"{"id":\#(id)}"# : before)}"#))
                    if world.pick(2) == 0 { log.append((key, nil)) }
                } else {
                    // A kind beyond the entries: it leaves all of them.
                    let kind = world.pick(4)
                    let op = rows[id] == nil ? "c" : "u"
                    rows[id] = kind
                    log.append(
                        (key, #"{"op":"\#(op)","before":\#(before),"after":{"id":\#(id),"kind":"\#(kind)"}}"#))
                }
            }
            play(log, world)
            for (id, _) in (0..<4).map({ ($0, 0) }) {
                for entry in 0..<3 {
                    let isThere = world.indices[entry]["\(id)"]?.document != nil
                    #expect(
                        isThere == (rows[id] == entry),
                        "seed \(seed &+ UInt64(round)): id \(id) in entry \(entry), kind \(rows[id] ?? -1)")
                }
            }
            #expect(world.book.committable()[0] == Int64(log.count) && world.book.unsettled == 0)
        }
    }

    /// Reads the log, now and then again from what is committed, while writes are delivered in any order.
    private func play(_ log: [(key: String, value: String?)], _ world: World) {
        var offset = 0
        var crashes = 2
        while offset < log.count || !world.wires.isEmpty {
            if offset < log.count, world.pick(2) == 0 {
                world.take(log[offset].value, key: log[offset].key, offset: Int64(offset))
                offset += 1
            } else if crashes > 0, world.pick(30) == 0 {
                crashes -= 1
                offset = Int(world.book.committable()[0] ?? 0)
                world.book.own(0)
                if offset > 0 { world.book.advance(0, to: Int64(offset)) }
            } else {
                world.deliver()
            }
        }
    }
}
