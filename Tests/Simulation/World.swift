import Commands
import Indexing
import JSONText

/// What a schedule begins with.
public struct Setup: Sendable {
    var partitions: Int
    var ids: Int
    var missing: MissingDocument
    /// Records that the log has lost before the migration began, per partition.
    var trimmed: Int
    /// `replay: from: beginning`, else `recorded`.
    var fromBeginning: Bool
    /// Bits that decide what happens when everything comes to rest.
    var ending: UInt64
    /// What is in the old cluster from the beginning: by id, which fields.
    var known: [UInt16]
    /// How documents are told apart.
    var layout = Layout.single
    /// Which kinds of steps come often.
    var theme: Int

    /// Whether a partial update without a document makes one.
    var creates: Bool { missing == .create }
}

/// Everything there is: log, clusters, the processes between them, and the checks.
final class World {
    /// What the state holds of the copy under way, or of the last one.
    struct Copy {
        var round: Int
        /// When.
        var finished: Int?
        /// Which slices are done.
        var done: [Bool]
    }
    struct Letter {
        /// -1: a document of the copy.
        var partition: Int
        var offset: Int
        /// -1: unknown.
        var id: Int
        var document: Document?
        /// When; nil: unresolved.
        var resolved: Int?
    }

    // In units of time. Deletes are remembered for less than one unit. A record is sent within `lease` after it was
    // read, and a request arrives within `lateness` or never. Both together are less than `tombstoneAge`.
    static let tombstoneAge = 10
    static let lease = 5
    static let lateness = 4
    private static let longestRequest = Int64(lateness + 1)
    static let slices = 2

    let setup: Setup
    let off: Mechanism?
    let tools: Tools
    var now = 0
    var topic: CommandTopic
    var old: OldCluster
    var new: NewCluster
    /// As the application has them, after all that it has written; only where commands are change events of rows.
    var rows: [Document?] = []
    var wires: [Wire] = []
    /// Counts the target indices.
    var indexNumber = 0
    var engines: [Engine] = []
    // The state, as `MigrationState` is to the product.
    var copy: Copy?
    var gate = CopyGate.closed
    var replay: ReplayProgress?
    var purges = PurgeRecord()
    var recorded: [Int]?
    var letters: [Letter] = []
    /// nil: nobody verifies.
    var verification: Verification?
    /// Documents that ever had a dead letter. Such a document may end as with the dead command, or as without it.
    var everDead: [Bool]
    /// The old cluster was read after it had applied commands of the log. With a dead letter in between, a document may
    /// then be neither as with the dead command nor as without it.
    var isMixed = false
    var isMended = false
    var groupCommitted: [Int]
    /// For which target index that was committed.
    var groupTerm: [Int]
    /// A follower of the earlier target index does not know yet that other work was confirmed.
    var hasStraggler = false
    var groupGeneration = 0
    /// By partition: the offset after the last record that any process has read.
    var taken: [Int]
    var violation: Violation?
    /// A rail stopped the work, rightly.
    var refused: String?
    /// How often each check was made.
    var checks = [Int](repeating: 0, count: Check.allCases.count)
    /// Of the last copy.
    var copyRound = 0
    var replayRound = 0
    /// The target index was made again, and only the log knows what was in it.
    var replayDue = false
    /// What happens, in words; nil: it is not wanted.
    var told: [String]?
    private var engineNumber = 0

    init(_ setup: Setup, off: Mechanism?, tools: Tools) {
        self.setup = setup
        self.off = off
        self.tools = tools
        topic = CommandTopic(setup.partitions, layout: setup.layout, text: tools.log)
        old = OldCluster(
            documents: Array(repeating: nil, count: setup.ids),
            position: Array(repeating: 0, count: setup.partitions),
            committed: Array(repeating: 0, count: setup.partitions),
            applied: Array(repeating: 0, count: setup.partitions),
            visible: Array(repeating: nil, count: setup.ids))
        new = NewCluster(
            slots: Array(repeating: NewCluster.Slot(), count: setup.ids * setup.layout.places),
            versions: off != .externalVersions)
        new.refreshes = off != .tombstoneRefresh
        everDead = Array(repeating: false, count: setup.ids)
        groupCommitted = Array(repeating: -1, count: setup.partitions)
        groupTerm = Array(repeating: 0, count: setup.partitions)
        taken = Array(repeating: 0, count: setup.partitions)
        for id in 0..<setup.ids where setup.known[id] != 0 { old.documents[id] = known(id) }
        old.refresh()
        rows = old.documents
        for partition in 0..<setup.partitions {
            for _ in 0..<setup.trimmed { topic.append(partition, Entry(kind: .nothing)) }
            topic.partitions[partition].start = setup.trimmed
            old.position[partition] = setup.trimmed
            old.committed[partition] = setup.trimmed
        }
    }

