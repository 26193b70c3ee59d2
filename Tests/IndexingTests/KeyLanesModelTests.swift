import Commands
import Seeds
import Testing

@testable import Indexing

/// One process that applies the operations from some place on: its lanes, and what it has under way.
private struct Member {
    let lanes: KeyLanes
    var next: Int
    var outcomes: [UInt64: String] = [:]
    var twice = 0
    var fetches: [LaneFetch] = []
    var sourceFetches: [LaneFetch] = []
    var writes: [LaneWrite] = []
    /// Writes that were sent, and operations in them.
    var sent = (writes: 0, operations: 0)

    init(_ policy: MissingDocument, from first: Int, copyUnfinished: Bool) {
        lanes = KeyLanes(missing: [policy])
        lanes.copyUnfinished = copyUnfinished
        next = first
    }

    mutating func settle(_ result: LaneResult) {
        for outcome in result.outcomes { note(outcome.token, outcome.outcome.name) }
        for reject in result.rejects { note(reject.token, "dead") }
    }

    mutating func note(_ token: UInt64, _ name: String) {
        if outcomes.updateValue(name, forKey: token) != nil { twice += 1 }
    }
}

/// A cluster with external versions that a copy and several members write to in random order, all with the same
/// operations; against the operations applied one by one.
private struct Simulation {
    struct Stored: Equatable {
        var version: Int64
        var document: [UInt8]?
    }

    /// Where the operations and the source come from; the same for every schedule of a seed.
    var random: Seeded
    let transform = FieldTransform()
    let policy: MissingDocument
    var operations: [(id: String, kind: OperationKind, document: String)] = []
    /// The old cluster's documents, each with the version that its copied page carries.
    var source: [String: (document: String, version: Int64)] = [:]
    var target: [String: Stored] = [:]
    var copied: Set<String> = []
    var members: [Member]

    init(seed: UInt64, policy: MissingDocument, members count: Int, ids: Int = 4) {
        random = Seeded(seed)
        self.policy = policy
        members = (0..<count).map { _ in Member(policy, from: 0, copyUnfinished: true) }
        let ids = (0..<ids).map { "id\($0)" }
        let documents = ["a=1;", "b=2;", "c=3;a=4;", "d=5;", "p=?;", "x=!;"]
        for _ in 0..<40 {
            let kind: OperationKind = [.merge, .merge, .merge, .index, .delete].randomElement(using: &random) ?? .merge
            let document = documents.randomElement(using: &random) ?? ""
            operations.append((ids.randomElement(using: &random) ?? "", kind, kind == .delete ? "" : document))
        }
        for id in ids { index(id, applied: Bool.random(using: &random) ? 0 : .random(in: 0...20, using: &random)) }
    }

    /// The old cluster's document, as the application's indexer left it: what there was before the log, then the first
    /// commands. Some documents can not be brought into the new form, some the target refuses.
    private mutating func index(_ id: String, applied: Int) {
        let sources = ["s=1;a=0;", "s=1;a=0;", "s=2;x=!;", "s=3;p=?;", nil, nil]
        var document = (sources.randomElement(using: &random) ?? nil).map { FieldTransform.fields(bytes($0)) }
        var version: Int64 = 1
        for (number, operation) in operations.prefix(applied).enumerated() where operation.id == id {
            let fields = FieldTransform.fields(bytes(operation.document))
            switch operation.kind {
            case .delete: document = nil
            case .index: document = fields
            case .keep, .leave: break
            case .merge: if document != nil || policy == .create { document = (document ?? [:]).merging(fields) { $1 } }
            }
            version = Int64(number) + 2
        }
        if let document { source[id] = (String(decoding: FieldTransform.text(document), as: UTF8.self), version) }
    }

    /// The source's document in the new form; nil: it can never be copied.
    private func copy(_ id: String) -> (document: [UInt8], version: Int64)? {
        guard let (text, version) = source[id],
            let document = try? transform.apply(entry: 0, document: bytes(text)), !document.contains(UInt8(ascii: "?"))
        else { return nil }
        return (document, version)
    }

    /// What the operations say when applied one at a time to what can be copied.
    func model() -> [String: [UInt8]?] {
        var documents: [String: [UInt8]?] = [:]
        for id in source.keys { documents[id] = .some(copy(id)?.document) }
        for (number, operation) in operations.enumerated() {
            if let copied = copy(operation.id), Int64(number) + 2 <= copied.version { continue }
            let before = documents[operation.id] ?? nil
            var after: [UInt8]?
            switch operation.kind {
            case .delete: after = nil
            case .index: after = try? transform.apply(entry: 0, document: bytes(operation.document))
            case .keep, .leave: continue
            case .merge:
                if before == nil, policy != .create { continue }
                after = try? transform.merge(entry: 0, base: before, partial: bytes(operation.document))
            }
            if operation.kind != .delete, after?.contains(UInt8(ascii: "?")) ?? true { continue }
            documents[operation.id] = .some(after)
        }
        return documents
    }

