import JSONText

/// Reduces documents to digests: equal documents have equal digests, however they are spelled.
///
/// The digest is that of a canonical text. Members are sorted by name, and of several with one name the last counts, as
/// for a server. There is no white space. Numbers go by their value: `1`, `1.0` and `10e-1` are one number, 2^53 and
/// 2^53+1 are two. Strings go by their content, and two spellings of an accented letter are two strings. The elements
/// of an array keep their order. An object or array inside stands there as its own digest.
///
/// A document is walked through once, without a tree, and nothing is allocated per document: what a canonical text has
/// in common with the document is only referred to. Each thread needs its own digester.
package final class DocumentDigester {
    let ignored: PathTree
    let emptyArrayIsAbsent: Bool
    /// What the last document had at each of the ignored paths, as a hash; 0: nothing.
    @exclusivity(unchecked) package private(set) var ignoredValues: [UInt64]
    /// Canonical text that differs from the document's own.
    let changed = ByteBuffer(capacity: 4096)
    /// The text of a container that is put together, and of numbers.
    let joined = ByteBuffer(capacity: 4096)
    let parts = PartList()
    // Not checked for exclusive access: all of it belongs to one thread.
    private let levels: UnsafeMutablePointer<Level>
    @exclusivity(unchecked) private var depth = 0
    @exclusivity(unchecked) private var newlines = false
    /// Where in the ignored paths the next value is.
    @exclusivity(unchecked) private var place = PathTree.root
    @exclusivity(unchecked) private var text: UnsafePointer<UInt8>
    @exclusivity(unchecked) private var end = 0
    private let ignoresPaths: Bool

    /// An object or array whose end is not read yet.
    private struct Level {
        var isObject: Bool
        /// Its own place among the parts; its members follow.
        var slot: Int
        /// Where it begins in the document.
        var start: Int
        /// Where ``DocumentDigester/changed`` ended before it.
        var mark: Int
        var place: Int
    }

    /// The largest buffer that is kept from one document to the next, in bytes.
    private static let kept = 1 << 20

    /// - Parameters:
    ///   - ignoring: what lies there does not count.
    ///   - emptyArrayIsAbsent: whether a member whose value is an empty array counts as absent.
    package init(ignoring: [JSONPath] = [], emptyArrayIsAbsent: Bool = false) {
        ignored = PathTree(ignoring)
        ignoredValues = Array(repeating: 0, count: ignoring.count)
        self.emptyArrayIsAbsent = emptyArrayIsAbsent
        ignoresPaths = !ignoring.isEmpty
        text = UnsafePointer(changed.base)
        levels = .allocate(capacity: JSONScanner.maxDepth)
    }

    deinit { levels.deallocate() }

    /// The digest of a document, or of any one JSON value. Throws when it is not JSON, or nested deeper than
    /// ``JSONScanner/maxDepth``. `at`: where in the ignored paths the value lies.
    package func digest(_ document: Bytes, at place: Int = PathTree.root) throws(JSONError) -> ContentDigest {
        guard let start = document.baseAddress else { throw JSONError(.unexpectedEnd, at: 0) }
        // Offsets have 32 bits.
        guard document.count < Int(Int32.max) else { throw JSONError(.tooDeep, at: 0) }
        (text, end, self.place) = (start, document.count, place)
        for path in ignoredValues.indices { ignoredValues[path] = 0 }
        defer { forget() }
        let after = try walk()
        let rest = JSONScanner.space(text, after, end, &newlines)
        guard rest == end else { throw JSONError(.trailingBytes, at: rest) }
        return digestOfNext()
    }

    private func forget() {
        depth = 0
        parts.removeAll(keepingAtMost: Self.kept)
        changed.removeAll(keepingAtMost: Self.kept)
        joined.removeAll(keepingAtMost: Self.kept)
    }

    // MARK: Walking

    /// Reads one value into the first part. Returns the offset behind it.
    private func walk() throws(JSONError) -> Int {
        var at = JSONScanner.space(text, 0, end, &newlines)
        parts.begin()
        values: while true {
            guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
            let byte = text[at]
            if byte == UInt8(ascii: "\"") {
                at = try string(at)
            } else if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
                let inside = JSONScanner.space(text, at &+ 1, end, &newlines)
                guard inside < end else { throw JSONError(.unexpectedEnd, at: inside) }
                // In ASCII a closing bracket is its opening bracket plus two.
                guard text[inside] == byte &+ 2 else {
                    try open(at, isObject: byte == UInt8(ascii: "{"))
                    at = inside
                    if try next(&at) { continue values }
                    at = close(at)
                    guard try behind(&at) else { return at }
                    continue values
                }
                at = empty(at, inside)
            } else {
                at = try scalar(at)
            }
            guard try behind(&at) else { return at }
        }
    }

    /// Goes on behind a value. True: the next one begins at `at`. False: that was the last.
    @inline(__always) private func behind(_ at: inout Int) throws(JSONError) -> Bool {
        while depth > 0 {
            let level = levels + (depth &- 1)
            add(level)
            at = JSONScanner.space(text, at, end, &newlines)
            guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
            if text[at] == UInt8(ascii: ",") {
                at = JSONScanner.space(text, at &+ 1, end, &newlines)
                if try next(&at) { return true }
            }
            guard text[at] == (level.pointee.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                throw JSONError(.unexpectedByte, at: at)
            }
            at = close(at)
        }
        return false
    }

    /// Begins the next element, or the next member behind those that are plain. True: its value begins at `at`. False:
    /// the object ends there.
    @inline(__always) private func next(_ at: inout Int) throws(JSONError) -> Bool {
        let level = levels + (depth &- 1)
        guard level.pointee.isObject else {
            parts.begin()
            place = level.pointee.place
            return true
        }
        if !ignoresPaths {
            let start = at
            at = plainMembers(start)
            if at > start, text[at] == UInt8(ascii: "}") { return false }
        }
        parts.begin()
        at = try key(at, level.pointee.place)
        return true
    }

    /// Reads members without white space and escapes, as programs write them. Returns the offset of the first name that
    /// it does not read, or of the bracket behind the last member. `start`: where a name begins.
    @inline(never) private func plainMembers(_ start: Int) -> Int {
        let (text, last, parts) = (text, JSONScanner.plainEnd(end), self.parts)
        var at = start
        var part = parts.next
        var room = parts.capacity &- parts.count &- 2
        while at < last, room > 0, text[at] == UInt8(ascii: "\"") {
            let quote = JSONScanner.plainKey(text, at &+ 1)
            guard quote > at else { break }
            var kind = JSONKind.absent
            let after = JSONScanner.plainValue(text, quote &+ 2, last, &kind)
            guard after > 0 else { break }
            let isLast = text[after] == UInt8(ascii: "}")
            guard isLast || JSONScanner.isNextKey(text, after, end) else { break }
            part.pointee = Part(
                order: Part.order(JSONScanner.word(text, at &+ 1), quote &- at &- 1),
                key: Int32(truncatingIfNeeded: at &+ 1), keyEnd: Int32(truncatingIfNeeded: quote),
                start: Int32(truncatingIfNeeded: quote &+ 2), end: Int32(truncatingIfNeeded: after), hasKey: true,
                isPlain: true)
            part += 1
            parts.count &+= 1
            room &-= 1
            at = isLast ? after : after &+ 1
            if isLast { break }
        }
        return at
    }

    /// Reads the name of a member. Returns the offset of its value.
    private func key(_ at: Int, _ outer: Int) throws(JSONError) -> Int {
        var escaped = false
        let found = try JSONScanner.key(text, at, end, &escaped, &newlines)
        let part = parts.next
        part.pointee.hasKey = true
        var (start, end) = (at &+ 1, found.quote)
        if escaped {
            start = changed.count
            try JSONString.unescape(content: text + at + 1, count: found.quote &- at &- 1, into: joined)
            JSONString.escapeContent(joined.bytes, into: changed)
            joined.removeAll()
            end = changed.count
        }
        part.pointee.isKeyChanged = escaped
        (part.pointee.key, part.pointee.keyEnd) = (Int32(truncatingIfNeeded: start), Int32(truncatingIfNeeded: end))
        let name = bytes(start, end, escaped)
        var word: UInt64 = 0
        for index in 0..<min(8, name.count) { word |= UInt64(name[index]) &<< UInt64(8 &* index) }
        part.pointee.order = Part.order(word, name.count)
        if ignoresPaths {
            place = ignored.step(outer, name)
            part.pointee.isIgnored = ignored.isEnd(place)
        }
        return found.value
    }

    // MARK: Values

    /// An empty object or array. Returns the offset behind it.
    private func empty(_ at: Int, _ inside: Int) -> Int {
        let part = parts.next
        if inside == at &+ 1 {
            part.pointee.value(at, inside &+ 1)
        } else {
            let from = changed.count
            changed.append(text[at])
            changed.append(text[inside])
            part.pointee.value(from, changed.count, isChanged: true)
        }
        if emptyArrayIsAbsent, part.pointee.hasKey, text[at] == UInt8(ascii: "[") { part.pointee.isAbsent = true }
        return inside &+ 1
    }

    private func string(_ at: Int) throws(JSONError) -> Int {
        var escaped = false
        let after = try JSONScanner.string(text, at &+ 1, end, &escaped)
        guard escaped else {
            parts.next.pointee.value(at, after)
            return after
        }
        let from = changed.count
        try JSONString.unescape(content: text + at + 1, count: after &- at &- 2, into: joined)
        JSONString.escape(joined.bytes, into: changed)
        joined.removeAll()
        parts.next.pointee.value(from, changed.count, isChanged: true)
        return after
    }

    private func scalar(_ at: Int) throws(JSONError) -> Int {
        let after = try JSONScanner.scalar(text, at, end)
        let number = Bytes(start: text + at, count: after &- at)
        if CanonicalNumber.isCanonical(number) {
            parts.next.pointee.value(at, after)
        } else {
            let from = changed.count
            CanonicalNumber.append(number, to: changed)
            parts.next.pointee.value(from, changed.count, isChanged: true)
        }
        return after
    }

    // MARK: Putting together

    private func bytes(_ start: Int, _ end: Int, _ isChanged: Bool) -> Bytes {
        Bytes(start: (isChanged ? UnsafePointer(changed.base) : text) + start, count: end &- start)
    }

    /// The digest of the value that was read last.
    private func digestOfNext() -> ContentDigest {
        let part = parts.next.pointee
        let value = bytes(Int(part.start), Int(part.end), part.isValueChanged)
        guard value.first == Self.digestMark, value.count == 17, let start = value.baseAddress else {
            return ContentDigest(of: value)
        }
        let raw = UnsafeRawPointer(start + 1)
        return ContentDigest(
            high: raw.loadUnaligned(as: UInt64.self), low: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    }

    /// Stands before a digest. No JSON value begins with it.
    private static let digestMark = UInt8(ascii: "#")

    private func open(_ at: Int, isObject: Bool) throws(JSONError) {
        guard depth < JSONScanner.maxDepth else { throw JSONError(.tooDeep, at: at) }
        levels[depth] = Level(isObject: isObject, slot: parts.count, start: at, mark: changed.count, place: place)
        depth &+= 1
        parts.count &+= 1
    }

    /// The value that was read belongs to an object or array.
    @inline(__always) private func add(_ level: UnsafePointer<Level>) {
        let part = parts.next
        if part.pointee.isIgnored {
            let path = ignored.number(place)
            // A path through an array may lead to several values.
            ignoredValues[path] = ignoredValues[path] &* 0x9E37_79B9_7F4A_7C15 ^ digestOfNext().low
        } else if level.pointee.isObject || !parts.extendLast(level.pointee.slot &+ 1) {
            parts.count &+= 1
        }
    }

    /// What is between the brackets becomes one value: its digest. `at`: the offset of the closing bracket. Returns the
    /// offset behind it.
    private func close(_ at: Int) -> Int {
        depth &-= 1
        let level = levels[depth]
        let first = level.slot &+ 1
        let digest: ContentDigest
        if isWritten(level, first, at) {
            digest = ContentDigest(of: Bytes(start: text + level.start, count: at &+ 1 &- level.start))
        } else {
            join(level, first)
            digest = ContentDigest(of: joined.bytes)
        }
        // All that was in it may be left out. Then it is the same as one that is empty.
        let isEmpty = joined.count == 2
        joined.removeAll()
        parts.count = level.slot
        place = level.place
        changed.count = level.mark
        if isEmpty {
            changed.append("{}")
        } else {
            changed.append(Self.digestMark)
            changed.append(digest)
        }
        parts.next.pointee.value(level.mark, changed.count, isChanged: true)
        return at &+ 1
    }

    /// Whether the document has the container just as its canonical text is.
    @inline(__always) private func isWritten(_ level: Level, _ first: Int, _ bracket: Int) -> Bool {
        var at = level.start &+ 1
        var before: UInt64 = 0
        var part = parts.parts + first
        let last = parts.parts + parts.count
        while part < last {
            guard part.pointee.isPlain, part.pointee.whole == at else { return false }
            if level.isObject {
                // Names with the same first bytes are compared when they are sorted.
                guard part.pointee.order > before, !part.pointee.isAbsent else { return false }
                before = part.pointee.order
            }
            at = Int(part.pointee.end) &+ 1
            part += 1
        }
        return at == bracket &+ 1
    }

    private func join(_ level: Level, _ first: Int) {
        let other = UnsafePointer(changed.base)
        if level.isObject { parts.sort(from: first, depth: depth, text, other) }
        joined.append(level.isObject ? UInt8(ascii: "{") : UInt8(ascii: "["))
        var needsComma = false
        var index = first
        while index < parts.count {
            defer { index &+= 1 }
            if level.isObject, parts.leavesOut(index, text, other) { continue }
            let part = parts.parts + (level.isObject ? Int(parts.order[index]) : index)
            if needsComma { joined.append(UInt8(ascii: ",")) }
            needsComma = true
            append(part)
        }
        joined.append(level.isObject ? UInt8(ascii: "}") : UInt8(ascii: "]"))
    }

    @inline(__always) private func append(_ part: UnsafePointer<Part>) {
        if part.pointee.isPlain {
            let whole = part.pointee.whole
            return appendShort(whole, Int(part.pointee.end) &- whole)
        }
        if part.pointee.hasKey {
            joined.append(UInt8(ascii: "\""))
            joined.append(bytes(Int(part.pointee.key), Int(part.pointee.keyEnd), part.pointee.isKeyChanged))
            joined.append("\":")
        }
        joined.append(bytes(Int(part.pointee.start), Int(part.pointee.end), part.pointee.isValueChanged))
    }

    /// Appends a piece of the document, most of which are short.
    @inline(__always) private func appendShort(_ start: Int, _ count: Int) {
        guard count <= 64, start &+ 64 <= end else { return joined.append(text + start, count) }
        joined.reserve(64)
        let (from, to) = (UnsafeRawPointer(text + start), UnsafeMutableRawPointer(joined.base + joined.count))
        var at = 0
        repeat {
            let piece = from.loadUnaligned(fromByteOffset: at, as: SIMD16<UInt8>.self)
            to.storeBytes(of: piece, toByteOffset: at, as: SIMD16<UInt8>.self)
            at &+= 16
        } while at < count
        joined.count &+= count
    }
}
