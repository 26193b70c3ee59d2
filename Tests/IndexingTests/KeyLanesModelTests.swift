import Commands
import Testing

@testable import Indexing

/// A cluster with external versions, driven through ``KeyLanes`` in random order, against the same operations applied one by one.
private struct Simulation {
    struct Stored: Equatable {
        var version: Int64
        var document: [UInt8]?
    }

    var random: Seeded
    let lanes: KeyLanes
    let transform = FieldTransform()
    var operations: [(id: String, kind: OperationKind, document: String)] = []
    var source: [String: String] = [:]
    var target: [String: Stored] = [:]
    var copied: Set<String> = []
    var outcomes: [UInt64: String] = [:]
    var twice = 0
    var fetches: [LaneFetch] = []
    var sourceFetches: [LaneFetch] = []
    var writes: [LaneWrite] = []

    init(seed: UInt64, policy: MissingDocument) {
        random = Seeded(seed)
        lanes = KeyLanes(missing: [policy])
        lanes.copyUnfinished = true
        let ids = (0..<4).map { "id\($0)" }
        for id in ids where Bool.random(using: &random) { source[id] = "s=1;a=0;" }
        let documents = ["a=1;", "b=2;", "c=3;a=4;", "d=5;", "p=?;", "x=!;"]
        for _ in 0..<40 {
            let kind: OperationKind = [.merge, .merge, .merge, .index, .delete].randomElement(using: &random) ?? .merge
            let document = documents.randomElement(using: &random) ?? ""
            operations.append((ids.randomElement(using: &random) ?? "", kind, kind == .delete ? "" : document))
        }
    }

    /// What the operations say when applied one at a time.
    func model(_ policy: MissingDocument) -> [String: [UInt8]?] {
        var documents: [String: [UInt8]?] = [:]
        for (id, document) in source { documents[id] = try? transform.apply(entry: 0, document: bytes(document)) }
        for operation in operations {
            let before = documents[operation.id] ?? nil
            var after: [UInt8]?
            switch operation.kind {
            case .delete: after = nil
            case .index: after = try? transform.apply(entry: 0, document: bytes(operation.document))
            case .merge:
                if before == nil, policy == .reject { continue }
                after = try? transform.merge(entry: 0, base: before, partial: bytes(operation.document))
            }
            if operation.kind != .delete, after?.contains(UInt8(ascii: "?")) ?? true { continue }
            documents[operation.id] = .some(after)
        }
        return documents
    }

    mutating func settle(_ result: LaneResult) {
        for outcome in result.outcomes { note(outcome.token, outcome.outcome.name) }
        for reject in result.rejects { note(reject.token, "dead") }
    }

    mutating func note(_ token: UInt64, _ name: String) {
        if outcomes.updateValue(name, forKey: token) != nil { twice += 1 }
    }

    /// An external write; false when what is there is as new.
    mutating func put(_ id: String, _ version: Int64, _ document: [UInt8]?) -> Bool {
        if let there = target[id], there.version >= version { return false }
        target[id] = Stored(version: version, document: document)
        return true
    }

    mutating func copyPage() {
        guard let (id, document) = source.randomElement(using: &random), copied.insert(id).inserted else { return }
        _ = put(id, 1, try? transform.apply(entry: 0, document: bytes(document)))
        if copied.count == source.count { lanes.copyUnfinished = false }
    }

    mutating func step(next: inout Int) {
        switch Int.random(in: 0..<8, using: &random) {
        case 0, 1:
            guard next < operations.count else { return }
            let operation = operations[next]
            lanes.add(
                operation.id, operation.kind, Int64(next) + 2, operation.document, token: UInt64(next),
                waitFor: nil)
            next += 1
        case 2: if !source.isEmpty { copyPage() }
        case 3: fetches += lanes.takeFetches(max: 2)
        case 4: sourceFetches += lanes.takeSourceFetches(max: 2)
        case 5:
            if let fetch = pick(\.fetches) {
                guard Int.random(in: 0..<4, using: &random) > 0 else { return lanes.fetchFailed(fetch.key) }
                let there = target[String(decoding: fetch.id, as: UTF8.self)]
                lanes.base(
                    fetch.key, found: there != nil, tombstone: there != nil && there?.document == nil,
                    version: there?.version ?? 0, document: there?.document)
            } else if let fetch = pick(\.sourceFetches) {
                lanes.sourceBase(fetch.key, document: source[String(decoding: fetch.id, as: UTF8.self)].map(bytes))
            }
        case 6:
            for write in lanes.takeWrites(max: 2, using: transform) {
                settle(write.settled)
                if write.body != .nothing { writes.append(write) }
            }
        default: answer()
        }
    }

    private mutating func pick(_ path: WritableKeyPath<Simulation, [LaneFetch]>) -> LaneFetch? {
        guard let at = self[keyPath: path].indices.randomElement(using: &random) else { return nil }
        return self[keyPath: path].remove(at: at)
    }

    private mutating func answer() {
        guard let at = writes.indices.randomElement(using: &random) else { return }
        let write = writes.remove(at: at)
        let document: [UInt8]? = if case .document(let document) = write.body { document } else { nil }
        if document?.contains(UInt8(ascii: "?")) == true {
            return settle(lanes.written(write.key, .dead(reason: "mapper_parsing", detail: "")))
        }
        let applied = put(String(decoding: write.id, as: UTF8.self), write.version, document)
        // The answer is lost now and then and the write sent again: then it is stale by itself.
        if applied, Int.random(in: 0..<6, using: &random) == 0 { return writes.append(write) }
        settle(lanes.written(write.key, applied ? .applied : .stale))
    }
}

@Suite struct KeyLanesModelTests {
    @Test(arguments: [MissingDocument.create, .reject]) func sameAsOneByOne(_ policy: MissingDocument) {
        let first = newSeed("KeyLanes sameAsOneByOne")
        for round in 0..<1_500 {
            let seed = first &+ UInt64(round)
            var simulation = Simulation(seed: seed, policy: policy)
            let model = simulation.model(policy)
            var next = 0
            var steps = 0
            while next < simulation.operations.count || !simulation.lanes.isEmpty
                || simulation.copied.count
                    < simulation.source.count,
                steps < 50_000
            {
                simulation.step(next: &next)
                steps += 1
            }
            #expect(steps < 50_000, "seed \(seed)")
            #expect(simulation.outcomes.count == simulation.operations.count, "seed \(seed)")
            #expect(simulation.twice == 0, "seed \(seed)")
            #expect(simulation.lanes.heldBytes == 0 && simulation.lanes.queued == 0, "seed \(seed)")
            for (id, document) in model {
                #expect(simulation.target[id]?.document == document, "seed \(seed) \(id)")
            }
            for (id, stored) in simulation.target where stored.document != nil {
                #expect(stored.document == model[id] ?? nil, "seed \(seed) \(id)")
            }
        }
    }
}
