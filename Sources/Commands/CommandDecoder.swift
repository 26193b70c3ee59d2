import JSONText

/// Turns records into operations, as the section `commands` of the recipe describes them (`docs/recipe.md`).
///
/// Each thread needs its own decoder and uses it for one record after the other. It passes over the value once and
/// allocates nothing unless it rejects the record. The bytes of an operation belong to the record or to the decoder;
/// they are valid until the decoder's next call. It never throws or traps, whatever the record holds.
public final class CommandDecoder {
    let format: CommandFormat
    let extractor: JSONExtractor
    let layout: DecoderLayout
    let keys: DebeziumKeys?
    /// Finds the parts of a wrapper.
    let wrapper = JSONExtractor(paths: CommandDecoder.wrapperPaths)
    /// Holds ids that had to be unescaped or joined.
    let idScratch = ByteBuffer()
    let keyScratch = ByteBuffer()
    let routingScratch = ByteBuffer()
    let formerRoutingScratch = ByteBuffer()
    /// Holds texts that are needed only for a moment: names of operations, selected values, versions.
    let scratch = ByteBuffer()
    /// The tombstones that the last record asks for beside its operation; valid as long as that.
    @exclusivity(unchecked) public internal(set) var companions: [Companion] = []
    /// Whether a record can have any.
    public let writesCompanions: Bool
    /// Whether no entry takes the last record.
    @exclusivity(unchecked) public internal(set) var selectsNone = false
    let tombstonesMoves: Bool
    var deletes = DebeziumDeletes()
    let unavailable: UnavailableColumns

    /// `scanner` scans the documents during the decoder's pass. It does so only when the format keeps the document in
    /// one field and the recipe has one entry.
    public init(_ format: CommandFormat, scanner: (any JSONValueScanner)? = nil) {
        self.format = format
        tombstonesMoves = format.tombstonesMoves
        unavailable = UnavailableColumns(placeholder: format.rules.placeholder)
        writesCompanions = format.writesCompanions
        var paths: [JSONPath] = []
        layout = DecoderLayout(format, paths: &paths)
        let scans = layout.shape == .envelope && format.selectors.count == 1
        extractor = JSONExtractor(paths: paths, scanned: scans ? layout.document : -1, by: scanner)
        if case .debezium(let fields) = format.shape {
            keys = DebeziumKeys(fields)
        } else {
            let fields = format.keyTemplate.flatMap { $0.isWhole ? nil : $0.names }
            keys = format.key == .json || format.key == .confluent ? DebeziumKeys(fields) : nil
        }
    }

    /// Decodes a record. It may ask for ``companions``, too.
    public func decode(_ record: Record) -> Decoded {
        if writesCompanions { companions.removeAll(keepingCapacity: true) }
        selectsNone = false
        do throws(Reject) {
            switch layout.shape {
            case .document: return Decoded(try decodeDocument(record))
            case .envelope: return try decodeEnvelope(record)
            case .debezium: return Decoded(try decodeDebezium(record))
            }
        } catch {
            return .reject(error)
        }
    }

    // MARK: document

    private func decodeDocument(_ record: Record) throws(Reject) -> Operation? {
        guard let value = record.value else { return try keyTombstone(record) }
        var text = try parse(value)
        if Self.mayBeWrapped(text), let payload = unwrapped(text) {
            guard payload.kind != .null else { return try keyTombstone(record) }
            text = try parse(payload.bytes(of: text))
        }
        guard extractor.root.kind == .object else {
            if extractor.root.kind == .null { return try keyTombstone(record) }
            throw Reject(reason: "not_an_object", detail: "the record's value is JSON, but not an object")
        }
        let view = layout.view
        let entry = try attribute(view, text, .index)
        guard entry != Attribution.none || tombstonesMoves else { return nil }
        return place(
            Operation(
                kind: .index, entry: entry, id: try documentID(record.key, "the record has no key"),
                routing: try routing(view, text, .index), version: try version(record, view, text),
                document: extractor.root.bytes(of: text)))
    }

    private func keyTombstone(_ record: Record) throws(Reject) -> Operation? {
        guard try nullDeletes() else { return nil }
        return try tombstone(record, id: try documentID(record.key, "the record has neither key nor value"))
    }

