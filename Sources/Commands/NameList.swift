import JSONText

/// A list of texts, each with a meaning, that can be compared with bytes. All its properties are constants, so that
/// reading them needs no exclusivity check.
final class NameList {
    private struct Name {
        let start: Int
        /// The length in bytes; -1: there is no text at this place.
        let count: Int
        let meaning: UInt8
    }

    private let bytes: UnsafeMutablePointer<UInt8>
    private let names: UnsafeMutablePointer<Name>
    let count: Int

    init(_ texts: [(text: String?, meaning: UInt8)]) {
        count = texts.count
        names = .allocate(capacity: max(1, texts.count))
        let all = texts.flatMap { Array(($0.text ?? "").utf8) }
        bytes = .allocate(capacity: max(1, all.count))
        bytes.initialize(from: all, count: all.count)
        var start = 0
        for (place, entry) in texts.enumerated() {
            let length = entry.text?.utf8.count
            (names + place).initialize(to: Name(start: start, count: length ?? -1, meaning: entry.meaning))
            start += length ?? 0
        }
    }

    deinit {
        names.deallocate()
        bytes.deallocate()
    }

    /// Whether there is a text at this place.
    func isThere(_ place: Int) -> Bool { names[place].count >= 0 }

    func bytes(_ place: Int) -> Bytes {
        Bytes(start: bytes + names[place].start, count: max(0, names[place].count))
    }

    func isSame(_ place: Int, _ other: Bytes) -> Bool {
        let name = names[place]
        guard name.count == other.count else { return false }
        guard let other = other.baseAddress else { return true }
        return JSONScanner.same(bytes + name.start, other, name.count)
    }

    /// The meaning of the first text that is the same; nil when none is.
    func meaning(_ other: Bytes) -> UInt8? {
        var place = 0
        while place < count {
            if isSame(place, other) { return names[place].meaning }
            place &+= 1
        }
        return nil
    }
}
