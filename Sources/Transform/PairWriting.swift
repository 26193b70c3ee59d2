import JSONText

// Writing pairs of key and value.
extension Transformer {
    /// Writes the pairs of a range as an array and makes that the member's value.
    func writePairs(
        _ pairs: PairList, from low: Int, to high: Int, _ step: CompiledStep, to member: Int32
    ) throws(TransformError) {
        let start = scratch.count
        scratch.append(UInt8(ascii: "["))
        var index = low
        while index < high {
            let pair = pairs[index]
            index &+= 1
            if isDropped(pair, step) { continue }
            if scratch.count > start &+ 1 { scratch.append(UInt8(ascii: ",")) }
            write(pair, lowercase: step.lowercase)
            if scratch.count > Self.scratchLimit { break }
        }
        scratch.append(UInt8(ascii: "]"))
        arena.setText(of: member, to: try written(from: start))
    }

    /// As ``writePairs(_:from:to:_:to:)`` for what the scan collected: the hot path. All lies in one text, no key has
    /// an escape, no value is an object or array, so that one pointer can run through.
    func writeCollected(_ low: Int, _ high: Int, _ step: CompiledStep, to member: Int32) throws(TransformError) {
        guard !step.lowercase else {
            try writePairs(collected, from: low, to: high, step, to: member)
            return
        }
        let text = pointer(arena[member].text.source)
        let textEnd = text + Int(arena[member].text.end)
        let start = scratch.count
        scratch.reserve(2)
        var to = scratch.base + start
        var limit = scratch.base + scratch.capacity
        to[0] = UInt8(ascii: "[")
        to += 1
        var pair = collected.base + low
        let last = collected.base + high
        var isFirst = true
        while pair < last {
            let kind = pair.pointee.kind
            let keyCount = pair.pointee.key.count
            let isString = kind == .string
            let value = text + (Int(pair.pointee.value.start) &+ (isString ? 1 : 0))
            let count = pair.pointee.value.count &- (isString ? 2 : 0)
            if kind == .null && step.dropNull || step.dropEmpty && isString && count == 0 {
                pair += 1
                continue
            }
            // 64: what stands around them, at most 30 bytes, and up to 16 that are written over.
            let need = keyCount &* 6 &+ count &* 2 &+ 64
            if limit - to < need {
                scratch.count = to - scratch.base
                guard scratch.count <= Self.scratchLimit else { break }
                scratch.reserve(need)
                to = scratch.base + scratch.count
                limit = scratch.base + scratch.capacity
            }
            if !isFirst {
                to[0] = UInt8(ascii: ",")
                to += 1
            }
            isFirst = false
            to = Self.put("{\"keyToValue\":\"", to)
            to = writeKey(text + Int(pair.pointee.key.start), keyCount, pair.pointee.prefix, to)
            to[0] = UInt8(ascii: ":")
            to += 1
            if kind == .null {
                to = Self.put("\",\"value\":null}", to)
            } else {
                to = Self.put(value, count, to, readable: textEnd - value)
                to = Self.put("\",\"value\":\"", to)
                to = Self.put(value, count, to, readable: textEnd - value)
                to = Self.put("\"}", to)
            }
            pair += 1
        }
        scratch.count = to - scratch.base
        scratch.append(UInt8(ascii: "]"))
        arena.setText(of: member, to: try written(from: start))
    }

    private func write(_ pair: Pair, lowercase: Bool) {
        guard pair.kind != .absent else {
            append(pair.value, into: scratch)
            return
        }
        // Up to six bytes for one of a key, and lower case can be three times as long.
        scratch.reserve(pair.key.count &* 6 &+ pair.value.count &* 6 &+ 64)
        var to = scratch.base + scratch.count
        to = Self.put("{\"keyToValue\":\"", to)
        to = writeKey(pointer(pair.key.source) + Int(pair.key.start), pair.key.count, pair.prefix, to)
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

    /// Copies without a call what is short, as most values are: two words that may overlap.
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

    /// As ``put(_:_:_:)``, where there are 16 bytes to write to: of the `readable` ones, sixteen whatever the length, if
    /// there are so many. What is too much is written over. How long a value is cannot be predicted.
    @inline(__always) private static func put(
        _ from: UnsafePointer<UInt8>, _ count: Int, _ to: UnsafeMutablePointer<UInt8>, readable: Int
    ) -> UnsafeMutablePointer<UInt8> {
        guard count <= 16, readable >= 16 else { return put(from, count, to) }
        let bytes = UnsafeRawPointer(from).loadUnaligned(as: SIMD16<UInt8>.self)
        UnsafeMutableRawPointer(to).storeBytes(of: bytes, as: SIMD16<UInt8>.self)
        return to + count
    }

    @inline(__always) private static func put(
        _ text: StaticString, _ to: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        to.update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        return to + text.utf8CodeUnitCount
    }

    /// The key with `:` and `\` escaped by a backslash, then as JSON; there must be room for six bytes for each of it.
    @inline(__always) private func writeKey(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ prefix: UInt64, _ to: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        if count <= 8, Self.isPlain(prefix: prefix, count) {
            UnsafeMutableRawPointer(to).storeBytes(of: prefix.bigEndian, as: UInt64.self)
            return to + count
        }
        if count > 8, Self.isPlain(text, count) { return Self.put(text, count, to) }
        return writeEscaped(text, count, to)
    }

    /// Whether a key of at most eight bytes is ASCII of which nothing must be escaped.
    @inline(__always) private static func isPlain(prefix: UInt64, _ count: Int) -> Bool {
        // Blanks for the zeros beyond the key.
        isPlain(word: count < 8 ? prefix | 0x2020_2020_2020_2020 &>> UInt64(count &* 8) : prefix)
    }

    /// Whether a key of more than eight bytes is ASCII of which nothing must be escaped.
    @inline(__always) private static func isPlain(_ key: UnsafePointer<UInt8>, _ count: Int) -> Bool {
        var at = 0
        while at &+ 8 < count {
            guard isPlain(word: JSONScanner.word(key, at)) else { return false }
            at &+= 8
        }
        return isPlain(word: JSONScanner.word(key, count &- 8))
    }

    @inline(__always) private static func isPlain(word: UInt64) -> Bool {
        let colon = (word ^ 0x3A3A_3A3A_3A3A_3A3A) &- 0x0101_0101_0101_0101
        return JSONScanner.special(word) | colon & 0x8080_8080_8080_8080 == 0
    }

    @inline(never) private func writeEscaped(
        _ text: UnsafePointer<UInt8>, _ count: Int, _ start: UnsafeMutablePointer<UInt8>
    ) -> UnsafeMutablePointer<UInt8> {
        var to = start
        for at in 0..<count {
            switch text[at] {
            case UInt8(ascii: ":"): to = Self.put("\\\\:", to)
            case UInt8(ascii: "\\"): to = Self.put("\\\\\\\\", to)
            case let byte where byte == UInt8(ascii: "\"") || byte < 0x20:
                scratch.count = to - scratch.base
                JSONString.escapeContent(Bytes(start: text + at, count: 1), into: scratch)
                to = scratch.base + scratch.count
            case let byte:
                to[0] = byte
                to += 1
            }
        }
        return to
    }
}
