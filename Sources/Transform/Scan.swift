import JSONText

/// Scans and validates a text, and builds nodes of the parts that the recipe names.
struct Scan {
    let text: UnsafePointer<UInt8>
    let end: Int
    let source: TextSource
    let arena: NodeArena
    let index: NameIndex
    /// Gets the members of maps that will be flattened.
    let pairs: PairList
    /// The keys of whole documents, with the numbers of their names.
    let rootKeys: KeyMemory
    let tail: TextTail
    let latest: LatestMembers
    /// Given when the text was scanned before and found to be valid.
    var again: KnownEnds?
    /// Where the object, the array or the members begin that are scanned again.
    var low = 0
    /// Whether every member gets a node, not only those whose names the recipe knows.
    var everyMember = false
    /// Whether there are raw line ends between tokens.
    var newlines = false

    init(
        text: UnsafePointer<UInt8>, end: Int, source: TextSource, of transformer: Transformer
    ) {
        self.text = text
        self.end = end
        self.source = source
        arena = transformer.arena
        index = transformer.program.index
        pairs = transformer.collected
        rootKeys = transformer.rootKeys
        tail = transformer.tail
        latest = transformer.latest
    }

    @inline(__always) private func range(_ start: Int, _ end: Int) -> TextRange {
        TextRange(source: source, start: Int32(truncatingIfNeeded: start), end: Int32(truncatingIfNeeded: end))
    }

    @inline(__always) private func addRun(_ start: Int, _ end: Int, to parent: Int32) {
        guard start >= 0 else { return }
        arena.add(Node(shape: .run, text: range(start, end)), to: parent)
    }

    /// Adds the members of the object at `start` to `node`. Returns the offset behind the object.
    mutating func object(_ node: Int32, _ start: Int, _ branch: Int32, _ levels: Int) throws(JSONError) -> Int {
        guard levels > 0 else { throw JSONError(.tooDeep, at: start) }
        let at = JSONScanner.space(text, start &+ 1, end, &newlines)
        if at < end, text[at] == UInt8(ascii: "}") { return at &+ 1 }
        let after = try members(node, at, branch, levels)
        guard after < end, text[after] == UInt8(ascii: "}") else {
            throw JSONError(after < end ? .unexpectedByte : .unexpectedEnd, at: after)
        }
        return after &+ 1
    }

    /// Adds the members from `start` on to `node`. Returns the offset behind the last one, where no comma stands.
    mutating func members(_ node: Int32, _ start: Int, _ branch: Int32, _ levels: Int) throws(JSONError) -> Int {
        // These are locals, because properties would be loaded again for every byte.
        let text = text
        let end = end
        let index = index
        let wantsAll = everyMember
        let isRoot = branch == 0
        let keys = rootKeys
        var place = 0
        var at = start
        var (runStart, runEnd, named) = (-1, -1, 0)
        while true {
            let after = isRoot && !wantsAll ? keys.skipUnnumbered(text, at, end, &place) : at
            if after > at {
                if runStart < 0 { runStart = at }
                runEnd = after
                at = after
            } else {
                let key = at &+ 1
                let keyEnd: Int
                let name: Int32
                if isRoot, keys.isNext(place, text, at, end) {
                    keyEnd = at &+ keys.length(place) &- 2
                    name = keys.number(place)
                    at = JSONScanner.space(text, keyEnd &+ 2, end, &newlines)
                    place &+= 1
                } else {
                    var escaped = false
                    let value: Int
                    (keyEnd, value) = try JSONScanner.key(text, at, end, &escaped, &newlines)
                    name = escaped ? try number(ofEscaped: key, keyEnd) : index.number(of: text + key, keyEnd &- key)
                    if isRoot, !escaped { place = keys.found(text, at, keyEnd, end, number: name, at: place) }
                    at = value
                }
                if name < 0, !wantsAll {
                    at = try skip(at, levels &- 1)
                    if runStart < 0 { runStart = key &- 1 }
                    runEnd = at
                } else {
                    addRun(runStart, runEnd, to: node)
                    runStart = -1
                    if name >= 0 { named &+= 1 }
                    // Only members whose names are known get here, so other members pay nothing for this check.
                    if isRoot, index.isReserved(name) { arena.pointer(node).pointee.step = Node.holdsReserved }
                    let member = arena.add(Node(shape: .raw, key: range(key, keyEnd), name: name), to: node)
                    at = try read(member, at, index.branch(under: branch, name: name), levels &- 1)
                }
            }
            if JSONScanner.isNextKey(text, at, end) {
                at &+= 1
                continue
            }
            at = JSONScanner.space(text, at, end, &newlines)
            guard at < end, text[at] == UInt8(ascii: ",") else { break }
            at = JSONScanner.space(text, at &+ 1, end, &newlines)
        }
        addRun(runStart, runEnd, to: node)
        if named > 1 { latest.keep(in: node, arena) }
        return at
    }

