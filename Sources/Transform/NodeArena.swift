/// All nodes of a document, in one block that grows. All are dropped together.
///
/// It holds a plain pointer, which the transformer frees: an object would be reference-counted at every use.
struct NodeArena {
    private struct State {
        var base: UnsafeMutablePointer<Node>
        var count = 0
        var capacity = 64
        #if DEBUG
            /// Steps of work, for tests that compare inputs of different lengths.
            var visits = 0
        #endif
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

    /// The most nodes for which memory is kept from document to document.
    static let kept = 1 << 15
    var capacity: Int { state.pointee.capacity }

    @inline(__always) func removeAll() {
        state.pointee.count = 0
        if state.pointee.capacity > Self.kept { shrink() }
    }

    @inline(never) private func shrink() {
        base.deallocate()
        state.pointee.base = .allocate(capacity: 64)
        state.pointee.capacity = 64
    }

    #if DEBUG
        var visits: Int { state.pointee.visits }
        /// Counts steps of work.
        func visit(_ count: Int = 1) { state.pointee.visits &+= count }
    #else
        @inline(__always) func visit(_ count: Int = 1) {}
    #endif

    func truncate(to count: Int32) { state.pointee.count = Int(count) }

    @inline(__always) subscript(_ index: Int32) -> Node {
        get { base[Int(index)] }
        nonmutating set { base[Int(index)] = newValue }
    }

    /// The node itself. The pointer is valid until a node is added.
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

    /// The member with this name that is not removed; -1: there is none.
    @inline(__always) func member(of object: Int32, named name: Int32) -> Int32 {
        var child = base[Int(object)].first
        while child >= 0 {
            visit()
            let node = base + Int(child)
            if node.pointee.name == name, node.pointee.shape != .gone, node.pointee.shape != .erased { return child }
            child = node.pointee.next
        }
        return -1
    }

    /// Gives `node` the value of `other`. Its key and its place stay.
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
