import JSONText

/// Which of the extractor's paths is what; -1 where the format has none.
struct DecoderLayout {
    /// The places that depend on where the row is: in the value itself, or in a change event before or after the change,
    /// with or without the schema wrapper.
    struct View {
        var routing = -1
        var version = -1
        var selectors: [Int] = []
        /// The row (debezium).
        var row = -1
    }

    struct Command {
        var name: [UInt8]
        /// Nil: ignored.
        var kind: OperationKind?
    }

    /// A change event, bare or in the wrapper's payload.
    struct Event {
        var operation = -1
        var after = View()
        var before = View()
    }

    var view = View()
    var id = -1
    var operation = -1
    var document = -1
    var commands: [Command] = []
    var bare = Event()
    var wrapped = Event()
    var payload = -1
    var schema = -1
    /// Selected texts, one an entry.
    var selected: [[UInt8]?]

    init(_ format: CommandFormat, paths: inout [JSONPath]) {
        selected = format.selectors.map { $0.map { Array($0.equals.utf8) } }
        switch format.shape {
        case .document:
            view = Self.view(format, row: [], root: [], paths: &paths)
        case .envelope(let envelope):
            view = Self.view(format, row: [], root: [], paths: &paths)
            if case .field(let path) = envelope.id { id = Self.add(path.names, &paths) }
            operation = Self.add(envelope.operation.names, &paths)
            if let path = envelope.document { document = Self.add(path.names, &paths) }
            let kinds: [([String], OperationKind?)] = [
                (envelope.index, .index), (envelope.merge, .merge), (envelope.delete, .delete), (envelope.ignore, nil),
            ]
            for (names, kind) in kinds {
                commands += names.map { Command(name: Array($0.utf8), kind: kind) }
            }
        case .debezium:
            payload = Self.add(["payload"], &paths)
            schema = Self.add(["schema"], &paths)
            bare = Self.event(format, root: [], paths: &paths)
            wrapped = Self.event(format, root: ["payload"], paths: &paths)
        }
    }

    private static func add(_ names: [String], _ paths: inout [JSONPath]) -> Int {
        paths.append(JSONPath(names: names))
        return paths.count - 1
    }

    private static func event(_ format: CommandFormat, root: [String], paths: inout [JSONPath]) -> Event {
        var event = Event()
        event.operation = add(root + ["op"], &paths)
        event.after = view(format, row: ["after"], root: root, paths: &paths)
        event.before = view(format, row: ["before"], root: root, paths: &paths)
        return event
    }

    private static func view(
        _ format: CommandFormat, row: [String], root: [String], paths: inout [JSONPath]
    ) -> View {
        var view = View()
        if let path = format.routing { view.routing = add(root + row + path.names, &paths) }
        if case .field(let path) = format.version { view.version = add(root + row + path.names, &paths) }
        view.selectors = format.selectors.map { selector in
            guard var names = selector?.field.names else { return -1 }
            // A deleted row is only in `before`, so a selector that names a field of the row finds it there.
            if row == ["before"], names.first == "after", names.count > 1 { names[0] = "before" }
            return add(root + names, &paths)
        }
        if !row.isEmpty { view.row = add(root + row, &paths) }
        return view
    }
}