    @inline(__always) private mutating func skip(_ at: Int, _ levels: Int) throws(JSONError) -> Int {
        if at < end, text[at] == UInt8(ascii: "\"") { return try JSONScanner.string(text, at &+ 1, end) }
        if at < end, text[at] == UInt8(ascii: "{") || text[at] == UInt8(ascii: "[") {
            if let again { return try again.pass(at, source, text, within: low..<end) }
            return try JSONScanner.skip(text, at, end, levels, &newlines)
        }
        return try JSONScanner.scalar(text, at, end)
    }

    private func number(ofEscaped key: Int, _ keyEnd: Int) throws(JSONError) -> Int32 {
        let plain = ByteBuffer(capacity: keyEnd - key)
        try JSONString.unescape(content: text + key, count: keyEnd - key, into: plain)
        return index.number(of: UnsafePointer(plain.base), plain.count)
    }

    /// Reads the value at `start` into `node`: as nodes if paths lead into it, else as its text.
    private mutating func read(
        _ node: Int32, _ start: Int, _ branch: Int32, _ levels: Int
    ) throws(JSONError) -> Int {
        if branch >= 0, start < end, index.isLeaf(branch) {
            if index.isMap(branch), text[start] == UInt8(ascii: "{") { return try map(node, start, levels) }
        } else if branch >= 0, start < end {
            if text[start] == UInt8(ascii: "{") {
                arena.pointer(node).pointee.shape = .object
                return try object(node, start, branch, levels)
            }
            if text[start] == UInt8(ascii: "[") {
                arena.pointer(node).pointee.shape = .array
                return try array(node, start, branch, levels)
            }
        }
        let after = try skip(start, levels)
        arena[node].text = range(start, after)
        return after
    }

