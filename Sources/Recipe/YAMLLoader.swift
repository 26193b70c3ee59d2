import CLibyaml

/// Reads one YAML document into a tree, through libyaml's parser. Whatever the bytes are, the answer is a tree or a
/// problem with its place; depth, size and the growth that aliases allow are bounded.
package struct YAMLLoader {
    /// Bytes of the text.
    package static let maxBytes = 4 << 20
    /// Levels of nesting, aliases followed.
    package static let maxDepth = 100
    /// Values in the tree, each counted as often as aliases repeat it.
    package static let maxNodes = 200_000
    /// Bytes of all texts in the tree, each counted as often as aliases repeat it, and with what `${}` puts in.
    package static let maxTextBytes = 16 << 20
    package static let tooMuchText =
        "more than \(maxTextBytes >> 20) MiB of text, counting what aliases repeat and ${} puts in (fixed limit "
        + "recipe_text)"

    /// A list or mapping that is not closed yet. A class, so that a long one grows in place.
    private final class Frame {
        package let isMapping: Bool
        package let anchor: String?
        package let mark: SourceMark
        package var items: [YAMLNode] = []
        package var pairs: [YAMLPair] = []
        /// Lines of the keys so far.
        package var lines: [String: Int] = [:]
        package var key: (text: String, mark: SourceMark)?

        package init(mapping: Bool, anchor: String?, mark: SourceMark) {
            isMapping = mapping
            (self.anchor, self.mark) = (anchor, mark)
        }
    }

    /// Version of libyaml, e.g. `0.2.5`.
    package static var libraryVersion: String { yaml_get_version_string().map { String(cString: $0) } ?? "unknown" }

    private var frames: [Frame] = []
    private var anchors: [String: YAMLNode] = [:]
    private var root: YAMLNode?
    private var documents = 0
    private var nodes = 0
    private var bytes = 0
    /// Problems that do not keep the rest from being read.
    private var problems: [YAMLProblem] = []

    private init() {}

    /// The tree, and the problems (duplicate keys) beside which it could be read. A document with nothing in it has
    /// no tree.
    package static func load(_ text: [UInt8]) throws(YAMLProblem) -> (root: YAMLNode?, problems: [YAMLProblem]) {
        guard text.count <= maxBytes else {
            throw YAMLProblem(
                mark: SourceMark(line: 1, column: 1),
                message: "the file has \(text.count) bytes, more than the \(maxBytes) a recipe may have (fixed limit "
                    + "file_size)")
        }
        let text = RecipeFiles.withoutMark(text)
        if let offset = RecipeFiles.firstInvalidUTF8(text) {
            let isUTF16 = text.starts(with: [0xFF, 0xFE]) || text.starts(with: [0xFE, 0xFF])
            throw YAMLProblem(
                mark: SourceMark(offset: offset, in: text),
                message: isUTF16 ? "the file is UTF-16; save it as UTF-8" : "the file is not UTF-8 here")
        }
        var loader = YAMLLoader()
        try loader.parse(text)
        return (loader.root, loader.problems)
    }

    private mutating func parse(_ text: [UInt8]) throws(YAMLProblem) {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) == 1 else {
            throw YAMLProblem(mark: SourceMark(line: 1, column: 1), message: "no memory for the YAML parser")
        }
        defer { yaml_parser_delete(parser) }
        // The parser keeps the pointer, so the bytes need an address that outlives the calls below.
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: max(text.count, 1))
        defer { bytes.deallocate() }
        bytes.initialize(to: 0)
        bytes.update(from: text, count: text.count)
        yaml_parser_set_input_string(parser, bytes, text.count)
        yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(parser, &event) == 1 else { throw Self.syntaxProblem(parser.pointee, text) }
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT || event.type == YAML_NO_EVENT { return }
            try take(event)
        }
    }

    private mutating func take(_ event: yaml_event_t) throws(YAMLProblem) {
        let mark = Self.mark(event.start_mark)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            documents += 1
            guard documents == 1 else {
                throw YAMLProblem(mark: mark, message: "a second document begins here; a recipe is one document")
            }
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            try refuseTag(Self.text(scalar.tag), mark: mark)
            let value = YAMLScalar(
                text: Self.text(scalar.value, count: scalar.length),
                plain: scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nil, reference: nil)
            try add(YAMLNode(.scalar(value), mark: mark), anchor: Self.text(scalar.anchor))
        case YAML_SEQUENCE_START_EVENT:
            let start = event.data.sequence_start
            try refuseTag(Self.text(start.tag), mark: mark)
            try open(Frame(mapping: false, anchor: Self.text(start.anchor), mark: mark))
        case YAML_MAPPING_START_EVENT:
            let start = event.data.mapping_start
            try refuseTag(Self.text(start.tag), mark: mark)
            try open(Frame(mapping: true, anchor: Self.text(start.anchor), mark: mark))
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            try close()
        case YAML_ALIAS_EVENT:
            let name = Self.text(event.data.alias.anchor) ?? ""
            guard let node = anchors[name] else {
                throw YAMLProblem(mark: mark, message: "the alias *\(name) has no complete anchor before it")
            }
            try add(node, anchor: nil, at: mark)
        default:
            return
        }
    }

    private mutating func open(_ frame: Frame) throws(YAMLProblem) {
        guard frames.count < Self.maxDepth else { throw Self.tooDeep(frame.mark) }
        if let outer = frames.last, outer.isMapping, outer.key == nil { throw Self.notAKey(frame.mark) }
        frames.append(frame)
    }

    private mutating func close() throws(YAMLProblem) {
        guard let frame = frames.popLast() else { return }
        let content: YAMLNode.Content = frame.isMapping ? .mapping(frame.pairs) : .sequence(frame.items)
        try add(YAMLNode(content, mark: frame.mark), anchor: frame.anchor)
    }

    /// Puts a finished node where it belongs. `alias` is the place of the alias that repeats it.
    private mutating func add(_ node: YAMLNode, anchor: String?, at alias: SourceMark? = nil) throws(YAMLProblem) {
        let mark = alias ?? node.mark
        nodes += alias == nil ? 1 : node.weight
        guard nodes <= Self.maxNodes else {
            throw YAMLProblem(
                mark: mark,
                message: "more than \(Self.maxNodes) values, counting what aliases repeat (fixed limit recipe_values)")
        }
        if alias != nil { bytes += node.bytes }
        guard bytes <= Self.maxTextBytes else { throw YAMLProblem(mark: mark, message: Self.tooMuchText) }
        guard frames.count + node.height <= Self.maxDepth else { throw Self.tooDeep(mark) }
        if let anchor { anchors[anchor] = node }
        guard let frame = frames.last else {
            root = node
            return
        }
        guard frame.isMapping else {
            frame.items.append(node)
            return
        }
        guard let key = frame.key else {
            guard case .scalar(let scalar) = node.content else { throw Self.notAKey(mark) }
            frame.key = (scalar.text, mark)
            return
        }
        frame.key = nil
        if let first = frame.lines[key.text] {
            problems.append(
                YAMLProblem(mark: key.mark, message: "the key \"\(key.text)\" is given twice, first in line \(first)"))
        } else {
            frame.lines[key.text] = key.mark.line
            frame.pairs.append(YAMLPair(key: key.text, mark: key.mark, value: node))
        }
    }

    private static func notAKey(_ mark: SourceMark) -> YAMLProblem {
        YAMLProblem(mark: mark, message: "a key must be a single value, not a list or a mapping")
    }

    /// `!!str` says what quotes say; every other tag would change what a value is behind the schema's back.
    private func refuseTag(_ tag: String?, mark: SourceMark) throws(YAMLProblem) {
        guard let tag, tag != "!", tag != "tag:yaml.org,2002:str" else { return }
        throw YAMLProblem(mark: mark, message: "the tag \(tag) is not used in recipes; leave it out")
    }

    private static func tooDeep(_ mark: SourceMark) -> YAMLProblem {
        YAMLProblem(mark: mark, message: "nested deeper than \(maxDepth) levels (fixed limit recipe_depth)")
    }

    private static func syntaxProblem(_ parser: yaml_parser_t, _ text: [UInt8]) -> YAMLProblem {
        guard parser.error != YAML_MEMORY_ERROR else {
            return YAMLProblem(mark: SourceMark(line: 1, column: 1), message: "no memory for the YAML parser")
        }
        if parser.error == YAML_READER_ERROR {
            let problem = parser.problem.map { String(cString: $0) } ?? "unreadable"
            return YAMLProblem(mark: SourceMark(offset: parser.problem_offset, in: text), message: problem)
        }
        let mark = mark(parser.problem_mark)
        var message = "not YAML: " + (parser.problem.map { String(cString: $0) } ?? "it cannot be read")
        if let context = parser.context {
            let place = Self.mark(parser.context_mark)
            message += " (\(String(cString: context)) of \(place.line):\(place.column))"
        }
        let lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        if mark.line >= 1, mark.line <= lines.count,
            String(decoding: lines[mark.line - 1], as: UTF8.self).contains("${")
        {
            message += "; inside { } or [ ] write \"${NAME}\" in quotes"
        }
        return YAMLProblem(mark: mark, message: message)
    }

    private static func mark(_ mark: yaml_mark_t) -> SourceMark {
        SourceMark(line: Int(clamping: mark.line) &+ 1, column: Int(clamping: mark.column) &+ 1)
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(cString: $0) }
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?, count: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: pointer, count: count), as: UTF8.self)
    }
}
