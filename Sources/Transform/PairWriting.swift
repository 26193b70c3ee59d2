import JSONText

// Writes pairs of key and value.
extension Transformer {
    /// Writes pairs as an array, which becomes the value of the member.
    func writePairs(_ pairs: PairRow, _ step: CompiledStep, to member: Int32) throws(TransformError) {
        let start = scratch.count
        scratch.append(UInt8(ascii: "["))
        for index in 0..<pairs.count {
            let pair = pairs.base[index]
            if isDropped(pair, step) { continue }
            if scratch.count > start &+ 1 { scratch.append(UInt8(ascii: ",")) }
            write(pair, lowercase: step.lowercase)
            if scratch.count > growthLimit { break }
        }
        scratch.append(UInt8(ascii: "]"))
        arena.setText(of: member, to: try written(from: start))
    }

    /// Appends the pairs that the scan collected for a member. This is the hot path. All pairs are in one text, no key
    /// has an escape, and no value is an object or an array, so plain pointers are enough.
    func writeCollected(_ member: Int32, _ step: CompiledStep, into out: ByteBuffer) throws(TransformError) {
        let node = arena[member]
        let pairs = ordered(collected, from: Int(node.first), to: Int(node.last))
        let text = pointer(node.text.source)
        let textEnd = text + Int(node.text.end)
        let start = out.count
        let most = growthLimit &+ (out === scratch ? 0 : outputStart)
        out.reserve(16)
        var to = out.base + start
        var limit = out.base + out.capacity
        var pair = pairs.base
        let last = pair + pairs.count
        while pair < last {
            let kind = pair.pointee.kind
            let keyCount = pair.pointee.key.count
            let quotes = kind == .string ? 1 : 0
            let value = text + (Int(pair.pointee.value.start) &+ quotes)
            let count = pair.pointee.value.count &- quotes &* 2
            if kind == .null && step.dropNull || step.dropEmpty && kind == .string && count == 0 {
                pair += 1
                continue
            }
            // 64: at most 32 bytes around key and value, and 16 bytes that may be written and then written over.
            let need = keyCount &* 6 &+ count &* 2 &+ 64
            if limit - to < need {
                out.count = to - out.base
                guard out.count <= most else { throw tooLong() }
                out.reserve(need)
                to = out.base + out.count
                limit = out.base + out.capacity
            }
            to = Self.put(Self.beforeKey, 16, to)
            if keyCount <= 8, Self.hasNoColon(pair.pointee.prefix) {
                UnsafeMutableRawPointer(to).storeBytes(of: pair.pointee.prefix.bigEndian, as: UInt64.self)
                to += keyCount
            } else {
                to = writeKey(text + Int(pair.pointee.key.start), keyCount, pair.pointee.prefix, to, of: out)
            }
            to[0] = UInt8(ascii: ":")
            to += 1
            to =
                kind == .null
                ? Self.put("\",\"value\":null}", to) : Self.putValue(value, count, room: textEnd - value, to)
            pair += 1
        }
        // The bracket replaces the comma of the first pair.
        let isEmpty = out.base + start == to
        out.base[start] = UInt8(ascii: "[")
        out.count = isEmpty ? start &+ 1 : to - out.base
        out.append(UInt8(ascii: "]"))
        guard out.count <= most else { throw tooLong() }
    }

    /// Writes the rest of a pair behind its key and colon: the value, and then the field `value`. `room`: how many
    /// bytes may be read from `value` on.
    @inline(__always) private static func putValue(
        _ value: UnsafePointer<UInt8>, _ count: Int, room: Int, _ start: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var to = start
        if count <= 16, room >= 16 {
            // Always sixteen bytes: the length cannot be predicted. Those that are too many are written over.
            let bytes = UnsafeRawPointer(value).loadUnaligned(as: SIMD16<UInt8>.self)
            to = put(bytes, count, to)
            to = put(beforeValue, 11, to)
            to = put(bytes, count, to)
        } else {
            to = put(value, count, to)
            to = put(beforeValue, 11, to)
            to = put(value, count, to)
        }
        return put("\"}", to)
    }

    /// The text before the key of a pair, and the text before its value. Blanks fill it to sixteen bytes; they are
    /// written over.
    private static var beforeKey: SIMD16<UInt8> { @inline(__always) get { sixteen(",{\"keyToValue\":\"") } }
    private static var beforeValue: SIMD16<UInt8> { @inline(__always) get { sixteen("\",\"value\":\"     ") } }

    @inline(__always) private static func sixteen(_ text: StaticString) -> SIMD16<UInt8> {
        UnsafeRawPointer(text.utf8Start).loadUnaligned(as: SIMD16<UInt8>.self)
    }

    /// Writes sixteen bytes, of which the first `count` are kept. There must be room for all sixteen.
    @inline(__always) private static func put(
        _ bytes: SIMD16<UInt8>, _ count: Int, _ to: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        UnsafeMutableRawPointer(to).storeBytes(of: bytes, as: SIMD16<UInt8>.self)
        return to + count
    }

