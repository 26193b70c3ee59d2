/// One shard of an index: its current documents, and those that searches see. The index's lock protects it.
struct Shard {
    /// The place of a document that exists or existed.
    struct Slot {
        var current: StoredDocument?
        /// The document that searches see.
        var visible: StoredDocument?
        /// The version of a remembered delete.
        var deletedVersion: Int64 = 0
        var deletedAt: Int64 = 0
        var isDirty = false
    }

    /// The state that a write finds.
    enum Found {
        case nothing
        case document(StoredDocument)
        case deleted(version: Int64)
    }

    private(set) var slots: [Slot] = []
    private var places: [String: Int] = [:]
    private var free: [Int] = []
    private var dirty: [Int] = []
    /// Deletes in their order. They are forgotten after `gc_deletes`.
    private var deletes: [(place: Int, at: Int64)] = []
    private(set) var sequence: Int64 = -1
    private(set) var visibleCount = 0
    private var snapshot: [StoredDocument]?

    /// Before 6.0 ids are unique only within a type.
    static func key(_ id: String, type: String?) -> String { type.map { "\($0)#\(id)" } ?? id }

    func find(_ key: String, now: Int64, gcDeletes: Int64) -> Found {
        guard let place = places[key] else { return .nothing }
        let slot = slots[place]
        if let current = slot.current { return .document(current) }
        return now - slot.deletedAt > gcDeletes ? .nothing : .deleted(version: slot.deletedVersion)
    }

    func document(_ key: String) -> StoredDocument? { places[key].flatMap { slots[$0].current } }

    mutating func nextSequence() -> Int64 {
        sequence += 1
        return sequence
    }

    /// Returns the bytes of the replaced document.
    mutating func put(_ document: StoredDocument, key: String) -> Int {
        let place = place(of: key)
        let before = slots[place].current?.bytes ?? 0
        slots[place].current = document
        mark(place)
        return before
    }

    /// Returns the bytes that became free.
    mutating func delete(_ key: String, version: Int64, now: Int64) -> Int {
        let place = place(of: key)
        let before = slots[place].current?.bytes ?? 0
        slots[place].current = nil
        slots[place].deletedVersion = version
        slots[place].deletedAt = now
        deletes.append((place, now))
        names[place] = key
        mark(place)
        return before
    }

    /// The keys of slots whose document is deleted.
    private var names: [Int: String] = [:]

    private mutating func place(of key: String) -> Int {
        if let place = places[key] { return place }
        let place: Int
        if let freed = free.popLast() {
            place = freed
        } else {
            place = slots.count
            slots.append(Slot())
        }
        places[key] = place
        return place
    }

    private mutating func mark(_ place: Int) {
        guard !slots[place].isDirty else { return }
        slots[place].isDirty = true
        dirty.append(place)
    }

    /// Makes the current documents visible to searches, and forgets deletes after their time.
    mutating func refresh(now: Int64, gcDeletes: Int64) {
        if !dirty.isEmpty { snapshot = nil }
        for place in dirty {
            let slot = slots[place]
            visibleCount += (slot.current == nil ? 0 : 1) - (slot.visible == nil ? 0 : 1)
            slots[place].visible = slot.current
            slots[place].isDirty = false
        }
        dirty.removeAll(keepingCapacity: true)
        forgetDeletes(now: now, gcDeletes: gcDeletes)
    }

    private mutating func forgetDeletes(now: Int64, gcDeletes: Int64) {
        var over = 0
        while over < deletes.count, now - deletes[over].at > gcDeletes {
            let (place, at) = deletes[over]
            over += 1
            let slot = slots[place]
            // The document was written again, or deleted again later.
            guard slot.current == nil, slot.visible == nil, slot.deletedAt == at else { continue }
            guard let key = names.removeValue(forKey: place) else { continue }
            places.removeValue(forKey: key)
            slots[place] = Slot()
            free.append(place)
        }
        if over > 0 { deletes.removeFirst(over) }
    }

    /// The documents that searches see, in a fixed order. Searches share the array until the next refresh.
    mutating func documents() -> [StoredDocument] {
        if let snapshot { return snapshot }
        var seen: [StoredDocument] = []
        seen.reserveCapacity(visibleCount)
        for slot in slots { if let document = slot.visible { seen.append(document) } }
        snapshot = seen
        return seen
    }

    /// The number of current documents.
    var liveCount: Int { slots.reduce(0) { $0 + ($1.current == nil ? 0 : 1) } }
}

/// Finds the shard of a document.
enum ShardRouting {
    /// `routing`: the routing, the parent, or the id.
    static func shard(of routing: String, shards: Int, persona: ServerPersona) -> Int {
        guard shards > 1 else { return 0 }
        guard persona.since(2) else {
            let hash = djb(routing)
            return hash == Int32.min ? 0 : Int(hash.magnitude) % shards
        }
        let hash = Int(murmur(routing))
        guard persona.since(7) else { return floorMod(hash, shards) }
        // A server hashes into the largest number of shards that the index can be split into, then divides.
        let spread = spread(shards)
        return floorMod(hash, spread) / (spread / shards)
    }

    private static func floorMod(_ number: Int, _ divisor: Int) -> Int {
        let rest = number % divisor
        return rest < 0 ? rest + divisor : rest
    }

    private static func spread(_ shards: Int) -> Int {
        var spread = shards
        while spread * 2 <= 1024 { spread *= 2 }
        return spread
    }

    /// The hash of servers before 2.0.
    private static func djb(_ text: String) -> Int32 {
        var hash: Int64 = 5381
        for unit in text.utf16 { hash = (hash << 5) &+ hash &+ Int64(unit) }
        return Int32(truncatingIfNeeded: hash)
    }

    /// Murmur3 (32 bits, seed 0) of the UTF-16 units, low byte first.
    private static func murmur(_ text: String) -> Int32 {
        var hash: UInt32 = 0
        var block: UInt32 = 0
        var length: UInt32 = 0
        for unit in text.utf16 {
            if length & 2 == 0 {
                block = UInt32(unit)
            } else {
                block |= UInt32(unit) << 16
                hash ^= mix(block)
                hash = (hash << 13 | hash >> 19) &* 5 &+ 0xE654_6B64
            }
            length &+= 2
        }
        if length & 2 != 0 { hash ^= mix(block) }
        hash ^= length
        hash = (hash ^ hash >> 16) &* 0x85EB_CA6B
        hash = (hash ^ hash >> 13) &* 0xC2B2_AE35
        return Int32(bitPattern: hash ^ hash >> 16)
    }

    private static func mix(_ block: UInt32) -> UInt32 {
        let mixed = block &* 0xCC9E_2D51
        return (mixed << 15 | mixed >> 17) &* 0x1B87_3593
    }
}
