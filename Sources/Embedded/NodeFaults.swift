import JSONText
import Synchronization

/// Faults on request, to test how a client reacts to them.
package final class NodeFaults: Sendable {
    private struct State {
        var requests = 0
        var requestStatus = 429
        var path = ""
        var items = 0
        var itemStatus = 429
    }

    private let state = Mutex(State())

    /// Makes the next `count` requests whose path contains `path` fail: 429 like a full queue, 503 like an unready
    /// cluster.
    package func failRequests(_ count: Int, status: Int = 429, path: String = "") {
        state.withLock { state in
            state.requests = max(count, 0)
            state.requestStatus = status
            state.path = path
        }
    }

    /// Makes the next `count` bulk items fail.
    package func failItems(_ count: Int, status: Int = 429) {
        state.withLock { state in
            state.items = max(count, 0)
            state.itemStatus = status
        }
    }

    func check(_ call: NodeCall, persona: ServerPersona) throws(NodeError) {
        let status = state.withLock { state -> Int? in
            guard state.requests > 0, call.path.first != NodeFaults.adminPath else { return nil }
            guard state.path.isEmpty || call.wholePath.contains(state.path) else { return nil }
            state.requests -= 1
            return state.requestStatus
        }
        if let status { throw NodeFaults.error(status, persona) }
    }

    func nextItem(_ persona: ServerPersona) -> NodeError? {
        let status = state.withLock { state -> Int? in
            guard state.items > 0 else { return nil }
            state.items -= 1
            return state.itemStatus
        }
        return status.map { NodeFaults.error($0, persona) }
    }

    /// Whether any item may fail. Asked once per request.
    var hasItems: Bool { state.withLock { $0.items > 0 } }

    static let adminPath = "_embedded"

    private static func error(_ status: Int, _ persona: ServerPersona) -> NodeError {
        let what =
            "rejected execution of processing of [1][indices:data/write/bulk[s][p]]: request: BulkShardRequest on "
            + "EsThreadPoolExecutor[name = embedded/write, queue capacity = 200]"
        switch status {
        case 429:
            let type = persona.isOpenSearch ? "rejected_execution_exception" : "es_rejected_execution_exception"
            return NodeError(429, type, what)
        case 503:
            return NodeError(503, "unavailable_shards_exception", "primary shard is not active Timeout: [1m]")
        default: return NodeError(status, "embedded_fault_exception", "a failure that was asked for")
        }
    }
}

// An address of the node alone; real servers do not have it.
extension SearchNode {
    /// `GET /_embedded` describes the node. `POST /_embedded/faults` takes `{"requests": 3, "status": 429, "path":
    /// "_bulk"}` or `{"items": 3, "status": 429}`. `POST /_embedded/clock` takes `{"advance_ms": 60000}`.
    func administer(_ call: NodeCall) throws(NodeError) -> NodeAnswer {
        let body = try call.json(persona)
        func number(_ name: String) -> Int? { body[name]?.int.flatMap { Int(exactly: $0) } }
        switch (call.method, call.path.dropFirst().first) {
        case ("GET", nil):
            return .json([
                "persona": .string(persona.name), "document_bytes": .number(memory.used),
                "document_bytes_limit": .number(memory.limit), "now": .number(clock.now),
            ])
        case ("POST", "faults"):
            let status = number("status") ?? 429
            guard (400...599).contains(status) else { throw persona.illegal("[status] must be from 400 to 599") }
            if let count = number("requests") {
                faults.failRequests(count, status: status, path: body["path"]?.string ?? "")
            }
            if let count = number("items") { faults.failItems(count, status: status) }
            return .acknowledged
        case ("POST", "clock"):
            clock.advance(milliseconds: body["advance_ms"]?.int ?? 0)
            return .json(["acknowledged": true, "now": .number(clock.now)])
        default: throw persona.unsupported("[\(call.wholePath)]")
        }
    }
}
