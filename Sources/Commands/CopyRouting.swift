import JSONText

extension CommandFormat {
    /// Where a path of the recipe, which counts from the root of a command, lies inside the document; nil: it lies
    /// outside, so that a copied document cannot have it.
    public func inDocument(_ path: JSONPath) -> JSONPath? {
        guard case .envelope(let envelope) = shape, let document = envelope.document else { return path }
        let names = path.names
        guard names.count > document.names.count, Array(names.prefix(document.names.count)) == document.names
        else { return nil }
        return JSONPath(names: Array(names.dropFirst(document.names.count)))
    }

    /// Where a copied document has the routing of its commands; nil: it does not have it.
    public var routingInDocument: JSONPath? { routing.flatMap { inDocument($0) } }

    /// Whether a copied document without routing gets the one that lies inside it.
    public var copiesTakeRoutingFromDocument: Bool { routingInDocument != nil }

    /// Whether the target must refuse writes without routing; nil: the recipe names none, so the mapping decides.
    public var requiresRouting: Bool? { routing == nil ? nil : !missingRoutingIsID }
}

/// The routing of copied documents that were written without one: their commands have it inside the document.
///
/// Each thread needs its own. The bytes it gives are valid until its next call.
public struct CopyRouting {
    private let extractor: JSONExtractor?
    private let missingIsID: Bool
    private let scratch = ByteBuffer()
    /// Whether to look into documents at all.
    public let isNeeded: Bool

    public init(_ format: CommandFormat) {
        let path = format.routingInDocument
        extractor = path.map { JSONExtractor(paths: [$0]) }
        missingIsID = format.missingRoutingIsID
        isNeeded = path != nil
    }

    /// The routing inside `document`; nil: it goes by its id. Throws when the recipe wants one and there is none.
    public func routing(of document: Bytes) throws(Reject) -> Bytes? {
        guard let extractor else { return nil }
        do throws(JSONError) {
            try extractor.extract(document)
        } catch {
            throw CommandDecoder.reject(error, prefixed: false, in: "document")
        }
        return try CommandDecoder.routing(extractor[0], document, scratch, missingIsID: missingIsID)
    }
}