    /// An external write; false when what is there is as new.
    mutating func put(_ id: String, _ version: Int64, _ document: [UInt8]?) -> Bool {
        if let there = target[id], there.version >= version { return false }
        target[id] = Stored(version: version, document: document)
        return true
    }

    mutating func copyPage() {
        guard let id = source.keys.sorted().randomElement(using: &random), copied.insert(id).inserted else { return }
        if let (document, version) = copy(id) { _ = put(id, version, document) }
    }

    var isOver: Bool {
        copied.count == source.count && members.allSatisfy { $0.next == operations.count && $0.lanes.isEmpty }
    }

    mutating func step() {
        let at = members.indices.randomElement(using: &random) ?? 0
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1, 2:
            let next = members[at].next
            guard next < operations.count else { return }
            let operation = operations[next]
            members[at].lanes.add(
                operation.id, operation.kind, Int64(next) + 2, operation.document, token: UInt64(next), waitFor: nil)
            members[at].next += 1
        case 3:
            if !source.isEmpty { copyPage() }
            // A member hears of the copy's end sooner or later.
            if copied.count == source.count, Bool.random(using: &random) { members[at].lanes.copyUnfinished = false }
        case 4: members[at].fetches += members[at].lanes.takeFetches(max: 2)
        case 5: members[at].sourceFetches += members[at].lanes.takeSourceFetches(max: 2)
        case 6: read(at)
        case 7:
            for write in members[at].lanes.takeWrites(max: 2, using: transform) {
                members[at].settle(write.settled)
                guard write.body != .nothing else { continue }
                members[at].writes.append(write)
                members[at].sent.writes += 1
                members[at].sent.operations += write.operations
            }
        default: answer(at)
        }
    }

    private mutating func read(_ at: Int) {
        if let fetch = pick(at, \.fetches) {
            guard Int.random(in: 0..<4, using: &random) > 0 else { return members[at].lanes.fetchFailed(fetch.key) }
            let there = target[String(decoding: fetch.id, as: UTF8.self)]
            members[at].lanes.base(
                fetch.key, found: there != nil, tombstone: there != nil && there?.document == nil,
                version: there?.version ?? 0, document: there?.document)
        } else if let fetch = pick(at, \.sourceFetches) {
            guard Int.random(in: 0..<4, using: &random) > 0 else { return members[at].lanes.fetchFailed(fetch.key) }
            let there = source[String(decoding: fetch.id, as: UTF8.self)]
            members[at].lanes.sourceBase(
                fetch.key, document: there.map { bytes($0.document) }, version: there?.version ?? 0)
        }
    }

    private mutating func pick(_ at: Int, _ path: WritableKeyPath<Member, [LaneFetch]>) -> LaneFetch? {
        guard let one = members[at][keyPath: path].indices.randomElement(using: &random) else { return nil }
        return members[at][keyPath: path].remove(at: one)
    }

    private mutating func answer(_ at: Int) {
        guard let one = members[at].writes.indices.randomElement(using: &random) else { return }
        let write = members[at].writes.remove(at: one)
        let document: [UInt8]? = if case .document(let document) = write.body { document } else { nil }
        if document?.contains(UInt8(ascii: "?")) == true {
            return members[at].settle(members[at].lanes.written(write.key, .dead(reason: "mapper", detail: "")))
        }
        let applied = put(String(decoding: write.id, as: UTF8.self), write.version, document)
        // The answer is lost now and then and the write sent again: then it is stale by itself.
        if applied, Int.random(in: 0..<6, using: &random) == 0 { return members[at].writes.append(write) }
        members[at].settle(members[at].lanes.written(write.key, applied ? .applied : .stale(newer: nil)))
    }

    mutating func run(_ seed: UInt64) {
        var steps = 0
        while !isOver, steps < 100_000 {
            step()
            steps += 1
        }
        #expect(steps < 100_000, "seed \(seed)")
        for member in members {
            #expect(member.twice == 0, "seed \(seed)")
            #expect(member.lanes.heldBytes == 0 && member.lanes.queued == 0, "seed \(seed)")
        }
    }

    func check(_ seed: UInt64) {
        let model = model()
        for (id, document) in model { #expect(target[id]?.document == document, "seed \(seed) \(id)") }
        for (id, stored) in target where stored.document != nil {
            #expect(stored.document == model[id] ?? nil, "seed \(seed) \(id)")
        }
    }
}

@Suite struct KeyLanesModelTests {
    /// Re-reads, lost answers, failed reads, refused documents, a copy beside it: the end is that of one by one, and
    /// every operation has one outcome.
    @Test(arguments: MissingDocument.allCases) func sameAsOneByOne(_ policy: MissingDocument) {
        let first = newSeed("KeyLanes sameAsOneByOne \(policy)")
        for round in 0..<500 {
            let seed = first &+ UInt64(round)
            var simulation = Simulation(seed: seed, policy: policy, members: 1)
            simulation.run(seed)
            simulation.check(seed)
            #expect(simulation.members[0].outcomes.count == simulation.operations.count, "seed \(seed)")
        }
    }

