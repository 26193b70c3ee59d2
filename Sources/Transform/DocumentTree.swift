import JSONText

/// Which buffer a range of text lies in.
enum TextSource: UInt8 {
    /// The document being transformed, or the partial one.
    case document
    /// The document that a partial one is merged into.
    case base
    /// What the steps wrote.
    case scratch
    /// Names and values from the recipe.
    case constants
    /// Keys without their escapes.
    case keys
    /// A copy of scratch text that is being read while scratch is written.
    case copy
}

/// A piece of text in one of the buffers.
struct TextRange {
    var source: TextSource
    var start: Int32
    var end: Int32

    static let none = TextRange(source: .document, start: 0, end: 0)
    var count: Int { Int(end &- start) }
}

/// What a node is.
enum NodeShape: UInt8 {
    /// A value that is still its text.
    case raw
    /// Several members or elements in a row that no step names, still text, commas between them included.
    case run
    case object, array
    /// An object that `keyToValue` will flatten, kept as its text so that it can be merged by key.
    case map
    /// Collected pairs that no later step looks at: they are written where the document is.
    case collected
    /// Removed.
    case gone
    /// Absent from a partial document in a way that must remove it from the base too.
    case erased
}

/// A value of the document, with its key where it is a member. Lists are linked by index, -1 is none.
struct Node {
    var shape: NodeShape
    /// The key's text between its quotes.
    var key: TextRange = .none
    /// The key's number among the recipe's names, -1 for others.
    var name: Int32 = -1
    var text: TextRange = .none
    /// The first and last child; of collected pairs their range.
    var first: Int32 = -1
    var last: Int32 = -1
    var next: Int32 = -1
    /// The step that flattens or flattened it, or ``pairsCollected``.
    var step: Int32 = -1

    /// A raw map whose members the scan has collected already.
    static let pairsCollected: Int32 = -2
    /// A root that has one of the tombstone's fields.
    static let holdsReserved: Int32 = -3
}

/// Nodes in one growing block, forgotten at once.
///
/// A plain handle, freed by the transformer that made it: a reference-counted one would be counted at every use.
struct NodeArena {
    private struct State {
        var base: UnsafeMutablePointer<Node>
        var count = 0
        var capacity = 64
    }

    private let state: UnsafeMutablePointer<State>

    init() {
        state = .allocate(capacity: 1)
        state.initialize(to: State(base: .allocate(capacity: 64)))
    }

    func deallocate() {
        base.deallocate()
        state.deallocate()
    }

    private var base: UnsafeMutablePointer<Node> { @inline(__always) get { state.pointee.base } }
    var count: Int { @inline(__always) get { state.pointee.count } }

    @inline(__always) func removeAll() { state.pointee.count = 0 }
    func truncate(to count: Int32) { state.pointee.count = Int(count) }

    @inline(__always) subscript(_ index: Int32) -> Node {
        get { base[Int(index)] }
        nonmutating set { base[Int(index)] = newValue }
    }

    /// The node in place, until one is added.
    @inline(__always) func pointer(_ index: Int32) -> UnsafeMutablePointer<Node> { base + Int(index) }

    @inline(__always) func add(_ node: Node) -> Int32 {
        if state.pointee.count == state.pointee.capacity { grow() }
        let index = state.pointee.count
        (base + index).initialize(to: node)
        state.pointee.count = index &+ 1
        return Int32(truncatingIfNeeded: index)
    }

    /// Adds `node` as the last child of `parent`.
    @inline(__always) @discardableResult func add(_ node: Node, to parent: Int32) -> Int32 {
        let new = add(node)
        let owner = base + Int(parent)
        if owner.pointee.last < 0 {
            owner.pointee.first = new
        } else {
            base[Int(owner.pointee.last)].next = new
        }
        owner.pointee.last = new
        return new
    }

    @inline(never) private func grow() {
        let capacity = state.pointee.capacity * 2
        let moved = UnsafeMutablePointer<Node>.allocate(capacity: capacity)
        moved.update(from: base, count: count)
        base.deallocate()
        state.pointee.base = moved
        state.pointee.capacity = capacity
    }

    /// The member of that name, which is none of the removed.
    @inline(__always) func member(of object: Int32, named name: Int32) -> Int32 {
        var child = base[Int(object)].first
        while child >= 0 {
            let node = base + Int(child)
            if node.pointee.name == name, node.pointee.shape != .gone, node.pointee.shape != .erased { return child }
            child = node.pointee.next
        }
        return -1
    }

    /// Gives `node` the value of `other`; its key and place stay.
    @inline(__always) func setValue(of node: Int32, to other: Node) {
        let target = base + Int(node)
        target.pointee.shape = other.shape
        target.pointee.text = other.text
        target.pointee.first = other.first
        target.pointee.last = other.last
        target.pointee.step = other.step
    }

    @inline(__always) func setText(of node: Int32, to text: TextRange) {
        let target = base + Int(node)
        target.pointee.shape = .raw
        target.pointee.text = text
        target.pointee.first = -1
        target.pointee.last = -1
        target.pointee.step = -1
    }
}