    /// What only the old cluster knows of the id.
    func known(_ id: Int) -> Document? {
        guard setup.known[id] != 0 else { return nil }
        var document = Document()
        for field in 0..<4 where setup.known[id] >> field & 1 == 1 { document.fields[field] = Int16(10 + field) }
        if layout != .single { document.kind = Int16(setup.known[id] >> 12 & 1) }
        if layout == .rows, setup.known[id] >> 13 & 3 > 0 { document.routing = Int16(setup.known[id] >> 13 & 3) }
        for key in 0..<4 where setup.known[id] >> (key + 4) & 1 == 1 { document.tags[key] = Int16(20 + key) }
        return document
    }

    @inline(__always) func on(_ mechanism: Mechanism) -> Bool { off != mechanism }

    @inline(__always) func check(_ check: Check, _ holds: Bool, _ text: () -> String) {
        checks[check.rawValue] += 1
        if !holds, violation == nil { violation = Violation(check: check, text: text()) }
    }

    @inline(__always) func tell(_ text: () -> String) {
        if told != nil { told?.append(text()) }
    }

    func partition(of id: Int) -> Int { id % setup.partitions }

    var copyUnfinished: Bool { copy?.finished == nil }

    /// What the old cluster has, as the base of a merge; for a copy, what a search of it shows.
    func readOld(_ id: Int, bySearch: Bool = false) -> Document? {
        if old.applied[partition(of: id)] > setup.trimmed { isMixed = true }
        return bySearch ? old.visible[id] : old.documents[id]
    }

    /// Whether the old cluster makes visible what was written to it, now and then, by itself.
    private var oldRefreshesItself: Bool { setup.ending & 128 == 0 }

    // MARK: Processes

    func start(_ kind: Engine.Kind, partitions: Int, ends: [Int32: Int64]? = nil) -> Engine {
        engineNumber += 1
        let engine = Engine(engineNumber, kind, self, partitions: partitions, ends: ends)
        engine.coordinator.copyUnfinished = takesSourceBases
        engines.append(engine)
        return engine
    }

    /// Whether a partial update without a base takes the source's document.
    var takesSourceBases: Bool { on(.sourceBase) && purges.sourceIsBase(copyUnfinished: copyUnfinished) }

    /// Crash or kill -9: what it knew is gone, what it sent is not.
    func stop(_ engine: Engine) { engines.removeAll { $0 === engine } }

    func engine(_ number: Int) -> Engine? { engines.first { $0.number == number } }

    // MARK: The network

    enum Fate { case good, throttled(UInt64), lost, answerLost, late, tooLarge }

    func deliver(_ index: Int, _ fate: Fate) {
        let wire = wires[index]
        tell { "  \(self.words(wire)): \(fate)" }
        if case .late = fate {
            // The sender gives it up and repeats it; it is still on its way.
            guard case .bulk(let batch, _, _) = wire.load,
                let engine = engine(wire.engine), !engine.isPaused, engine.batches.contains(where: { $0 === batch })
            else { return }
            wires[index].engine = -1
            return engine.receive(.bulk(batch, nil))
        }
        wires.remove(at: index)
        // The sender of a write to a lost index has been stopped.
        if wire.index != indexNumber, on(.aliasPerIndex), wire.writes { return }
        var answer: Engine.Answer?
        switch wire.load {
        case .purge(let tombstones, let claim):
            purge(tombstones)
            purges.answered(claim)
        case .read(let bases):
            answer = bases
        case .letter(let run, let letter):
            bury(letter, by: wire.engine)
            answer = .letter(run)
        case .bulk(let batch, let items, let round):
            answer = .bulk(batch, self.answer(items, round: round, fate))
        }
        guard let answer, let engine = engine(wire.engine) else { return }
        if engine.isPaused { engine.inbox.append(answer) } else { engine.receive(answer) }
    }

    private func answer(_ items: [Item], round: Int, _ fate: Fate) -> NewCluster.Answer? {
        switch fate {
        case .lost: return nil
        // One document is never too large.
        case .tooLarge where items.count > 1: return .tooLarge
        default: break
        }
        let statuses = items.enumerated().map { place, item -> NewCluster.Status in
            if case .throttled(let mask) = fate, mask >> UInt64(place & 63) & 1 == 1 { return .throttled }
            return write(item, round: round)
        }
        if case .answerLost = fate { return nil }
        return .items(statuses)
    }

    private func write(_ item: Item, round: Int) -> NewCluster.Status {
        if round > 0, on(.copyAlias) {
            guard new.openRound == round || (!on(.copyAliasPerRound) && new.openRound > 0) else { return .closed }
        }
        if !isMended, !item.isTombstone, isPoison(item) { return .refused }
        let slot = slot(of: item)
        let status: NewCluster.Status
        if item.isTombstone, !on(.tombstones) {
            status = new.delete(slot, item.version, orEqual: false)
        } else {
            status = new.write(
                slot, item.version, item.body, isTombstone: item.isTombstone,
                orEqual: item.isTombstone, at: now)
        }
        if status == .applied { new.slots[slot].routing = item.routing }
        if round > 0, status == .applied {
            check(.copyClosed, copy?.round == round && copyUnfinished) {
                "a page of copy round \(round) was written to \(name(item.id)) when that copy was done"
            }
        }
        return status
    }

