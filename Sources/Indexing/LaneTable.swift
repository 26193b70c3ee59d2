import JSONText

/// The key lanes there are, found by name (``LaneKey``) or by entry and id.
struct LaneTable {
    /// From the hash of entry and id to the slot of a lane; further lanes of the same hash follow by ``Lane/sameHash``.
    private let table = KeyTable(capacity: 64)
    /// nil: the slot is free.
    private var lanes: [Lane?] = []
    private var free: [Int] = []
    private var serial: UInt64 = 0

    var count: Int { lanes.count - free.count }

    /// nil: the lane is gone.
    func lane(_ key: LaneKey) -> Lane? {
        guard lanes.indices.contains(key.slot), let lane = lanes[key.slot], lane.key == key else { return nil }
        return lane
    }

    func lane(_ entry: Int, _ id: Bytes) -> Lane? {
        var slot = table.get(KeyHash.hash(id, seed: entry)) ?? -1
        while slot >= 0, let lane = lanes[slot] {
            if lane.entry == entry, lane.id.elementsEqual(id) { return lane }
            slot = lane.sameHash
        }
        return nil
    }

    /// A new lane for a key that has none.
    mutating func open(_ entry: Int, _ id: Bytes) -> Lane {
        let slot = free.popLast() ?? lanes.count
        if slot == lanes.count { lanes.append(nil) }
        serial += 1
        let hash = KeyHash.hash(id, seed: entry)
        let lane = Lane(
            key: LaneKey(slot: slot, serial: serial), entry: entry, id: Array(id), hash: hash,
            sameHash: table.get(hash) ?? -1)
        table.insert(hash, slot)
        lanes[slot] = lane
        return lane
    }

    /// Removes the lane; its slot is free for another.
    mutating func close(_ lane: Lane) {
        if table.get(lane.hash) == lane.key.slot {
            if lane.sameHash >= 0 { table.insert(lane.hash, lane.sameHash) } else { table.remove(lane.hash) }
        } else {
            var slot = table.get(lane.hash) ?? -1
            while slot >= 0, let before = lanes[slot] {
                if before.sameHash == lane.key.slot { before.sameHash = lane.sameHash }
                slot = before.sameHash
            }
        }
        lanes[lane.key.slot] = nil
        free.append(lane.key.slot)
    }

    /// Removes all lanes and gives them. Serials go on, so that no name of a former lane fits a later one.
    mutating func removeAll() -> [Lane] {
        defer {
            lanes = []
            free = []
            table.removeAll(keepingAtMost: 64)
        }
        return lanes.compactMap { $0 }
    }
}
