import JSONText

/// Which of the extractor's paths is what; -1 where the format has none. Nothing that is looked at for every record is an
/// array or a string: counting their references would cost as much as reading the record.
struct DecoderLayout {
    /// The places that depend on where the row is: in the value itself, or in a change event before or after the change,
    /// with or without the schema wrapper.
    struct View {
        var routing = -1
        var version = -1
        /// Where the first entry's is in ``selectors``; the others follow it.
        var selectors = 0
        /// The row (debezium).
        var row = -1
    }

    /// The format without what it takes along, so that looking at it for each record counts no references.
    enum Shape {
        case document, envelope, debezium
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
    /// The commands' names; each means an ``OperationKind``, or ``ignored``.
    let names: NameList
    var bare = Event()
    var wrapped = Event()
    var payload = -1
    var schema = -1
    /// Selected texts, one an entry; absent where an entry takes everything.
    let selected: NameList
    /// The path of each entry's selector, for each view in turn; -1: the entry takes everything.
    var selectors: [Int] = []
    let shape: Shape

    init(_ format: CommandFormat, paths: inout [JSONPath]) {
        selected = NameList(format.selectors.map { ($0?.equals, 0) })
        names = NameList(Self.commands(format.shape))
        switch format.shape {
        case .document:
            shape = .document
            view = makeView(format, row: [], root: [], paths: &paths)
        case .envelope(let envelope):
            shape = .envelope
            view = makeView(format, row: [], root: [], paths: &paths)
            if case .field(let path) = envelope.id { id = Self.add(path.names, &paths) }
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

    /// The meaning of a command that is nothing to do.
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
            // A deleted row is only in `before`, so a selector that names a field of the row finds it there.
            if row == ["before"], names.first == "after", names.count > 1 { names[0] = "before" }
            selectors.append(Self.add(root + names, &paths))
        }
        if !row.isEmpty { view.row = Self.add(root + row, &paths) }
        return view
    }
}

/// Texts, each with a meaning, to be compared with bytes. All its properties are constants, so that reading them needs no
/// exclusivity check.
final class NameList {
    private struct Name {
        let start: Int
        /// -1: there is no text here.
        let count: Int
        let meaning: UInt8
    }

    private let bytes: UnsafeMutablePointer<UInt8>
    private let names: UnsafeMutablePointer<Name>
    let count: Int

    init(_ texts: [(text: String?, meaning: UInt8)]) {
        count = texts.count
        names = .allocate(capacity: max(1, texts.count))
        let all = texts.flatMap { Array(($0.text ?? "").utf8) }
        bytes = .allocate(capacity: max(1, all.count))
        bytes.initialize(from: all, count: all.count)
        var start = 0
        for (place, entry) in texts.enumerated() {
            let length = entry.text?.utf8.count
            (names + place).initialize(to: Name(start: start, count: length ?? -1, meaning: entry.meaning))
            start += length ?? 0
        }
    }

    deinit {
        names.deallocate()
        bytes.deallocate()
    }

    /// Whether there is a text at that place.
    func isThere(_ place: Int) -> Bool { names[place].count >= 0 }

    func isSame(_ place: Int, _ other: Bytes) -> Bool {
        let name = names[place]
        guard name.count == other.count else { return false }
        guard let other = other.baseAddress else { return true }
        return JSONScanner.same(bytes + name.start, other, name.count)
    }

    /// The meaning of the first text that is the same; nil: none is.
    func meaning(_ other: Bytes) -> UInt8? {
        var place = 0
        while place < count {
            if isSame(place, other) { return names[place].meaning }
            place &+= 1
        }
        return nil
    }
}