    /// Decodes a record without a value. It has no document, so no field can tell its entry, routing or version.
    private func tombstone(_ record: Record, id: Bytes) throws(Reject) -> Operation? {
        // The entry without a selector may be wrong too: the document may belong to another entry.
        let entry = layout.isSelective ? try unattributed(.delete) : 0
        guard format.routing == nil else {
            throw Reject(reason: "no_routing", detail: "a tombstone carries no routing, and the recipe asks for one")
        }
        return place(
            Operation(
                kind: .delete, entry: entry, id: id, routing: nil, version: try version(record, nil, Self.nothing),
                document: Self.nothing))
    }

    // MARK: envelope

    private func decodeEnvelope(_ record: Record) throws(Reject) -> Decoded {
        guard let value = record.value else { return Decoded(try noValue(record)) }
        var text = try parse(value)
        if extractor[layout.operation].isAbsent, Self.mayBeWrapped(text), let payload = unwrapped(text) {
            guard payload.kind != .null else { return Decoded(try noValue(record)) }
            text = try parse(payload.bytes(of: text))
        }
        guard extractor.root.kind == .object else {
            if extractor.root.kind == .null { return Decoded(try noValue(record)) }
            throw Reject(reason: "not_an_object", detail: "the record's value is JSON, but not an object")
        }
        let slice = extractor[layout.operation]
        // Debezium's unwrapper says `__deleted: true`.
        guard slice.kind == .string || slice.kind == .boolean else {
            throw Reject(
                reason: "no_operation",
                detail: "\(field { $0.operation }), the command's name, \(Self.is(slice.kind))")
        }
        let name = try content(slice, text, scratch)
        let meaning = layout.names.meaning(name)
        guard meaning != DecoderLayout.ignored else { return .skip }
        let view = layout.view
        let kind = meaning.flatMap(OperationKind.init)
        let entry = try attribute(view, text, kind ?? .index)
        guard entry != Attribution.none || (tombstonesMoves && (kind == .index || kind == .merge)) else { return .skip }
        guard let kind else {
            throw Reject(
                reason: "unknown_operation",
                detail: "the command \(Self.excerpt(slice.bytes(of: text))) is not named in the recipe")
        }
        let id: Bytes
        do throws(Reject) {
            id = try envelopeID(record, text)
        } catch {
            // A command that no entry takes need not have what ours have. Without an id it names none of our documents.
            if entry == Attribution.none { return .skip }
            throw error
        }
        let operation = Operation(
            kind: kind, entry: entry, id: id, routing: try routing(view, text, kind),
            version: try version(record, view, text),
            document: kind == .delete || entry == Attribution.none ? Self.nothing : try document(text))
        return writesCompanions || entry < 0 ? Decoded(place(operation)) : .operation(operation)
    }

    /// Whether a record without a value is a delete; if not, it means nothing.
    private func nullDeletes() throws(Reject) -> Bool {
        switch format.nullValue {
        case .ignore: return false
        case .delete: return true
        case .reject:
            throw Reject(
                reason: "no_value",
                detail: "the record has no value, and the recipe does not say what that means "
                    + "(\(format.shapeName).tombstone)")
        }
    }

    /// A record without a value.
    private func noValue(_ record: Record) throws(Reject) -> Operation? {
        guard try nullDeletes() else { return nil }
        guard case .envelope(let envelope) = format.shape, envelope.id.isOutsideValue else {
            throw Reject(reason: "no_id", detail: "the record has no value, in which the id would be")
        }
        return try tombstone(record, id: try envelopeID(record, Self.nothing))
    }

    @inline(__always) private func envelopeID(_ record: Record, _ text: Bytes) throws(Reject) -> Bytes {
        if layout.id >= 0 {
            let slice = extractor[layout.id]
            guard slice.kind == .string || slice.kind == .number else {
                throw Reject(
                    reason: "no_id",
                    detail: "\(field { $0.id.path }), which is the id, \(Self.isNoID(slice.kind))")
            }
            return try checkedID(try content(slice, text, idScratch))
        }
        return try otherEnvelopeID(record, text)
    }

