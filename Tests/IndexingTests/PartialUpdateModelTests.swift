import Commands
import Seeds
import Testing

@testable import Indexing

/// One worker with its batches, in front of a target with external versions; answers come in any order, and some
/// requests are repeated.
private final class SimulatedWorker {
    struct Write {
        var id: String
        var version: Int64
        var document: [UInt8]?
        /// Of a key lane.
        var lane: LaneKey?
    }

    struct Batch {
        var id: BatchID
        var writes: [Write] = []
    }

    var random: Seeded
    let transform = FieldTransform()
    var coordinator = PartialUpdateCoordinator(
        missing: [.create], isNeeded: true, readBytes: 300 << 10, copyUnfinished: false)
    var assembler = BatchAssembler(entries: 1, limits: BatchLimits(documents: 4, bytes: .max))
    var open: Batch?
    var sent: [Batch] = []
    var reads: [[LaneFetch]] = []
    var target: [String: (version: Int64, document: [UInt8]?)] = [:]
    /// Final outcomes by version, and tokens to versions.
    var outcomes: [Int64: Int] = [:]
    var tokens: [UInt64: Int64] = [:]
    var broken: [String] = []

    init(_ seed: UInt64) { random = Seeded(seed) }

    func take(_ id: String, _ kind: OperationKind, _ version: Int64, _ document: String) {
        withOperation(id, kind, version, document) { operation in
            switch coordinator.route(.operation(operation), onlyDeletes: false) {
            case .keyLane(let operation): tokens[coordinator.append(operation, recordBytes: 50)] = version
            case .batch(let operation):
                let body = try? transform.apply(entry: 0, document: bytes(document))
                let batch = put(Write(id: id, version: version, document: kind == .delete ? nil : body))
                coordinator.sent(operation, in: batch.serial)
            case .skip, .reject: broken.append("an operation was not taken")
            }
        }
    }

    @discardableResult func put(_ write: Write) -> BatchID {
        var batch = open ?? Batch(id: assembler.open(0, now: 0))
        batch.writes.append(write)
        open = batch
        if assembler.isFull(documents: batch.writes.count, bytes: 0) { send() }
        return batch.id
    }

    func send() {
        guard let batch = open else { return }
        if assembler.take(0) != batch.id { broken.append("another batch is open") }
        sent.append(batch)
        open = nil
    }

    func act() {
        while let action = coordinator.next(isFull: random.chance(30), using: transform) {
            switch action {
            case .settle(let all): for one in all { settle(tokens.removeValue(forKey: one.token)) }
            case .reject(let all): for one in all { settle(tokens.removeValue(forKey: one.token)) }
            case .readTarget(let fetches):
                for fetch in fetches where isUnderWay(fetch.id) { broken.append("a base was read too early") }
                reads.append(fetches)
            case .readSource: broken.append("the source was read although the copy is finished")
            case .write(let write):
                let document: [UInt8]? = if case .document(let document) = write.body { document } else { nil }
                put(
                    Write(
                        id: String(decoding: write.id, as: UTF8.self), version: write.version, document: document,
                        lane: write.key))
            }
        }
    }

    private func settle(_ version: Int64?) {
        guard let version else { return broken.append("a token was settled twice") }
        outcomes[version, default: 0] += 1
    }

    private func isUnderWay(_ id: [UInt8]) -> Bool {
        let id = String(decoding: id, as: UTF8.self)
        return (sent + [open].compactMap { $0 }).contains { $0.writes.contains { $0.lane == nil && $0.id == id } }
    }

    func answer() {
        if !sent.isEmpty, random.chance(60) {
            let at = random.below(sent.count)
            var again: [Write] = []
            for write in sent[at].writes {
                if random.chance(20) { again.append(write) } else { apply(write) }
            }
            sent[at].writes = again
            if again.isEmpty { coordinator.finished(batch: sent.remove(at: at).id.serial) }
        } else if !reads.isEmpty {
            let fetches = reads.remove(at: random.below(reads.count))
            coordinator.basesRead(fetches.map(base))
        }
    }

    private func base(_ fetch: LaneFetch) -> BaseAnswer {
        guard random.chance(80) else { return .failed(fetch.key) }
        let there = target[String(decoding: fetch.id, as: UTF8.self)]
        return .target(
            fetch.key, found: there != nil, tombstone: there != nil && there?.document == nil,
            version: there?.version ?? 0, document: there?.document)
    }

    private func apply(_ write: Write) {
        let isStale = (target[write.id]?.version ?? 0) >= write.version
        if !isStale { target[write.id] = (write.version, write.document) }
        guard let lane = write.lane else { return settle(write.version) }
        coordinator.written(lane, isStale ? .stale(newer: nil) : .applied)
    }

    var isBusy: Bool { coordinator.isBusy || open != nil || !sent.isEmpty }
}

@Suite struct PartialUpdateModelTests {
    /// Every record has one outcome, the target ends as one by one would have left it, and no base is read while a
    /// batch still writes its key.
    @Test func sameAsOneByOne() {
        let first = newSeed("PartialUpdateCoordinator sameAsOneByOne")
        for round in 0..<300 {
            let seed = first &+ UInt64(round)
            let worker = SimulatedWorker(seed)
            var model: [String: [UInt8]?] = [:]
            for version in Int64(1)...60 {
                let id = "id\(worker.random.below(5))"
                let kind = worker.random.pick([OperationKind.merge, .merge, .index, .index, .delete])
                let document = kind == .delete ? "" : "\(worker.random.pick(["a", "b", "c"]))=\(version);"
                worker.take(id, kind, version, document)
                switch kind {
                case .delete: model[id] = .some(nil)
                case .index: model[id] = try? worker.transform.apply(entry: 0, document: bytes(document))
                case .keep, .leave: break
                case .merge:
                    model[id] = try? worker.transform.merge(
                        entry: 0, base: model[id] ?? nil, partial: bytes(document))
                }
                if worker.random.chance(40) { worker.act() }
                if worker.random.chance(20) { worker.send() }
                if worker.random.chance(40) { worker.answer() }
            }
            var steps = 0
            while worker.isBusy, steps < 20_000 {
                worker.act()
                worker.send()
                worker.answer()
                steps += 1
            }
            #expect(!worker.isBusy && worker.broken.isEmpty, "seed \(seed): \(worker.broken)")
            #expect(worker.outcomes.count == 60 && worker.outcomes.values.allSatisfy { $0 == 1 }, "seed \(seed)")
            #expect(worker.coordinator.heldBytes == 0 && worker.tokens.isEmpty, "seed \(seed)")
            for (id, document) in model { #expect(worker.target[id]?.document == document, "seed \(seed) \(id)") }
        }
    }
}
