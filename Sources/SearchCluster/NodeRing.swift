/// Chooses the node of the next request. The nodes take turns; a node whose connection failed or
/// that did not answer in time is set aside for a while.
/// A pure value: the caller passes the time, in nanoseconds of the monotonic clock.
struct NodeRing {
    private struct Node {
        var failures = 0
        /// Its last request got no answer in time.
        var hangs = false
        /// 0: the node is not set aside.
        var asideUntil: UInt64 = 0
    }

    private var nodes: [Node]
    private var turn = 0

    /// A node is set aside for 1 s after its first failure, then for twice as long after each, at most 30 s.
    static let firstPause: UInt64 = 1_000_000_000
    static let longestPause: UInt64 = 30_000_000_000

    init(count: Int) { nodes = Array(repeating: Node(), count: max(count, 1)) }

    var count: Int { nodes.count }

    /// The next node in turn that is not set aside and not in `tried`. When all the others are set aside, the one whose
    /// time ends first. Nil only when every node is in `tried`.
    ///
    /// `isOnce`: what is sent must not be sent twice, so that a node that hangs does not get it as long as there is
    /// another one. Requests that may be repeated find out whether it is back.
    mutating func next(now: UInt64, excluding tried: Set<Int> = [], isOnce: Bool = false) -> Int? {
        let spares = isOnce && nodes.contains { !$0.hangs }
        var earliest: Int?
        for step in 0..<nodes.count {
            let candidate = (turn + step) % nodes.count
            if tried.contains(candidate) || spares && nodes[candidate].hangs { continue }
            if nodes[candidate].asideUntil <= now {
                turn = (candidate + 1) % nodes.count
                return candidate
            }
            if let best = earliest, nodes[best].asideUntil <= nodes[candidate].asideUntil { continue }
            earliest = candidate
        }
        return earliest
    }

    mutating func succeeded(_ node: Int) {
        guard nodes.indices.contains(node), nodes[node].failures > 0 else { return }
        nodes[node] = Node()
    }

    /// `hangs`: it was waited for in vain, which is not to be repeated soon.
    mutating func failed(_ node: Int, now: UInt64, hangs: Bool = false) {
        guard nodes.indices.contains(node) else { return }
        let growing = min(NodeRing.firstPause << UInt64(min(nodes[node].failures, 5)), NodeRing.longestPause)
        let pause = hangs ? NodeRing.longestPause : growing
        nodes[node].failures += 1
        nodes[node].hangs = hangs
        nodes[node].asideUntil = now &+ pause
    }

    /// How many nodes are not set aside.
    func healthy(now: UInt64) -> Int { nodes.count { $0.asideUntil <= now } }
}