    private func isPoison(_ item: Item) -> Bool {
        let offset = Int(item.version - 2)
        if offset < 0 { return setup.known[item.id] >> 8 & 15 == 1 }
        let entries = topic.partitions[partition(of: item.id)].entries
        return offset < entries.count && entries[offset].poison
    }

    private func bury(_ letter: Letter, by number: Int) {
        if letter.id >= 0 { everDead[letter.id] = true }
        // One that is refused again while it is redriven stays the letter that it was.
        if engine(number)?.kind == .redrive { return }
        let same = letters.firstIndex {
            $0.partition == letter.partition && $0.offset == letter.offset && (letter.offset >= 0 || $0.id == letter.id)
        }
        if let same {
            letters[same].resolved = nil
            letters[same].document = letter.document
        } else {
            letters.append(letter)
        }
    }

    func resolve(_ letter: Int, _ outcome: Outcome) {
        if outcome != .deadLettered { letters[letter].resolved = now }
    }

    func name(_ id: Int) -> String { String(UnicodeScalar(UInt8(ascii: "a") + UInt8(id))) }

    // MARK: Purge

    /// Whether a request of a purge may still arrive.
    var purgeIsUnderWay: Bool { purges.mayArrive(now: Int64(now), longest: Self.longestRequest) }

    /// What the state says of copy and replay. A switch that is off lets them have ended long ago.
    private var purgeConditions: PurgeConditions {
        func work(_ isNeeded: Bool, _ finished: Int?) -> PurgeConditions.Work {
            isNeeded ? finished.map { .finished(Int64($0)) } ?? .unfinished : .none
        }
        return PurgeConditions(
            copy: work(on(.purgeWaitsForCopy), copy?.finished),
            replay: work(on(.purgeWaitsForReplay) && replay != nil, replay?.finished.map { Int($0) }),
            replayDue: replayDue)
    }

    /// Whether a dead letter may still bring something older than the tombstone.
    private func isHeldByLetter(_ id: Int) -> Bool {
        letters.contains { letter in
            guard letter.id == id else { return false }
            let hold = TombstoneHold(
                resolvedAt: letter.resolved.map { Int64($0) }, now: Int64(now), tombstoneAge: Int64(Self.tombstoneAge))
            switch hold {
            case nil: return false
            case .unresolved: return on(.purgeKeepsUnresolved)
            case .redriven: return on(.purgeKeepsResolved)
            }
        }
    }

    /// Looks for tombstones that may go, and sends their deletes.
    func beginPurge() {
        let conditions = purgeConditions
        let before = now - Self.tombstoneAge + 1
        guard conditions.refusal == nil, conditions.isQuiet(before: Int64(before)) else { return }
        var found: [(id: Int, version: Int64)] = []
        for (place, slot) in new.slots.enumerated() where slot.isTombstone {
            let id = id(of: place)
            guard !on(.tombstoneAge) || slot.written < before, !isHeldByLetter(id) else { continue }
            // The product does not ask this (docs/simulation.md).
            let offset = slot.version - (layout == .rows ? 1 : 2)
            guard !on(.purgeBelowCommit) || offset < Int64(committed(partition(of: id))) else {
                continue
            }
            found.append((place, slot.version))
        }
        guard !found.isEmpty else { return }
        tell { "  purges \(found.map { "\(self.name(place: $0.id)) v\($0.version)" }.joined(separator: ", "))" }
        let claim = purges.begin(now: Int64(now), longest: Self.longestRequest)
        wires.append(Wire(engine: -1, born: now, load: .purge(found, claim), index: indexNumber))
    }

    private func purge(_ tombstones: [(id: Int, version: Int64)]) {
        for (id, version) in tombstones {
            let before = new.slots[id]
            guard new.delete(id, version, orEqual: true) == .applied else { continue }
            check(.purgeSafe, before.version == 0 || before.isTombstone) {
                "the purge took document \(name(place: id)), version \(before.version)"
            }
        }
    }

    // MARK: Time

    func pass(long: Bool) {
        let before = now
        now += long ? 2 * Self.tombstoneAge : 1
        new.forgetDeletes()
        if oldRefreshesItself { old.refresh() }
        tellCopyState()
        endOldReplays()
        stragglerCommits()
        if on(.sendLease) {
            for engine in engines where engine.isStale(since: before, now) { stop(engine) }
        }
        // Requests that nobody answers any more: their senders repeat them.
        var expired: [Wire] = []
        wires.removeAll { wire in
            switch wire.load {
            case .letter, .read: return false
            case .bulk, .purge:
                guard now - wire.born > Self.lateness else { return false }
                expired.append(wire)
                return true
            }
        }
        for wire in expired {
            guard case .bulk(let batch, _, _) = wire.load, let engine = engine(wire.engine) else { continue }
            if engine.isPaused { engine.inbox.append(.bulk(batch, nil)) } else { engine.receive(.bulk(batch, nil)) }
        }
    }
}
