import JSONText

/// The number of each field among the extractor's paths; -1 when the format has no such field.
///
/// Everything that is read per record is a plain number or a ``NameList``, not an array or a string: counting their
/// references would cost as much as reading the record.
struct DecoderLayout {
    /// The fields whose paths depend on where the row is: in the value itself, or in a change event as `before` or
    /// `after`, with or without a schema.
    struct View {
        var routing = -1
        var version = -1
        /// The place of the first entry's selector in ``selectors``. The others follow.
        var selectors = 0
        /// The row itself (debezium).
        var row = -1
    }

    /// The format without its values, so that a look at it counts no references.
    enum Shape {
        case document, envelope, debezium
    }

    /// A change event, either bare or as the payload beside a schema.
    struct Event {
        var operation = -1
        var after = View()
        var before = View()
    }

    var view = View()
    var id = -1
    var operation = -1
    var document = -1
    /// The names of the commands. Each means an ``OperationKind`` or ``ignored``.
    let names: NameList
    var bare = Event()
    var wrapped = Event()
    var payload = -1
    var schema = -1
    /// The selected text per entry; none for an entry that takes everything.
    let selected: SelectedValues
    /// The selector of each entry, for one view after the other; -1: the entry takes everything.
    var selectors: [Int] = []
    let shape: Shape
    let missingRoutingIsID: Bool
    /// Whether some entry takes only what its selector names.
    let isSelective: Bool
    let key: KeyEncoding
    let hasKeyTemplate: Bool
    /// The field of each part of an id's template; -1: the part is no field.
    var idParts: [Int] = []

    init(_ format: CommandFormat, paths: inout [JSONPath]) {
        missingRoutingIsID = format.missingRoutingIsID
        isSelective = format.isSelective
        key = format.key
        hasKeyTemplate = format.keyTemplate != nil
        selected = SelectedValues(format.selectors)
        names = NameList(Self.commands(format.shape))
        switch format.shape {
        case .document:
            shape = .document
            view = makeView(format, row: [], root: [], paths: &paths)
        case .envelope(let envelope):
            shape = .envelope
            view = makeView(format, row: [], root: [], paths: &paths)
            switch envelope.id {
            case .field(let path): id = Self.add(path.names, &paths)
            case .template(let template):
                for part in template.parts {
                    if case .field(let path) = part {
                        idParts.append(Self.add(path.names, &paths))
                    } else {
                        idParts.append(-1)
                    }
                }
            case .key, .header: break
            }
            operation = Self.add(envelope.operation.names, &paths)
            if let path = envelope.document { document = Self.add(path.names, &paths) }
        case .debezium:
            shape = .debezium
            payload = Self.add(["payload"], &paths)
            schema = Self.add(["schema"], &paths)
            bare = makeEvent(format, root: [], paths: &paths)
            wrapped = makeEvent(format, root: ["payload"], paths: &paths)
        }
    }

    /// The meaning of a command that is ignored.
    static let ignored = UInt8.max

    private static func commands(_ shape: CommandFormat.Shape) -> [(text: String?, meaning: UInt8)] {
        guard case .envelope(let envelope) = shape else { return [] }
        return envelope.index.map { ($0, OperationKind.index.rawValue) }
            + envelope.merge.map { ($0, OperationKind.merge.rawValue) }
            + envelope.delete.map { ($0, OperationKind.delete.rawValue) } + envelope.ignore.map { ($0, ignored) }
    }

    private static func add(_ names: [String], _ paths: inout [JSONPath]) -> Int {
        paths.append(JSONPath(names: names))
        return paths.count - 1
    }

    private mutating func makeEvent(_ format: CommandFormat, root: [String], paths: inout [JSONPath]) -> Event {
        var event = Event()
        event.operation = Self.add(root + ["op"], &paths)
        event.after = makeView(format, row: ["after"], root: root, paths: &paths)
        event.before = makeView(format, row: ["before"], root: root, paths: &paths)
        return event
    }

    private mutating func makeView(
        _ format: CommandFormat, row: [String], root: [String], paths: inout [JSONPath]
    ) -> View {
        var view = View()
        if let path = format.routing { view.routing = Self.add(root + row + path.names, &paths) }
        if case .field(let path) = format.version { view.version = Self.add(root + row + path.names, &paths) }
        view.selectors = selectors.count
        for selector in format.selectors {
            guard var names = selector?.field.names else {
                selectors.append(-1)
                continue
            }
            // A deleted row is only in `before`, so a selector of a field in `after` must look there.
            if row == ["before"], names.first == "after", names.count > 1 { names[0] = "before" }
            selectors.append(Self.add(root + names, &paths))
        }
        if !row.isEmpty { view.row = Self.add(root + row, &paths) }
        return view
    }
}
