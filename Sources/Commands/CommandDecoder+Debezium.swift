import JSONText

/// Change events of Debezium: `before`, `after` and `op`, either bare or as the `payload` beside a `schema`.
extension CommandDecoder {
    func decodeDebezium(_ record: Record) throws(Reject) -> Operation? {
        guard let value = record.value else { return try keyDelete(record) }
        let text = try parse(value)
        guard extractor.root.kind == .object else {
            if extractor.root.kind == .null { return try keyDelete(record) }
            throw Reject(reason: "not_an_object", detail: "the record's value is JSON, but not a change event")
        }
        let payload = extractor[layout.payload].kind
        // Some converters write the tombstone this way.
        if payload == .null, !extractor[layout.schema].isAbsent { return try keyDelete(record) }
        let isWrapped = payload == .object && extractor[layout.bare.operation].isAbsent
        let event = isWrapped ? layout.wrapped : layout.bare
        guard let kind = try change(event, text) else { return nil }
        let view = kind == .delete ? event.before : event.after
        if kind == .delete { deletes.note(record) }
        let entry = try attribute(view, text, kind, record.key)
        if entry == Attribution.none { return kind == .index ? try movedOut(record, event, text) : nil }
        let row = extractor[view.row]
        if kind != .delete, row.kind != .object {
            throw Reject(
                reason: row.isAbsent ? "no_document" : "not_an_object", detail: "\"after\" \(Self.is(row.kind))")
        }
        var operation = Operation(
            kind: kind, entry: entry, id: try debeziumID(record), routing: try routing(view, text, kind),
            version: try version(record, view, text),
            document: kind == .delete ? Self.nothing : row.bytes(of: text))
        if kind == .index, isUpdate(event, text), unavailable.mayBe(in: operation.document) {
            try keepUnavailable(&operation)
        }
        return try place(operation, event, text, record.key)
    }

    private func isUpdate(_ event: DecoderLayout.Event, _ text: Bytes) -> Bool {
        let bytes = extractor[event.operation].bytes(of: text)
        return bytes.count == 3 && bytes[1] == UInt8(ascii: "u")
    }

    /// Makes an operation of a row that lacks values that did not change.
    private func keepUnavailable(_ operation: inout Operation) throws(Reject) {
        let columns: [String]
        do throws(JSONError) {
            columns = try unavailable.names(in: operation.document)
        } catch {
            throw Reject(
                reason: "unavailable_value",
                detail: "the row cannot be searched for columns whose value Debezium did not get: \(error)")
        }
        guard !columns.isEmpty else { return }
        let names = columns.map { "\"\($0)\"" }.joined(separator: ", ")
        guard format.rules.unavailable == .keep else {
            throw Reject(
                reason: "unavailable_value",
                detail: "Debezium did not get the value of \(names), which did not change "
                    + "(commands.debezium.unavailable: keep takes it from the document that is there)")
        }
        if let routing = operation.routing, routing.elementsEqual(format.rules.placeholder.utf8) {
            throw Reject(reason: "unavailable_value", detail: "Debezium did not get the routing, which did not change")
        }
        operation.kind = .keep
    }

    /// A record without a value deletes its key. Compaction may have taken the event that said so before; where it did
    /// not, nothing is to be done.
    private func keyDelete(_ record: Record) throws(Reject) -> Operation? {
        guard !deletes.precede(record) else { return nil }
        let id = try debeziumID(record)
        let entry = layout.isSelective ? try unattributed(.delete) : 0
        guard format.routing == nil else {
            throw Reject(
                reason: "no_routing", detail: "a record without a value has no routing, and the recipe asks for one")
        }
        return place(
            Operation(
                kind: .delete, entry: entry, id: id, routing: nil, version: try version(record, nil, Self.nothing),
                document: Self.nothing))
    }

    /// What the event does to its row; nil: nothing.
    private func change(_ event: DecoderLayout.Event, _ text: Bytes) throws(Reject) -> OperationKind? {
        let slice = extractor[event.operation]
        guard slice.kind == .string else {
            throw Reject(reason: "no_operation", detail: "\"op\" \(Self.is(slice.kind)): this is no change event")
        }
        let name = try content(slice, text, scratch)
        switch name.count == 1 ? name[0] : 0 {
        case UInt8(ascii: "c"), UInt8(ascii: "r"), UInt8(ascii: "u"): return .index
        case UInt8(ascii: "d"): return .delete
        // A message that the application wrote into the database's log. It has no row.
        case UInt8(ascii: "m"): return nil
        case UInt8(ascii: "t"):
            if format.rules.truncate == .ignore { return nil }
            throw Reject(
                reason: Reject.truncate, detail: "the table was truncated; its documents cannot be named one by one")
        default:
            throw Reject(reason: "unknown_operation", detail: "\"op\" is \"\(Self.excerpt(name))\"")
        }
    }

    func debeziumID(_ record: Record) throws(Reject) -> Bytes {
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
            let id = try checkedID(try keyPart(key, text, "the key"))
            guard let texts = format.keyTemplate?.texts, keys.fields != nil else { return id }
            guard texts.count == 2 else {
                throw Reject(reason: "no_id", detail: "the key is no object with the fields of the id's template")
            }
            return try templateID(id, texts)
        }
        guard let fields = keys.fields else {
            let member = try onlyMember(key, text)
            return try checkedID(try keyPart(member, text, "the key's field"))
        }
        let texts = format.keyTemplate?.texts
        keyScratch.removeAll()
        for (position, field) in fields.enumerated() {
            if let texts { keyScratch.append(texts[position]) }
            if texts == nil, position > 0 { keyScratch.append(UInt8(ascii: ":")) }
            let slice = keys.extractor[keys.slot(position, wrapped: isWrapped)]
            keyScratch.append(try scalar(slice, text, "\"\(field)\" of the key", scratch))
        }
        if let text = texts?.last { keyScratch.append(text) }
        return try checkedID(keyScratch.bytes)
    }

    private func keyPart(_ slice: JSONSlice, _ text: Bytes, _ name: @autoclosure () -> String) throws(Reject) -> Bytes {
        try scalar(slice, text, name(), keyScratch)
    }

    private func scalar(
        _ slice: JSONSlice, _ text: Bytes, _ name: @autoclosure () -> String, _ scratch: ByteBuffer
    ) throws(Reject) -> Bytes {
        guard slice.kind == .string || slice.kind == .number else {
            throw Reject(reason: "no_id", detail: "\(name()) \(Self.isNoID(slice.kind))")
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