    private func write(_ pair: Pair, lowercase: Bool) {
        guard pair.kind != .absent else {
            append(pair.value, into: scratch)
            return
        }
        // A byte of the key can become six. Lower case can be three times as long.
        scratch.reserve(pair.key.count &* 6 &+ pair.value.count &* 6 &+ 64)
        var to = scratch.base + scratch.count
        to = Self.put("{\"keyToValue\":\"", to)
        to = writeKey(pointer(pair.key.source) + Int(pair.key.start), pair.key.count, pair.prefix, to, of: scratch)
        to[0] = UInt8(ascii: ":")
        to += 1
        if pair.kind == .null {
            to = Self.put("\",\"value\":null}", to)
            scratch.count = to - scratch.base
            return
        }
        let quotes = pair.kind == .string ? 1 : 0
        var value = pointer(pair.value.source) + (Int(pair.value.start) &+ quotes)
        var count = pair.value.count &- quotes &* 2
        if lowercase, quotes == 1 {
            scratch.count = to - scratch.base
            Lowercase.append(content: Bytes(start: value, count: count), into: scratch)
            value = UnsafePointer(to)
            count = scratch.base + scratch.count - to
            to += count
        } else {
            to = Self.put(value, count, to)
        }
        to = Self.put("\",\"value\":\"", to)
        to = Self.put(value, count, to)
        to = Self.put("\"}", to)
        scratch.count = to - scratch.base
    }

    /// Copies bytes. Most values are short: they are copied without a call, as two words that may overlap.
    @inline(__always) private static func put(
        _ from: UnsafePointer<UInt8>, _ count: Int, _ to: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        let source = UnsafeRawPointer(from)
        let target = UnsafeMutableRawPointer(to)
        if count > 16 || count < 2 {
            to.update(from: from, count: count)
        } else if count >= 8 {
            let last = source.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
            target.storeBytes(of: source.loadUnaligned(as: UInt64.self), as: UInt64.self)
            target.storeBytes(of: last, toByteOffset: count &- 8, as: UInt64.self)
        } else if count >= 4 {
            let last = source.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
            target.storeBytes(of: source.loadUnaligned(as: UInt32.self), as: UInt32.self)
            target.storeBytes(of: last, toByteOffset: count &- 4, as: UInt32.self)
        } else {
            let last = source.loadUnaligned(fromByteOffset: count &- 2, as: UInt16.self)
            target.storeBytes(of: source.loadUnaligned(as: UInt16.self), as: UInt16.self)
            target.storeBytes(of: last, toByteOffset: count &- 2, as: UInt16.self)
        }
        return to + count
    }

    @inline(__always) private static func put(
        _ text: StaticString, _ to: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        to.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        return to + text.utf8CodeUnitCount
    }

    /// Writes a key, with a backslash before each `:` and `\`, as the content of a JSON string. `to` is a place in
    /// `out`. There must be room for six times the bytes of the key.
    @inline(__always) private func writeKey(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ prefix: UInt64, _ to: UnsafeMutablePointer<UInt8>,
        of out: ByteBuffer
    ) -> UnsafeMutablePointer<UInt8> {
        if count <= 8, Self.isPlain(prefix: prefix, count) {
            UnsafeMutableRawPointer(to).storeBytes(of: prefix.bigEndian, as: UInt64.self)
            return to + count
        }
        if count > 8, JSONScanner.allWords(text, count, Self.isPlain(word:)) { return Self.put(text, count, to) }
        return writeEscaped(text, count, to, of: out)
    }

    /// Whether no byte is a colon, the only byte to escape in a key without JSON escapes. False is possible, too, when
    /// a byte is not ASCII.
    @inline(__always) private static func hasNoColon(_ word: UInt64) -> Bool {
        ((word ^ 0x3A3A_3A3A_3A3A_3A3A) &- 0x0101_0101_0101_0101) & 0x8080_8080_8080_8080 == 0
    }

    /// Whether a key of at most eight bytes is ASCII, with nothing to escape.
    @inline(__always) private static func isPlain(prefix: UInt64, _ count: Int) -> Bool {
        // Blanks replace the zeros behind the key.
        isPlain(word: count < 8 ? prefix | 0x2020_2020_2020_2020 &>> UInt64(count &* 8) : prefix)
    }

    @inline(__always) private static func isPlain(word: UInt64) -> Bool {
        JSONScanner.special(word) == 0 && hasNoColon(word)
    }

    @inline(never) private func writeEscaped(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ start: UnsafeMutablePointer<UInt8>, of out: ByteBuffer
    ) -> UnsafeMutablePointer<UInt8> {
        var to = start
        var at = 0
        while at < count {
            defer { at &+= 1 }
            switch text[at] {
            case UInt8(ascii: ":"): to = Self.put("\\\\:", to)
            case UInt8(ascii: "\\"): to = Self.put("\\\\\\\\", to)
            case let byte where byte == UInt8(ascii: "\"") || byte < 0x20:
                out.count = to - out.base
                JSONString.escapeContent(Bytes(start: text + at, count: 1), into: out)
                to = out.base + out.count
            case 0xED where JSONString.isSurrogate(text, at, count):
                out.count = to - out.base
                JSONString.appendSurrogate(text, at, into: out)
                to = out.base + out.count
                at &+= 2
            case let byte:
                to[0] = byte
                to += 1
            }
        }
        return to
    }
}
