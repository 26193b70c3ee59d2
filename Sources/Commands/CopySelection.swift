import JSONText

extension CommandFormat {
    /// Where a copied document has the field by which commands are selected; nil: it does not have it.
    public func inDocument(_ selector: Selector) -> JSONPath? {
        guard case .debezium = shape else { return inDocument(selector.field) }
        let names = selector.field.names
        guard names.count > 1, names.first == "after" || names.first == "before" else { return nil }
        return JSONPath(names: Array(names.dropFirst()))
    }
}

/// Which of some entries takes a copied document: the first whose `select` it satisfies, as with a command that brings
/// the whole document.
///
/// Each thread needs its own.
public struct CopySelection {
    private let entries: [Int]
    private let values: SelectedValues
    /// The place of each entry's field among the extractor's paths; -1: the entry takes everything.
    private let places: [Int]
    private let extractor: JSONExtractor
    private let scratch = ByteBuffer()

    /// `entries`: places in the recipe. Nil: a selecting field lies outside the document.
    public init?(_ format: CommandFormat, among entries: [Int]) {
        let selectors = entries.map { format.selectors.indices.contains($0) ? format.selectors[$0] : nil }
        var paths: [JSONPath] = []
        var places: [Int] = []
        for selector in selectors {
            guard let selector else {
                places.append(-1)
                continue
            }
            guard let path = format.inDocument(selector) else { return nil }
            places.append(paths.count)
            paths.append(path)
        }
        (self.entries, self.places) = (entries, places)
        values = SelectedValues(selectors)
        extractor = JSONExtractor(paths: paths)
    }

    /// The entry that takes the document; nil: none does. Throws when the text is not JSON.
    public func entry(of document: Bytes) throws(Reject) -> Int? {
        do throws(JSONError) {
            try extractor.extract(document)
        } catch {
            throw CommandDecoder.reject(error, prefixed: false, in: "document")
        }
        for (number, place) in places.enumerated() {
            guard place >= 0 else { return entries[number] }
            let slice = extractor[place]
            guard slice.isScalar else { continue }
            if values.isSame(number, try CommandDecoder.content(slice, document, scratch), slice.kind) {
                return entries[number]
            }
        }
        return nil
    }

    /// Whether the document that was looked at last has a value of some selecting field.
    public var hasValue: Bool { places.contains { $0 >= 0 && extractor[$0].isScalar } }
}

extension JSONSlice {
    fileprivate var isScalar: Bool { kind == .string || kind == .number || kind == .boolean }
}
