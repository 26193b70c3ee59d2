import Commands
import JSONText

/// A path of the recipe: a row of numbers of names in ``Program/pathNames``.
struct PathRange {
    var start: Int32 = 0
    var count: Int32 = 0
}

/// A step, with its names and texts looked up.
struct CompiledStep {
    enum Kind: Equatable { case keyToValue, rename, copy, remove, keep, set, change(ValueChange.Kind) }

    var kind: Kind
    /// The recipe's number of the step it came from.
    var origin: Int32
    var path = PathRange()
    var target = PathRange()
    /// How many names `path` and `target` have in common at their beginning. Arrays there are walked through together.
    var common: Int32 = 0
    /// What `set` sets, or the text of a change, in the constants.
    var constant = TextRange.none
    var ifMissing = false
    var dropNull = false
    var dropEmpty = false
    var lowercase = false
    /// The root of what `keep` keeps.
    var keepRoot: Int32 = -1
    /// No later step looks at the field or at an object around it.
    var isLastOnPath = false
}

/// A branch of a tree of names: what to expand while scanning, or what to keep. Its children lie in a row.
struct NameBranch {
    var firstChild: Int32 = 0
    var childCount: Int32 = 0
    /// A path ends here.
    var isEnd = false
    /// The path of a `keyToValue` ends here.
    var isMap = false
}

/// The child of a branch.
struct NameTwig {
    var name: Int32
    var branch: Int32
}

/// Values in one block of memory. Reading counts no references and checks no bounds, so `index` must be right.
struct Table<Element> {
    let base: UnsafeMutablePointer<Element>
    let count: Int

    init(_ elements: [Element]) {
        count = elements.count
        base = .allocate(capacity: max(count, 1))
        base.initialize(from: elements, count: count)
    }

    @inline(__always) subscript(_ index: Int) -> Element { base[index] }
}

/// The steps of a recipe, compiled once.
final class Program {
    let source: [TransformStep]
    let steps: Table<CompiledStep>
    /// Names and values from the recipe, JSON-escaped without quotes.
    let constants: ByteBuffer
    let pathNames: Table<Int32>
    let names: Table<Name>
    let index: NameIndex

    init(_ steps: [TransformStep]) {
        source = steps
        var compiler = Compiler()
        for (index, step) in steps.enumerated() { compiler.compile(step, Int32(truncatingIfNeeded: index)) }
        let reserved = compiler.reserve(Tombstone.fields)
        self.steps = Table(
            compiler.steps.map { step in
                var step = step
                let later = steps[(Int(step.origin) + 1)...].flatMap(\.paths)
                let own = steps[Int(step.origin)].paths
                step.isLastOnPath = !later.contains { path in own.contains { JSONPath.overlap(path, $0) } }
                return step
            })
        constants = compiler.constants
        pathNames = Table(compiler.pathNames)
        names = Table(compiler.names)
        var rows: [NameBranch] = []
        var twigs: [NameTwig] = []
        for branch in compiler.branches {
            rows.append(
                NameBranch(
                    firstChild: Int32(truncatingIfNeeded: twigs.count),
                    childCount: Int32(truncatingIfNeeded: branch.children.count), isEnd: branch.isEnd,
                    isMap: branch.isMap))
            twigs += branch.children
        }
        index = NameIndex(
            names: names, constants: UnsafePointer(constants.base), lengths: compiler.lengths,
            branches: Table(rows), twigs: Table(twigs), reserved: (reserved[0], reserved[1]))
    }

    // The elements of all tables are plain values, so that freeing the blocks is enough.
    deinit {
        steps.base.deallocate()
        pathNames.base.deallocate()
        names.base.deallocate()
        index.branches.base.deallocate()
        index.twigs.base.deallocate()
    }

    struct Name {
        /// Its bytes without escapes, in the constants.
        var plain: TextRange
        /// As it stands between the quotes of a key.
        var escaped: TextRange
    }
}

/// Names and their trees, for the scan: a plain view of the program's tables, valid as long as the program lives.
struct NameIndex {
    let names: Table<Program.Name>
    let constants: UnsafePointer<UInt8>
    /// Bit n: some name has n bytes (the last bit: 63 or more).
    let lengths: UInt64
    /// Branch 0 is the tree of all paths.
    let branches: Table<NameBranch>
    let twigs: Table<NameTwig>
    /// The numbers of the tombstone's fields.
    let reserved: (Int32, Int32)

    @inline(__always) func isReserved(_ name: Int32) -> Bool { name == reserved.0 || name == reserved.1 }

    /// The number of the name with these bytes, or -1.
    @inline(__always) func number(of key: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
        guard lengths & (1 &<< UInt64(min(count, 63))) != 0 else { return -1 }
        return search(key, count)
    }

    private func search(_ key: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
        let base = constants
        var index = 0
        while index < names.count {
            let plain = names[index].plain
            if plain.count == count, JSONScanner.same(base + Int(plain.start), key, count) {
                return Int32(truncatingIfNeeded: index)
            }
            index &+= 1
        }
        return -1
    }

    /// Whether a path ends in `branch`.
    @inline(__always) func isEnd(_ branch: Int32) -> Bool { branches[Int(branch)].isEnd }

    /// Whether a `keyToValue` flattens what is at `branch`.
    @inline(__always) func isMap(_ branch: Int32) -> Bool { branches[Int(branch)].isMap }

    /// Whether no path leads further than `branch`.
    @inline(__always) func isLeaf(_ branch: Int32) -> Bool { branches[Int(branch)].childCount == 0 }

    /// The branch under `branch` for that name, or -1.
    @inline(__always) func branch(under branch: Int32, name: Int32) -> Int32 {
        guard branch >= 0 else { return -1 }
        let row = branches[Int(branch)]
        var index = Int(row.firstChild)
        let last = index &+ Int(row.childCount)
        while index < last {
            if twigs[index].name == name { return twigs[index].branch }
            index &+= 1
        }
        return -1
    }
}

extension JSONPath {
    /// How many names two paths have in common at their beginning, without the last name of the shorter one.
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
