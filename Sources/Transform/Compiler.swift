import JSONText

/// Makes the tables of a ``Program``.
struct Compiler {
    struct Branch {
        var children: [NameTwig] = []
        var isEnd = false
        var isMap = false
    }

    private(set) var steps: [CompiledStep] = []
    let constants = ByteBuffer()
    private(set) var pathNames: [Int32] = []
    private(set) var branches: [Branch] = [Branch()]
    private(set) var names: [Program.Name] = []
    private(set) var lengths: UInt64 = 0
    private var numbers: [[UInt8]: Int32] = [:]

    init() {}

    mutating func compile(_ step: TransformStep, _ origin: Int32) {
        var compiled = CompiledStep(kind: .remove, origin: origin)
        switch step {
        case .keyToValue(let options):
            compiled.kind = .keyToValue
            compiled.path = path(options.field)
            markMap(compiled.path)
            compiled.dropNull = options.null == .drop
            compiled.dropEmpty = options.empty == .drop
            compiled.lowercase = options.lowercase
        case .rename(let from, let to), .copy(let from, let to):
            compiled.kind = .copy
            if case .rename = step { compiled.kind = .rename }
            compiled.path = path(from)
            compiled.target = path(to)
            compiled.common = Int32(truncatingIfNeeded: JSONPath.common(from, to))
        case .remove(let paths):
            for field in paths {
                compiled.path = path(field)
                self.steps.append(compiled)
            }
            return
        case .keep(let paths):
            compiled.kind = .keep
            compiled.keepRoot = Int32(truncatingIfNeeded: branches.count)
            branches.append(Branch())
            for field in paths { add(path(field), under: compiled.keepRoot) }
        case .set(let field, let json, let ifMissing):
            compiled.kind = .set
            compiled.path = path(field)
            compiled.ifMissing = ifMissing
            compiled.constant = constant(json: json)
        case .change(let field, let change):
            compiled.kind = .change(change.kind)
            compiled.path = path(field)
            compiled.constant = constant(text: change.text)
        }
        self.steps.append(compiled)
    }

    private mutating func path(_ path: JSONPath) -> PathRange {
        let start = pathNames.count
        for name in path.names { pathNames.append(number(of: name)) }
        let range = PathRange(
            start: Int32(truncatingIfNeeded: start), count: Int32(truncatingIfNeeded: path.names.count))
        add(range, under: 0)
        return range
    }

    private mutating func add(_ path: PathRange, under root: Int32) {
        var branch = Int(root)
        for index in Int(path.start)..<Int(path.start + path.count) {
            let name = pathNames[index]
            if let known = branches[branch].children.first(where: { $0.name == name }) {
                branch = Int(known.branch)
            } else {
                branches[branch].children.append(
                    NameTwig(name: name, branch: Int32(truncatingIfNeeded: branches.count)))
                branch = branches.count
                branches.append(Branch())
            }
        }
        branches[branch].isEnd = true
    }

    /// The numbers of the fields that no document may have at its top; called when all steps are compiled.
    mutating func reserve(_ fields: [String]) -> [Int32] { fields.map { number(of: $0) } }

    private mutating func markMap(_ path: PathRange) {
        var branch: Int32 = 0
        for index in Int(path.start)..<Int(path.start + path.count) {
            let next = branches[Int(branch)].children.first { $0.name == pathNames[index] }
            guard let next else { return }
            branch = next.branch
        }
        branches[Int(branch)].isMap = true
    }

    private mutating func number(of name: String) -> Int32 {
        let bytes = Array(name.utf8)
        if let known = numbers[bytes] { return known }
        let new = Int32(truncatingIfNeeded: names.count)
        numbers[bytes] = new
        let plain = constant(text: name)
        let start = constants.count
        bytes.withUnsafeBufferPointer { JSONString.escapeContent($0, into: constants) }
        names.append(Program.Name(plain: plain, escaped: range(from: start)))
        lengths |= 1 &<< UInt64(min(bytes.count, 63))
        return new
    }

    private func constant(text: String) -> TextRange {
        let start = constants.count
        constants.append(text)
        return range(from: start)
    }

    /// The value as one line; null when it is not JSON (the check of the recipe has refused that before).
    private func constant(json: String) -> TextRange {
        let value = (try? JSONValue(parsing: json)) ?? .null
        return constant(text: value.text())
    }

    private func range(from start: Int) -> TextRange {
        TextRange(
            source: .constants, start: Int32(truncatingIfNeeded: start),
            end: Int32(truncatingIfNeeded: constants.count))
    }
}
