import JSONText

/// A recipe's path as a row of name numbers in ``Program/pathNames``.
struct PathRange {
    var start: Int32 = 0
    var count: Int32 = 0
}

/// A step with everything looked up.
struct CompiledStep {
    enum Kind: UInt8 { case keyToValue, rename, copy, remove, keep, set, cast, lowercase, split, join }

    var kind: Kind
    /// The recipe's number of the step it came from.
    var origin: Int32
    var path = PathRange()
    var target = PathRange()
    /// How many names `path` and `target` begin with alike; arrays on them are walked through together.
    var common: Int32 = 0
    /// A constant or a separator, in the constants.
    var constant = TextRange.none
    var ifMissing = false
    var dropNull = false
    var dropEmpty = false
    var lowercase = false
    var castTarget: CastTarget = .string
    /// The root of what `keep` keeps.
    var keepRoot: Int32 = -1
}

/// A branch of a tree of names: what to expand while scanning, or what to keep.
struct NameBranch {
    var children: [(name: Int32, branch: Int32)] = []
    /// A path ends here.
    var isEnd = false
    /// The path of a `keyToValue` ends here.
    var isMap = false
}

/// The steps of a recipe, compiled once.
final class Program {
    @exclusivity(unchecked) private(set) var steps: [CompiledStep] = []
    let source: [TransformStep]
    /// Names and values from the recipe, JSON-escaped without quotes.
    let constants = ByteBuffer()
    @exclusivity(unchecked) private(set) var pathNames: [Int32] = []
    /// Branch 0 is the tree of all paths.
    @exclusivity(unchecked) private(set) var branches: [NameBranch] = [NameBranch()]
    @exclusivity(unchecked) private(set) var names: [Name] = []
    /// Bit n: some name has n bytes (the last bit: 63 or more).
    @exclusivity(unchecked) private(set) var lengths: UInt64 = 0
    private var numbers: [[UInt8]: Int32] = [:]

    struct Name {
        /// Its bytes without escapes, in the constants.
        var plain: TextRange
        /// As it stands between the quotes of a key.
        var escaped: TextRange
    }

    init(_ steps: [TransformStep]) {
        source = steps
        for (index, step) in steps.enumerated() { compile(step, Int32(truncatingIfNeeded: index)) }
    }

    private func compile(_ step: TransformStep, _ origin: Int32) {
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
            branches.append(NameBranch())
            for field in paths { add(path(field), under: compiled.keepRoot) }
        case .set(let field, let json, let ifMissing):
            compiled.kind = .set
            compiled.path = path(field)
            compiled.ifMissing = ifMissing
            compiled.constant = constant(json: json)
        case .cast(let field, let target):
            compiled.kind = .cast
            compiled.path = path(field)
            compiled.castTarget = target
        case .lowercase(let field):
            compiled.kind = .lowercase
            compiled.path = path(field)
        case .split(let field, let separator):
            compiled.kind = .split
            compiled.path = path(field)
            compiled.constant = constant(text: separator)
        case .join(let field, let separator):
            compiled.kind = .join
            compiled.path = path(field)
            compiled.constant = constant(text: separator)
        }
        self.steps.append(compiled)
    }

    private func path(_ path: JSONPath) -> PathRange {
        let start = pathNames.count
        for name in path.names { pathNames.append(number(of: name)) }
        let range = PathRange(
            start: Int32(truncatingIfNeeded: start), count: Int32(truncatingIfNeeded: path.names.count))
        add(range, under: 0)
        return range
    }

    private func add(_ path: PathRange, under root: Int32) {
        var branch = Int(root)
        for index in Int(path.start)..<Int(path.start + path.count) {
            let name = pathNames[index]
            if let known = branches[branch].children.first(where: { $0.name == name }) {
                branch = Int(known.branch)
            } else {
                branches[branch].children.append((name, Int32(truncatingIfNeeded: branches.count)))
                branch = branches.count
                branches.append(NameBranch())
            }
        }
        branches[branch].isEnd = true
    }

    private func markMap(_ path: PathRange) {
        var branch: Int32 = 0
        for index in Int(path.start)..<Int(path.start + path.count) {
            branch = self.branch(under: branch, name: pathNames[index])
        }
        if branch >= 0 { branches[Int(branch)].isMap = true }
    }

    private func number(of name: String) -> Int32 {
        let bytes = Array(name.utf8)
        if let known = numbers[bytes] { return known }
        let new = Int32(truncatingIfNeeded: names.count)
        numbers[bytes] = new
        let plain = constant(text: name)
        let start = constants.count
        bytes.withUnsafeBufferPointer { JSONString.escapeContent($0, into: constants) }
        names.append(Name(plain: plain, escaped: range(from: start)))
        lengths |= 1 &<< UInt64(min(bytes.count, 63))
        return new
    }

    private func constant(text: String) -> TextRange {
        let start = constants.count
        constants.append(text)
        return range(from: start)
    }

    /// The value as one line; null when it is not JSON (the recipe's check says so before it comes here).
    private func constant(json: String) -> TextRange {
        let value = (try? JSONValue(parsing: json)) ?? .null
        return constant(text: value.text())
    }

    private func range(from start: Int) -> TextRange {
        TextRange(
            source: .constants, start: Int32(truncatingIfNeeded: start),
            end: Int32(truncatingIfNeeded: constants.count))
    }

    /// The number of the name with these bytes, or -1.
    @inline(__always) func number(of key: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
        guard lengths & (1 &<< UInt64(min(count, 63))) != 0 else { return -1 }
        return search(key, count)
    }

    private func search(_ key: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
        let base = UnsafePointer(constants.base)
        return names.withUnsafeBufferPointer { names in
            for index in names.indices {
                let plain = names[index].plain
                if plain.count == count, JSONScanner.same(base + Int(plain.start), key, count) {
                    return Int32(truncatingIfNeeded: index)
                }
            }
            return -1
        }
    }

    /// Whether a path ends in `branch`.
    @inline(__always) func isEnd(_ branch: Int32) -> Bool { branches[Int(branch)].isEnd }

    /// Whether a `keyToValue` flattens what is at `branch`.
    @inline(__always) func isMap(_ branch: Int32) -> Bool { branches[Int(branch)].isMap }

    /// Whether no path leads further than `branch`.
    @inline(__always) func isLeaf(_ branch: Int32) -> Bool { branches[Int(branch)].children.isEmpty }

    /// The branch under `branch` for that name, or -1.
    @inline(__always) func branch(under branch: Int32, name: Int32) -> Int32 {
        guard branch >= 0 else { return -1 }
        for child in branches[Int(branch)].children where child.name == name { return child.branch }
        return -1
    }
}

extension JSONPath {
    /// How many names two paths begin with alike, the last of the shorter not counted.
    static func common(_ one: JSONPath, _ other: JSONPath) -> Int {
        let limit = min(one.names.count, other.names.count) - 1
        var count = 0
        while count < limit, one.names[count].utf8.elementsEqual(other.names[count].utf8) { count += 1 }
        return count
    }

    /// Whether one of the two is the other or lies above it.
    static func overlap(_ one: JSONPath, _ other: JSONPath) -> Bool {
        zip(one.names, other.names).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }
}
