import JSONText

/// Change events of Debezium: `before`, `after` and `op`, either bare or as the `payload` beside a `schema`.
extension CommandDecoder {
    func decodeDebezium(_ record: Record) throws(Reject) -> Operation? {
        // A tombstone follows each delete, for the compaction of the topic. It says nothing new.
        guard let value = record.value else { return nil }
        let text = try parse(value)
        guard extractor.root.kind == .object else {
            throw Reject(reason: "not_an_object", detail: "the record's value is JSON, but not a change event")
        }
        let payload = extractor[layout.payload].kind
        // Some converters write the tombstone this way.
        if payload == .null, !extractor[layout.schema].isAbsent { return nil }
        let isWrapped = payload == .object && extractor[layout.bare.operation].isAbsent
        let event = isWrapped ? layout.wrapped : layout.bare
        let kind = try change(event, text)
        let view = kind == .delete ? event.before : event.after
        guard let entry = try select(view, text) else { return nil }
        let row = extractor[view.row]
        if kind != .delete, row.kind != .object {
            throw Reject(
                reason: row.isAbsent ? "no_document" : "not_an_object", detail: "\"after\" \(Self.is(row.kind))")
        }
        return Operation(
            kind: kind, entry: entry, id: try debeziumID(record), routing: try routing(view, text, kind),
            version: try version(record, view, text),
            document: kind == .delete ? Self.nothing : row.bytes(of: text))
    }

    private func change(_ event: DecoderLayout.Event, _ text: Bytes) throws(Reject) -> OperationKind {
        let slice = extractor[event.operation]
        guard slice.kind == .string else {
            throw Reject(reason: "no_operation", detail: "\"op\" \(Self.is(slice.kind)): this is no change event")
        }
        let name = try content(slice, text, scratch)
        switch name.count == 1 ? name[0] : 0 {
        case UInt8(ascii: "c"), UInt8(ascii: "r"), UInt8(ascii: "u"): return .index
        case UInt8(ascii: "d"): return .delete
        case UInt8(ascii: "t"):
            throw Reject(
                reason: "truncate", detail: "the table was truncated; its documents cannot be named one by one")
        default:
            throw Reject(reason: "unknown_operation", detail: "\"op\" is \"\(Self.excerpt(name))\"")
        }
    }

    private func debeziumID(_ record: Record) throws(Reject) -> Bytes {
        guard let raw = record.key else {
            throw Reject(reason: "no_id", detail: "the record has no key (a table without a primary key?)")
        }
        guard layout.key == .json else { return try keyID(raw, "") }
        let text = Self.withoutPrefix(raw)
        return try structID(text, prefixed: text.count < raw.count)
    }

    /// The id in a key that is JSON: a scalar, or an object of scalars, either bare or behind a schema.
    func structID(_ text: Bytes, prefixed: Bool) throws(Reject) -> Bytes {
        guard let keys else { return try checkedID(text) }
        do {
            try keys.extractor.extract(text)
        } catch {
            throw Self.reject(error, prefixed: prefixed, in: "key")
        }
        let isWrapped = !keys.extractor[DebeziumKeys.schema].isAbsent && !keys.extractor[DebeziumKeys.payload].isAbsent
        let key = isWrapped ? keys.extractor[DebeziumKeys.payload] : keys.extractor.root
        guard key.kind == .object else {
            // The key is not a struct when the connector extracts a single field of it.
            return try checkedID(try keyPart(key, text, "the key"))
        }
        guard let fields = keys.fields else {
            let member = try onlyMember(key, text)
            return try checkedID(try keyPart(member, text, "the key's field"))
        }
        keyScratch.removeAll()
        for (position, field) in fields.enumerated() {
            if position > 0 { keyScratch.append(UInt8(ascii: ":")) }
            let slice = keys.extractor[keys.slot(position, wrapped: isWrapped)]
            keyScratch.append(try scalar(slice, text, "\"\(field)\" of the key", scratch))
        }
        return try checkedID(keyScratch.bytes)
    }

    private func keyPart(_ slice: JSONSlice, _ text: Bytes, _ name: @autoclosure () -> String) throws(Reject) -> Bytes {
        try scalar(slice, text, name(), keyScratch)
    }

    private func scalar(
        _ slice: JSONSlice, _ text: Bytes, _ name: @autoclosure () -> String, _ scratch: ByteBuffer
    ) throws(Reject) -> Bytes {
        guard slice.kind == .string || slice.kind == .number else {
            throw Reject(reason: "no_id", detail: "\(name()) \(Self.is(slice.kind)), not a string or number")
        }
        return try content(slice, text, scratch)
    }

    /// The value of the only member of `object`, which is known to be valid. Throws when it has none or several.
    private func onlyMember(_ object: JSONSlice, _ text: Bytes) throws(Reject) -> JSONSlice {
        do throws(JSONError) {
            let inside = Bytes(rebasing: text[..<object.end])
            var at = Self.next(inside, object.start + 1)
            guard at < inside.count, inside[at] == UInt8(ascii: "\"") else {
                throw JSONError(.unexpectedByte, at: at)
            }
            at = Self.next(inside, try JSONScanner.skipValue(inside, at: at))
            let start = Self.next(inside, at + 1)
            guard let base = inside.baseAddress else { throw JSONError(.unexpectedEnd, at: start) }
            var newlines = false
            let member = try JSONScanner.slice(base, start, inside.count, JSONScanner.maxDepth, &newlines)
            let rest = Self.next(inside, member.end)
            guard rest < inside.count, inside[rest] == UInt8(ascii: "}") else {
                throw JSONError(.trailingBytes, at: rest)
            }
            return member
        } catch {
            throw Reject(
                reason: "no_id",
                detail: "the key does not have exactly one field"
                    + (format.shapeName == "debezium"
                        ? "; name those that make the id in the recipe (id: [a, b])" : ""))
        }
    }

    /// The offset of the first byte from `at` that is not white space.
    static func next(_ text: Bytes, _ at: Int) -> Int {
        var at = at
        while at < text.count, text[at] == 0x20 || text[at] == 0x0A || text[at] == 0x0D || text[at] == 0x09 { at += 1 }
        return at
    }
}