    /// Reads the map at `start` into `node` as its text. It also collects the members, if all are scalars with keys
    /// without escapes. Nearly all maps are like that.
    private mutating func map(_ node: Int32, _ start: Int, _ levels: Int) throws(JSONError) -> Int {
        guard levels > 0 else { throw JSONError(.tooDeep, at: start) }
        let text = text
        let end = end
        let low = pairs.count
        var isSimple = true
        var at = JSONScanner.space(text, start &+ 1, end, &newlines)
        if at < end, text[at] == UInt8(ascii: "}") {
            at &+= 1
        } else {
            while true {
                let after = plainPairs(at)
                if after > at {
                    at = after
                } else {
                    let key = at &+ 1
                    var escaped = false
                    let (keyEnd, value) = try JSONScanner.key(text, at, end, &escaped, &newlines)
                    at = try skip(value, levels &- 1)
                    let kind = JSONScanner.kind(of: text[value])
                    if escaped || kind == .object || kind == .array { isSimple = false }
                    pairs.add(
                        Pair(
                            prefix: Pair.prefix(text + key, keyEnd &- key, room: end &- key), key: range(key, keyEnd),
                            value: range(value, at), kind: kind))
                    at = JSONScanner.space(text, at, end, &newlines)
                }
                guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
                at &+= 1
                if text[at &- 1] == UInt8(ascii: "}") { break }
                guard text[at &- 1] == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: at &- 1) }
                at = JSONScanner.space(text, at, end, &newlines)
            }
        }
        arena[node].text = range(start, at)
        if isSimple {
            arena.pointer(node).pointee.step = Node.pairsCollected
            arena.pointer(node).pointee.first = Int32(truncatingIfNeeded: low)
            arena.pointer(node).pointee.last = Int32(truncatingIfNeeded: pairs.count)
        } else {
            pairs.truncate(to: low)
        }
        return at
    }

    /// Collects the pairs from `start` on, as long as they are plain. Returns the end of the last one, where a comma or
    /// the closing brace stands, or `start` when there was none.
    private func plainPairs(_ start: Int) -> Int {
        let last = JSONScanner.plainEnd(end)
        var next = start
        if start < last {
            next = plainPairs(text, start, last, end, shift: 0)
            if next > start, text[next &- 1] == UInt8(ascii: "}") { return next &- 1 }
        }
        // Pairs near the end of the text, which the vectors would reach beyond.
        let shift = end &- TextTail.length
        if shift >= 0, next >= shift {
            let copy = tail.copy(text, end)
            next = shift &+ plainPairs(copy, next &- shift, TextTail.length, TextTail.length, shift: shift)
        }
        return next > start ? next &- 1 : start
    }

    /// Collects plain pairs that begin before `last`. Returns the offset behind the comma or the closing brace after
    /// the last one. `shift`: where `text`, which has `end` bytes, begins in the text of this scan.
    ///
    /// This loop is a function of its own: it is so small that nearly all its values stay in registers.
    @inline(never) private func plainPairs(
        _ text: UnsafePointer<UInt8>, _ start: Int, _ last: Int, _ end: Int, shift: Int
    ) -> Int {
        var to = pairs.base + pairs.count
        let limit = pairs.base + pairs.capacity
        var at = start
        while at < last, to < limit, text[at] == UInt8(ascii: "\"") {
            let key = at &+ 1
            let quote = JSONScanner.plainKey(text, key)
            guard quote > 0 else { break }
            var kind = JSONKind.absent
            let found = JSONScanner.plainValue(text, quote &+ 2, last, &kind)
            guard found > 0, found < end, text[found] == UInt8(ascii: ",") || text[found] == UInt8(ascii: "}") else {
                break
            }
            to.initialize(
                to: Pair(
                    prefix: Pair.prefix(text + key, quote &- key, room: 16),
                    key: range(shift &+ key, shift &+ quote),
                    value: range(shift &+ quote &+ 2, shift &+ found), kind: kind))
            to += 1
            at = found &+ 1
            if text[found] == UInt8(ascii: "}") { break }
        }
        pairs.extend(to: to)
        return at
    }

    /// Adds the elements of the array at `start` to `node`. Each object and each array gets a node; the values between
    /// them stay runs of text. Returns the offset behind the array.
    mutating func array(_ node: Int32, _ start: Int, _ branch: Int32, _ levels: Int) throws(JSONError) -> Int {
        guard levels > 0 else { throw JSONError(.tooDeep, at: start) }
        var at = JSONScanner.space(text, start &+ 1, end, &newlines)
        if at < end, text[at] == UInt8(ascii: "]") { return at &+ 1 }
        var runStart = -1
        var runEnd = -1
        while true {
            guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
            if text[at] == UInt8(ascii: "{") || text[at] == UInt8(ascii: "[") {
                addRun(runStart, runEnd, to: node)
                runStart = -1
                let element = arena.add(Node(shape: .raw), to: node)
                at = try read(element, at, branch, levels &- 1)
            } else {
                if runStart < 0 { runStart = at }
                at = try JSONScanner.skip(text, at, end, levels &- 1, &newlines)
                runEnd = at
            }
            at = JSONScanner.space(text, at, end, &newlines)
            guard at < end else { throw JSONError(.unexpectedEnd, at: at) }
            if text[at] == UInt8(ascii: "]") { break }
            guard text[at] == UInt8(ascii: ",") else { throw JSONError(.unexpectedByte, at: at) }
            at = JSONScanner.space(text, at &+ 1, end, &newlines)
        }
        addRun(runStart, runEnd, to: node)
        return at &+ 1
    }
}
