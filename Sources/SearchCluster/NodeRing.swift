/// Which node is next: in turn, those set aside after a connection failure left out. Pure; time is given.
struct NodeRing {
    private struct Node {
        var failures = 0
        /// Nanoseconds on the monotonic clock; 0: healthy.
        var asideUntil: UInt64 = 0
    }

    private var nodes: [Node]
    private var turn = 0

    /// 1 s after the first failure, doubled with each, at most 30 s.
    static let firstPause: UInt64 = 1_000_000_000
    static let longestPause: UInt64 = 30_000_000_000

    init(count: Int) { nodes = Array(repeating: Node(), count: max(count, 1)) }

    var count: Int { nodes.count }

    /// The next node in turn that is not set aside and not in `tried`; when all are set aside, the one that comes back
    /// first, because an answer is worth more than politeness. Nil only when every node was tried.
    mutating func next(now: UInt64, excluding tried: Set<Int> = []) -> Int? {
        var earliest: Int?
        for step in 0..<nodes.count {
            let candidate = (turn + step) % nodes.count
            if tried.contains(candidate) { continue }
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

    mutating func failed(_ node: Int, now: UInt64) {
        guard nodes.indices.contains(node) else { return }
        let pause = min(NodeRing.firstPause << UInt64(min(nodes[node].failures, 5)), NodeRing.longestPause)
        nodes[node].failures += 1
        nodes[node].asideUntil = now &+ pause
    }

    /// How many are not set aside.
    func healthy(now: UInt64) -> Int { nodes.count { $0.asideUntil <= now } }
}
