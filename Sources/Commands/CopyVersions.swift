import JSONText

extension CommandFormat {
    /// Whether a command can be a partial update.
    public var hasMerges: Bool {
        if case .envelope(let envelope) = shape { return !envelope.merge.isEmpty }
        return false
    }

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
}

/// Versions of copied documents: the same field's that the commands carry, where there is one, else the floor.
public struct CopyVersions {
    private let extractor: JSONExtractor?
    private let floor: Int64
    private let epoch: Int64

    public init(_ format: CommandFormat) {
        epoch = format.epoch
        floor = DocumentVersion.floor(epoch: format.epoch)
        extractor = Self.path(format).map { JSONExtractor(paths: [$0]) }
    }

    /// The version field's path inside the document; nil when the version is not in the document.
    public static func path(_ format: CommandFormat) -> JSONPath? {
        guard case .field(let path) = format.version else { return nil }
        return format.inDocument(path)
    }

    public func version(of document: Bytes) -> Int64 {
        guard let extractor, (try? extractor.extract(document)) != nil else { return floor }
        let slice = extractor[0]
        guard slice.kind == .number || slice.kind == .string else { return floor }
        var text = document[slice.start..<slice.end]
        if slice.kind == .string { text = text.dropFirst().dropLast() }
        guard let number = Int64(String(decoding: text, as: UTF8.self)), number > 0 else { return floor }
        return number
    }
}
