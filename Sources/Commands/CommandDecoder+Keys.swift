import JSONText

/// Ids that lie in the record's key, or in a header, in another form than as text.
extension CommandDecoder {
    /// The id in the record's key, or in a header.
    @inline(__always) func keyID(_ key: Bytes?, _ absent: @autoclosure () -> String) throws(Reject) -> Bytes {
        guard layout.key == .text, let key, key.first != UInt8(ascii: "{") else {
            return try decodedKey(key, absent())
        }
        return try rawID(key, absent())
    }

    /// The id of a record of the format document.
    @inline(__always) func documentID(_ key: Bytes?, _ absent: @autoclosure () -> String) throws(Reject) -> Bytes {
        let id = try keyID(key, absent())
        guard layout.hasKeyTemplate, let template = format.keyTemplate, template.isWhole else { return id }
        return try templateID(id, template.texts)
    }

    /// The id of a template that has one name.
    func templateID(_ part: Bytes, _ texts: [String]) throws(Reject) -> Bytes {
        idScratch.removeAll()
        idScratch.append(texts[0])
        idScratch.append(part)
        idScratch.append(texts[1])
        return try checkedID(idScratch.bytes)
    }

    private func decodedKey(_ key: Bytes?, _ absent: String) throws(Reject) -> Bytes {
        guard let key else { throw Reject(reason: "no_id", detail: absent) }
        switch layout.key {
        case .text:
            guard !isWrapped(key) else {
                throw badKey(key, "it is an object with a schema and a payload: say `key: json`")
            }
            return try rawID(key, absent)
        case .int32: return try number(key, bytes: 4)
        case .int64: return try number(key, bytes: 8)
        case .json: return try json(Self.withoutPrefix(key), of: key)
        case .confluent:
            guard Self.isPrefixed(key) else { throw badKey(key, "it does not begin with the prefix of a schema") }
            let rest = Self.withoutPrefix(key)
            if let first = rest.first, first == UInt8(ascii: "\"") || first == UInt8(ascii: "{") {
                return try json(rest, of: key)
            }
            return try behindSchema(rest, of: key)
        }
    }

    /// A text behind the prefix of a schema. Avro and Protobuf are no text, but some of it looks like one.
    private func behindSchema(_ rest: Bytes, of key: Bytes) throws(Reject) -> Bytes {
        // Avro writes a text's length before it, doubled.
        let isAvroText = rest.count > 1 && Int(rest[0]) == 2 * (rest.count - 1)
        guard JSONString.isValidUTF8(rest), !rest.contains(where: { $0 < 0x20 || $0 == 0x7F }), !isAvroText else {
            throw badKey(key, "what stands behind its schema is neither text nor JSON (Avro and Protobuf are not read)")
        }
        return try fitting(rest, key)
    }

    private func number(_ key: Bytes, bytes count: Int) throws(Reject) -> Bytes {
        guard key.count == count else {
            throw badKey(key, "it has \(key.count) bytes, and such a number has \(count)")
        }
        var bits: UInt64 = key[0] >= 0x80 ? .max : 0
        for byte in key { bits = bits &<< 8 | UInt64(byte) }
        keyScratch.removeAll()
        keyScratch.append(decimal: Int64(bitPattern: bits))
        return keyScratch.bytes
    }

    private func json(_ text: Bytes, of key: Bytes) throws(Reject) -> Bytes {
        do {
            return try structID(text, prefixed: text.count < key.count)
        } catch {
            throw error.reason == "id_too_long" ? error : badKey(key, error.detail)
        }
    }

    private func fitting(_ id: Bytes, _ key: Bytes) throws(Reject) -> Bytes {
        guard id.count > 0 else { throw badKey(key, "the id in it is empty") }
        return try checkedID(id)
    }

    private func badKey(_ key: Bytes, _ why: String) -> Reject {
        let isText = JSONString.isValidUTF8(key) && !key.contains { $0 < 0x20 || $0 == 0x7F }
        let shown = isText ? Self.excerpt(key) : Self.hexadecimal(key)
        return Reject(
            reason: "bad_key",
            detail: "the record's key or header \(shown) does not fit commands.\(format.shapeName).key, which is "
                + "\(format.key.rawValue): \(why)")
    }

    private static func hexadecimal(_ bytes: Bytes) -> String {
        let digits = Array("0123456789abcdef")
        return bytes.prefix(24).map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined(separator: " ")
            + (bytes.count > 24 ? " ..." : "")
    }

    // MARK: The wrapper of Kafka Connect

    /// Whether the text may be an object that Kafka Connect's JSON converter made: its first key says so. A look at a
    /// few bytes, because every document is asked.
    @inline(__always) static func mayBeWrapped(_ text: Bytes) -> Bool {
        var at = 0
        let end = text.count &- 12
        while at < end, text[at] <= 0x20 { at &+= 1 }
        guard at < end, text[at] == UInt8(ascii: "{") else { return false }
        at &+= 1
        while at < end, text[at] <= 0x20 { at &+= 1 }
        guard at < end, text[at] == UInt8(ascii: "\"") else { return false }
        return text[at &+ 1] == UInt8(ascii: "s") || text[at &+ 1] == UInt8(ascii: "p")
    }

    private func isWrapped(_ text: Bytes) -> Bool {
        Self.mayBeWrapped(text) && (try? wrapper.extract(text)) != nil && payload(text) != nil
    }

    /// The payload of a value that Kafka Connect's JSON converter wrapped: an object of exactly a schema, which has a
    /// type or is null, and a payload. `text` is valid.
    func unwrapped(_ text: Bytes) -> JSONSlice? {
        guard (try? wrapper.extract(text)) != nil else { return nil }
        return payload(text)
    }

    private func payload(_ text: Bytes) -> JSONSlice? {
        let schema = wrapper[DebeziumKeys.schema]
        let payload = wrapper[DebeziumKeys.payload]
        guard !payload.isAbsent, schema.kind == .null || wrapper[Self.schemaType].kind == .string,
            wrapper.root.kind == .object, Self.hasTwoMembers(wrapper.root, text)
        else { return nil }
        return payload
    }

    static let schemaType = 2
    static let wrapperPaths = [
        JSONPath(names: ["payload"]), JSONPath(names: ["schema"]), JSONPath(names: ["schema", "type"]),
    ]

    private static func hasTwoMembers(_ object: JSONSlice, _ text: Bytes) -> Bool {
        let inside = Bytes(rebasing: text[..<object.end])
        var at = object.start + 1
        for member in 0..<2 {
            at = next(inside, at)
            guard at < inside.count, inside[at] == UInt8(ascii: "\""),
                let key = try? JSONScanner.skipValue(inside, at: at)
            else { return false }
            guard let end = try? JSONScanner.skipValue(inside, at: next(inside, key) + 1) else { return false }
            at = next(inside, end)
            guard at < inside.count, inside[at] == UInt8(ascii: member == 0 ? "," : "}") else { return false }
            at += 1
        }
        return true
    }
}
