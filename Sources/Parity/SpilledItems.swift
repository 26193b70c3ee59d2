import JSONText

/// A side of the comparison.
package enum ParitySide: UInt8, Sendable, CaseIterable {
    case source, target
}

/// Documents in differing buckets, in the form in which they are spilled to disk: 41 bytes, then id and routing.
package enum SpilledItems {
    static let head = 41
    private static let noRouting = UInt32.max

    /// Appends one. `reading`: the number of the reading of its slice. What an unfinished one has left is passed over.
    package static func append(
        _ item: ParityItem, _ side: ParitySide, reading: UInt32, entry: Int, id: Bytes, routing: Bytes?,
        to out: ByteBuffer
    ) {
        out.reserve(head &+ id.count &+ (routing?.count ?? 0))
        out.append(side.rawValue)
        append(reading, to: out)
        append(item.hash, to: out)
        out.append(item.digest)
        append(UInt32(truncatingIfNeeded: entry), to: out)
        append(UInt32(truncatingIfNeeded: id.count), to: out)
        append(routing.map { UInt32(truncatingIfNeeded: $0.count) } ?? noRouting, to: out)
        out.append(id)
        if let routing { out.append(routing) }
    }

    private static func append(_ number: some FixedWidthInteger, to out: ByteBuffer) {
        for byte in 0..<(number.bitWidth / 8) { out.append(UInt8(truncatingIfNeeded: number >> (8 * byte))) }
    }

    /// What the two sides have of one document, where that is not the same.
    package struct Difference: Equatable, Sendable {
        package var key: DocumentKey
        /// How often each side has it.
        package var source: Int
        package var target: Int
    }

    private struct Place {
        var hash: UInt64
        var offset: Int
    }

    private struct Tally {
        var counts = [0, 0]
        var sums = [ContentDigest(), ContentDigest()]
    }

    /// The documents that the two sides do not have alike, each once. `spilled`: all items of some hashes. False:
    /// it is cut off in the middle of an item.
    ///
    /// - Parameter counts: whether a reading was finished.
    package static func differing(
        in spilled: Bytes, counts: (UInt32) -> Bool, found: (Difference) throws -> Void
    ) rethrows -> Bool {
        guard let places = places(spilled, counts) else { return false }
        var at = 0
        while at < places.count {
            var end = at &+ 1
            while end < places.count, places[end].hash == places[at].hash { end &+= 1 }
            if !areAlike(spilled, places[at..<end]) { try tell(spilled, places[at..<end], found) }
            at = end
        }
        return true
    }

    private static func places(_ spilled: Bytes, _ counts: (UInt32) -> Bool) -> [Place]? {
        var places: [Place] = []
        places.reserveCapacity(spilled.count / (head + 16))
        var at = 0
        while at < spilled.count {
            guard let size = size(spilled, at) else { return nil }
            if counts(read(spilled, at + 1)) { places.append(Place(hash: read(spilled, at + 5), offset: at)) }
            at += size
        }
        places.sort { $0.hash < $1.hash }
        return places
    }

    private static func size(_ spilled: Bytes, _ at: Int) -> Int? {
        guard at + head <= spilled.count else { return nil }
        let routing: UInt32 = read(spilled, at + 37)
        let size = head + Int(read(spilled, at + 33) as UInt32) + (routing == noRouting ? 0 : Int(routing))
        return at + size <= spilled.count ? size : nil
    }

    private static func read<T: FixedWidthInteger>(_ spilled: Bytes, _ at: Int) -> T {
        (0..<(T.bitWidth / 8)).reduce(0) { $0 | T(truncatingIfNeeded: spilled[at + $1]) << T(8 * $1) }
    }

    private static func digest(_ spilled: Bytes, _ place: Place) -> ContentDigest {
        // In memory order, as it was appended.
        let raw = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(spilled)[(place.offset + 13)...])
        return ContentDigest(
            high: raw.loadUnaligned(as: UInt64.self), low: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// Nearly all: one document of each side, with the same digest of id, routing and content.
    private static func areAlike(_ spilled: Bytes, _ places: ArraySlice<Place>) -> Bool {
        guard places.count == 2, let one = places.first, let other = places.last else { return false }
        return spilled[one.offset] != spilled[other.offset] && digest(spilled, one) == digest(spilled, other)
    }

    private static func tell(
        _ spilled: Bytes, _ places: ArraySlice<Place>, _ found: (Difference) throws -> Void
    ) rethrows {
        var tallies: [DocumentKey: Tally] = [:]
        for place in places {
            let side = spilled[place.offset] == ParitySide.source.rawValue ? 0 : 1
            let key = key(spilled, place.offset)
            var tally = tallies[key] ?? Tally()
            tally.counts[side] += 1
            tally.sums[side] = tally.sums[side] &+ digest(spilled, place)
            tallies[key] = tally
        }
        let differing = tallies.filter { _, tally in
            tally.counts[0] != tally.counts[1] || tally.sums[0] != tally.sums[1]
        }
        for (key, tally) in differing.sorted(by: { isBefore($0.key, $1.key) }) {
            try found(Difference(key: key, source: tally.counts[0], target: tally.counts[1]))
        }
    }

    private static func isBefore(_ one: DocumentKey, _ other: DocumentKey) -> Bool {
        if one.entry != other.entry { return one.entry < other.entry }
        if one.id != other.id { return one.id.lexicographicallyPrecedes(other.id) }
        return (one.routing ?? []).lexicographicallyPrecedes(other.routing ?? [])
    }

    private static func key(_ spilled: Bytes, _ at: Int) -> DocumentKey {
        let (entry, id, routing): (UInt32, UInt32, UInt32) = (
            read(spilled, at + 29), read(spilled, at + 33), read(spilled, at + 37)
        )
        let start = at + head
        let middle = start + Int(id)
        return DocumentKey(
            entry: Int(entry), id: Array(spilled[start..<middle]),
            routing: routing == noRouting ? nil : Array(spilled[middle..<middle + Int(routing)]))
    }
}
