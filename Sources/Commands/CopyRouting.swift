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

    /// Whether a copied document without routing gets the one that lies inside it. Not yet: the copy, and the base of a
    /// partial update that is read from the source, would both have to know of it.
    public var copiesTakeRoutingFromDocument: Bool { false }

    /// Whether a document without routing is routed by its id, as the cluster itself does it.
    public var missingRoutingIsID: Bool { false }
}