    /// Followers and replays on the same keys at once: nothing but 409s, and the same end.
    @Test(arguments: MissingDocument.allCases) func severalMembersAtOnce(_ policy: MissingDocument) {
        let first = newSeed("KeyLanes severalMembersAtOnce \(policy)")
        var stale = 0
        for round in 0..<100 {
            let seed = first &+ UInt64(round)
            var simulation = Simulation(seed: seed, policy: policy, members: 3, ids: 2)
            simulation.run(seed)
            simulation.check(seed)
            for member in simulation.members {
                #expect(member.outcomes.count == simulation.operations.count, "seed \(seed)")
                stale += member.outcomes.values.count { $0 == "stale" }
            }
        }
        #expect(stale > 100 * 40)
    }

    /// Whatever prefix is repeated, from wherever it begins, once or often: nothing changes any more.
    @Test(arguments: MissingDocument.allCases) func repeatingChangesNothing(_ policy: MissingDocument) {
        let first = newSeed("KeyLanes repeatingChangesNothing \(policy)")
        for round in 0..<150 {
            let seed = first &+ UInt64(round)
            var simulation = Simulation(seed: seed, policy: policy, members: 1)
            simulation.run(seed)
            let before = simulation.target
            for _ in 0..<3 {
                let start = Int.random(in: 0..<simulation.operations.count, using: &simulation.random)
                let unfinished = Bool.random(using: &simulation.random)
                simulation.members = [Member(policy, from: start, copyUnfinished: unfinished)]
                simulation.run(seed)
                #expect(simulation.target == before, "seed \(seed) from \(start)")
            }
        }
    }

    /// A crash anywhere: what had no outcome is read again, and some of what had one.
    @Test func crashesAndGoesOn() {
        let first = newSeed("KeyLanes crashesAndGoesOn")
        for round in 0..<150 {
            let seed = first &+ UInt64(round)
            var simulation = Simulation(seed: seed, policy: .create, members: 1)
            for _ in 0..<3 {
                for _ in 0..<Int.random(in: 1...200, using: &simulation.random) { simulation.step() }
                // Only the prefix without a gap is committed; requests under way may still arrive.
                let member = simulation.members[0]
                let committed = (0..<member.next).first { member.outcomes[UInt64($0)] == nil } ?? member.next
                for write in member.writes where Bool.random(using: &simulation.random) {
                    guard case .document(let document) = write.body, !document.contains(UInt8(ascii: "?")) else {
                        continue
                    }
                    _ = simulation.put(String(decoding: write.id, as: UTF8.self), write.version, document)
                }
                let unfinished = simulation.copied.count < simulation.source.count
                simulation.members = [Member(.create, from: committed, copyUnfinished: unfinished)]
            }
            simulation.run(seed)
            simulation.check(seed)
        }
    }

    /// Operations that wait for a key become one write: far fewer writes than operations on a hot key.
    @Test func hotKeysAreCoalesced() {
        let seed = newSeed("KeyLanes hotKeysAreCoalesced")
        let lanes = KeyLanes()
        var random = Seeded(seed)
        var target: (version: Int64, document: [UInt8]?) = (0, nil)
        var model: [UInt8]?
        var (writes, next, settled) = (0, 0, 0)
        let transform = FieldTransform()
        while settled < 5_000 {
            for _ in 0..<Int.random(in: 0...40, using: &random) where next < 5_000 {
                let kind: OperationKind = [.merge, .merge, .index, .delete].randomElement(using: &random) ?? .merge
                let text = kind == .delete ? "" : "\(["a", "b", "c"].randomElement(using: &random) ?? "")=\(next);"
                lanes.add("hot", kind, Int64(next) + 2, text, token: UInt64(next))
                switch kind {
                case .delete: model = nil
                case .index: model = try? transform.apply(entry: 0, document: bytes(text))
                case .keep, .leave: break
                case .merge: model = try? transform.merge(entry: 0, base: model, partial: bytes(text))
                }
                next += 1
            }
            for fetch in lanes.takeFetches(max: 9) {
                lanes.base(
                    fetch.key, found: target.version > 0, tombstone: target.document == nil, version: target.version,
                    document: target.document)
            }
            for write in lanes.takeWrites(max: 9, using: transform) {
                writes += 1
                target.version = write.version
                target.document = if case .document(let document) = write.body { document } else { nil }
                settled += lanes.written(write.key, .applied).outcomes.count
            }
        }
        #expect(target.document == model, "seed \(seed)")
        #expect(writes < 400, "seed \(seed): \(writes) writes")
        #expect(lanes.isEmpty && lanes.heldBytes == 0)
    }
}