    /// An id that is not one field of the value.
    @inline(never) private func otherEnvelopeID(_ record: Record, _ text: Bytes) throws(Reject) -> Bytes {
        guard case .envelope(let envelope) = format.shape else { return try keyID(record.key, "") }
        switch envelope.id {
        case .header(let name): return try keyID(record.headers?.value(of: name), "there is no header \"\(name)\"")
        case .template(let template): return try id(template, record, text)
        case .key, .field: return try keyID(record.key, "the record has no key")
        }
    }

    private func id(_ template: CommandIDTemplate, _ record: Record, _ text: Bytes) throws(Reject) -> Bytes {
        idScratch.removeAll()
        for (place, part) in template.parts.enumerated() {
            let before = idScratch.count
            switch part {
            case .text(let text):
                idScratch.append(text)
                continue
            case .key: idScratch.append(try keyID(record.key, "the record has no key"))
            case .header(let name):
                idScratch.append(try keyID(record.headers?.value(of: name), "there is no header \"\(name)\""))
            case .field(let path):
                let slice = extractor[layout.idParts[place]]
                guard slice.kind == .string || slice.kind == .number else {
                    throw Reject(
                        reason: "no_id",
                        detail: "the field \(path), which is a part of the id, \(Self.isNoID(slice.kind))")
                }
                idScratch.append(try content(slice, text, scratch))
            }
            guard idScratch.count > before else {
                throw Reject(reason: "no_id", detail: "a part of the id is empty")
            }
        }
        return try checkedID(idScratch.bytes)
    }

    private func document(_ text: Bytes) throws(Reject) -> Bytes {
        guard layout.document >= 0 else { return extractor.root.bytes(of: text) }
        let slice = extractor[layout.document]
        guard slice.kind == .object else {
            throw Reject(
                reason: slice.isAbsent ? "no_document" : "not_an_object",
                detail: "\(field { $0.document }), the document, \(Self.is(slice.kind))")
        }
        return slice.bytes(of: text)
    }

    /// A field as the recipe names it, for the detail of a reject.
    private func field(_ path: (CommandFormat.Envelope) -> JSONPath?) -> String {
        guard case .envelope(let envelope) = format.shape, let path = path(envelope) else { return "the field" }
        return "the field \(path)"
    }

    // MARK: text

    static var nothing: Bytes { Bytes(start: nil, count: 0) }

    /// Validates the value and finds all fields in it. Returns the JSON text, without the prefix of the Confluent
    /// schema registry: a zero byte and four bytes of a schema id.
    func parse(_ value: Bytes) throws(Reject) -> Bytes {
        let text = Self.withoutPrefix(value)
        do {
            try extractor.extract(text)
        } catch {
            throw Self.reject(error, prefixed: text.count < value.count || Self.isPrefixed(value), in: "value")
        }
        return text
    }

    static func isPrefixed(_ value: Bytes) -> Bool { value.count >= 5 && value[0] == 0 }

    static func withoutPrefix(_ value: Bytes) -> Bytes {
        guard isPrefixed(value) else { return value }
        return Bytes(rebasing: value[5...])
    }

    static func reject(_ error: JSONError, prefixed: Bool, in part: String) -> Reject {
        if prefixed {
            return Reject(
                reason: "schema_not_json",
                detail:
                    "the record's \(part) has a schema id and is not JSON behind it (Avro and Protobuf are not read)")
        }
        let reason =
            switch error.kind {
            case .invalidUTF8: "bad_utf8"
            case .tooDeep: "too_deep"
            default: "not_json"
            }
        return Reject(reason: reason, detail: "the record's \(part) is not JSON: \(error)")
    }

    static func `is`(_ kind: JSONKind) -> String {
        switch kind {
        case .absent: "is not there"
        case .null: "is null"
        case .boolean: "is a boolean"
        case .number: "is a number"
        case .string: "is a string"
        case .array: "is an array"
        case .object: "is an object"
        }
    }

    /// What is wrong with a field from which an id is made, in words.
    static func isNoID(_ kind: JSONKind) -> String {
        kind == .absent ? Self.is(kind) : "\(Self.is(kind)), not a string or number"
    }

    /// The beginning of some bytes, for a message.
    static func excerpt(_ bytes: Bytes) -> String {
        bytes.count <= 64 ? String(repairing: bytes) : String(repairing: Bytes(rebasing: bytes[..<64])) + "..."
    }
}
