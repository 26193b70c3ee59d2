import JSONText

extension CommandFormat {
    /// Whether a command can be a partial update, or one that keeps a part of the document.
    public var hasMerges: Bool {
        if case .debezium = shape { return rules.unavailable == .keep }
        if case .envelope(let envelope) = shape { return !envelope.merge.isEmpty }
        return false
    }

    /// Whether all commands of an id must lie in one partition. Offsets order only those, and a partial update must
    /// come after what it builds on, whatever its version is.
    public var needsOnePartition: Bool { version == .offset || hasMerges }

    /// Whether id or version come from a record's headers.
    public var needsHeaders: Bool {
        if case .header = version { return true }
        guard case .envelope(let envelope) = shape else { return false }
        switch envelope.id {
        case .header: return true
        case .template(let template): return template.needsHeaders
        case .field, .key: return false
        }
    }

    /// The version field's path inside the document; nil: no version is in the document.
    public var versionInDocument: JSONPath? {
        guard case .field(let path) = version else { return nil }
        return inDocument(path)
    }

    /// Where copied documents have their versions.
    public var copiedVersion: CopiedVersion { copied ?? (versionInDocument == nil ? .floor : .field) }
}

/// Versions of copied documents: the same field's that the commands carry, the source's own, or the floor
/// (promise P1 in `docs/architecture.md`).
public struct CopyVersions {
    private let kind: CommandFormat.CopiedVersion
    private let path: JSONPath?
    private let extractor: JSONExtractor?
    private let floor: Int64
    private let scratch = ByteBuffer()

    public init(_ format: CommandFormat) {
        kind = format.copiedVersion
        floor = DocumentVersion.floor(format)
        path = kind == .field ? format.versionInDocument : nil
        extractor = path.map { JSONExtractor(paths: [$0]) }
    }

    /// The version of a document. `stored`: the `_version` that the source gave with it.
    ///
    /// A document without the field has the floor. One whose field cannot be read must not: the floor would let an
    /// older command overwrite it. It is rejected.
    public func version(of document: Bytes, stored: Int64?) throws(Reject) -> Int64 {
        try own(document, stored: stored) ?? floor
    }

    /// The version that the document itself has; nil: none, so that it gets the floor.
    public func own(_ document: Bytes, stored: Int64?) throws(Reject) -> Int64? {
        switch kind {
        case .floor: return nil
        case .field: return try field(of: document)
        case .source:
            if let stored, stored >= DocumentVersion.lowest { return stored }
            throw Reject(
                reason: "bad_version",
                detail: stored.map { DocumentVersion.complaint("its _version \($0)") }
                    ?? "the source gave no _version with the document")
        }
    }

    /// The number in the version field; nil: the field is absent or null.
    private func field(of document: Bytes) throws(Reject) -> Int64? {
        guard let extractor, let path else { return nil }
        do {
            try extractor.extract(document)
        } catch {
            // What is wrong with it is not its version.
            let reason = CommandDecoder.reject(error, prefixed: false, in: "document").reason
            throw Reject(reason: reason, detail: "the document is not JSON: \(error)")
        }
        let slice = extractor[0]
        switch slice.kind {
        case .absent, .null: return nil
        case .number, .string:
            let text = content(slice, document)
            if let number = WholeNumber.parse(text), number >= DocumentVersion.lowest { return number }
            throw Reject(
                reason: "bad_version",
                detail: DocumentVersion.complaint("the field \(path), \(CommandDecoder.excerpt(text)),"))
        case .boolean, .array, .object:
            throw Reject(
                reason: "bad_version", detail: "the field \(path), the version, \(CommandDecoder.is(slice.kind))")
        }
    }

    private func content(_ slice: JSONSlice, _ document: Bytes) -> Bytes {
        let text = slice.bytes(of: document)
        guard slice.kind == .string else { return text }
        scratch.removeAll()
        // What cannot be unescaped is no number either.
        guard !slice.isPlain, (try? JSONString.unescape(text, into: scratch)) != nil else {
            return Bytes(rebasing: text.dropFirst().dropLast())
        }
        return scratch.bytes
    }
}
