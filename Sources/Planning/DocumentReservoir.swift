import Basics
import JSONText

/// Documents of commands, a bounded number of each entry, each with the same chance. Of an id only the last is kept.
struct DocumentReservoir: Sendable {
    struct Document: Sendable {
        var id: [UInt8]
        var text: [UInt8]
    }

    /// How many of one entry, and how many bytes of all together.
    static let wanted = 200
    static let bytesWanted = 8 << 20

    /// By the place of the entry in the recipe.
    private(set) var kept: [Int: [Document]] = [:]
    private var places: [Int: [[UInt8]: Int]] = [:]
    private var met: [Int: Int] = [:]
    private var bytes = 0
    /// The same seed always: the same log has the same sample.
    private var random = SplitMix64(seed: 0x9E37_79B9_7F4A_7C15)

    mutating func add(_ document: Bytes, id: Bytes, entry: Int) {
        let id = Array(id)
        if let place = places[entry]?[id] { return put(document, id, entry, at: place) }
        met[entry, default: 0] += 1
        let count = kept[entry]?.count ?? 0
        if count < Self.wanted { return put(document, id, entry, at: count) }
        let place = random.below(met[entry] ?? 1)
        if place < Self.wanted { put(document, id, entry, at: place) }
    }

    private mutating func put(_ document: Bytes, _ id: [UInt8], _ entry: Int, at place: Int) {
        let old = kept[entry].flatMap { $0.indices.contains(place) ? $0[place] : nil }
        let after = bytes + document.count - (old?.text.count ?? 0)
        guard after <= Self.bytesWanted else { return }
        bytes = after
        let new = Document(id: id, text: Array(document))
        if let old {
            places[entry]?[old.id] = nil
            kept[entry]?[place] = new
        } else {
            kept[entry, default: []].append(new)
        }
        places[entry, default: [:]][id] = place
    }
}
