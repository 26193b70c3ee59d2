import JSONText

/// Reads the parts that every format has: id, routing, version and selection.
extension CommandDecoder {
    /// The longest id in bytes. From Elasticsearch 5 on, a longer id fails the whole bulk request.
    static let longestID = 512

    // MARK: id

    /// An id that is not JSON: the key of the record, or a header.
    func rawID(_ bytes: Bytes?, _ absent: @autoclosure () -> String) throws(Reject) -> Bytes {
        guard let bytes else { throw Reject(reason: "no_id", detail: absent()) }
        return try checkedID(bytes)
    }

    func checkedID(_ id: Bytes) throws(Reject) -> Bytes {
        guard id.count > 0 else { throw Reject(reason: "no_id", detail: "the id is empty") }
        // Servers replace what is no text, so that two ids could become one.
        guard JSONString.isValidUTF8(id) else {
            throw Reject(reason: "bad_utf8", detail: "the id is not valid UTF-8")
        }
        guard id.count <= Self.longestID else {
            throw Reject(
                reason: "id_too_long",
                detail: "the id has \(id.count) bytes, more than \(Self.longestID) (fixed limit id_bytes): "
                    + Self.excerpt(id))
        }
        return id
    }

    /// The content of a string, or the JSON text of any other scalar.
    @inline(__always) func content(
        _ slice: JSONSlice, _ text: Bytes, _ scratch: ByteBuffer
    ) throws(Reject) -> Bytes {
        try Self.content(slice, text, scratch)
    }

    @inline(__always) static func content(
        _ slice: JSONSlice, _ text: Bytes, _ scratch: ByteBuffer
    ) throws(Reject) -> Bytes {
        let bytes = slice.bytes(of: text)
        guard slice.kind == .string else { return bytes }
        // Nearly all strings have no escape.
        if slice.isPlain, bytes.count >= 2, let start = bytes.baseAddress {
            return Bytes(start: start + 1, count: bytes.count &- 2)
        }
        return try unescaped(bytes, scratch)
    }

    @inline(never) private static func unescaped(_ bytes: Bytes, _ scratch: ByteBuffer) throws(Reject) -> Bytes {
        scratch.removeAll()
        do {
            try JSONString.unescape(bytes, into: scratch)
        } catch {
            throw reject(error, prefixed: false, in: "text")
        }
        return scratch.bytes
    }

    // MARK: routing

    /// The routing of an operation; nil: the recipe names none, or a whole document goes by its id.
    func routing(_ view: DecoderLayout.View, _ text: Bytes, _ kind: OperationKind) throws(Reject) -> Bytes? {
        guard view.routing >= 0 else { return nil }
        return try Self.routing(
            extractor[view.routing], text, routingScratch, missingIsID: layout.missingRoutingIsID && kind == .index)
    }

    static func routing(
        _ slice: JSONSlice, _ text: Bytes, _ scratch: ByteBuffer, missingIsID: Bool
    ) throws(Reject) -> Bytes? {
        switch slice.kind {
        case .string, .number, .boolean:
            let routing = try content(slice, text, scratch)
            guard JSONString.isValidUTF8(routing) else {
                throw Reject(reason: "bad_routing", detail: "the routing is not valid UTF-8")
            }
            if routing.count > 0 { return routing }
            // Every server takes an empty routing for none.
            if missingIsID { return nil }
            throw Reject(reason: "no_routing", detail: "the routing field is empty")
        case .absent, .null:
            if missingIsID { return nil }
            throw Reject(reason: "no_routing", detail: "the routing field \(Self.is(slice.kind))")
        case .array, .object:
            throw Reject(reason: "bad_routing", detail: "the routing field \(Self.is(slice.kind))")
        }
    }

    // MARK: version

    /// The version of the write. `view`: nil for a record without a value.
    func version(_ record: Record, _ view: DecoderLayout.View?, _ text: Bytes) throws(Reject) -> Int64 {
        switch format.version {
        case .offset:
            let limit: Int64 = 1 << DocumentVersion.epochShift
            guard record.offset >= 0, record.offset < limit - 2, format.epoch >= 0, format.epoch < 1 << 18 else {
                throw Reject(
                    reason: "bad_version", detail: "offset \(record.offset) or epoch \(format.epoch) is out of range")
            }
            return DocumentVersion.offset(record.offset, epoch: format.epoch)
        case .timestamp:
            guard record.timestamp > 0, record.timestamp < 1 << 43 else {
                throw Reject(reason: "bad_version", detail: "the record has no timestamp that could be a version")
            }
            return DocumentVersion.timestamp(record.timestamp, offset: record.offset)
        case .header(let name):
            guard let bytes = record.headers?.value(of: name) else {
                throw Reject(reason: "bad_version", detail: "there is no header \"\(name)\"")
            }
            return try integer(bytes)
        case .field(let path):
            guard let view, view.version >= 0 else {
                throw Reject(reason: "bad_version", detail: "a tombstone has no field \"\(path)\"")
            }
            let slice = extractor[view.version]
            guard slice.kind == .number || slice.kind == .string else {
                throw Reject(reason: "bad_version", detail: "\"\(path)\" \(Self.is(slice.kind))")
            }
            return try integer(try content(slice, text, scratch))
        }
    }

    /// Reads the application's own number, in any spelling of a whole number.
    private func integer(_ text: Bytes) throws(Reject) -> Int64 {
        if let number = WholeNumber.parse(text), number >= DocumentVersion.lowest { return number }
        throw Reject(reason: "bad_version", detail: DocumentVersion.complaint(Self.excerpt(text)))
    }
}
