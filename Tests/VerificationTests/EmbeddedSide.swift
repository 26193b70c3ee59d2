import Embedded
import HTTPServer
import JSONText
import Synchronization

/// An embedded node behind a proxy that can change its answers.
final class EmbeddedSide: Sendable {
    let node: SearchNode
    private let state: State
    private let server: HTTPServer

    private final class State: Sendable {
        /// What becomes of the hits of a page.
        let change = Mutex<(@Sendable ([JSONValue]) -> [JSONValue])?>(nil)
        let pages = Mutex(0)
    }

    init(_ node: SearchNode) throws {
        let state = State()
        (self.node, self.state) = (node, state)
        server = try HTTPServer(address: "127.0.0.1:0", threads: 4, maximumBody: 64 << 20) { request in
            let answer = node.respond(request)
            let isPage = request.parameter("scroll") != nil || request.path == "/_search/scroll"
            guard isPage, request.method == "POST" else { return answer }
            state.pages.withLock { $0 += 1 }
            guard let change = state.change.withLock({ $0 }), case .bytes(let bytes) = answer.body,
                var page = bytes.withUnsafeBufferPointer({ try? JSONValue(parsing: $0) })?.object,
                var hits = page["hits"]?.object, let list = hits["hits"]?.array
            else { return answer }
            hits["hits"] = .array(change(list))
            page["hits"] = .object(hits)
            var changed = answer
            changed.body = .bytes(Array(JSONValue.object(page).text().utf8))
            return changed
        }
    }

    var url: String { server.url }

    /// Pages that were asked for.
    var pages: Int { state.pages.withLock { $0 } }

    /// Changes the hits of every page from now on; nil: no more.
    func change(_ change: (@Sendable ([JSONValue]) -> [JSONValue])?) { state.change.withLock { $0 = change } }

    /// Sends a request to the node and gives the answer's status.
    @discardableResult func send(_ method: String, _ path: String, _ body: String = "") -> Int {
        let parts = path.split(separator: "?", maxSplits: 1).map(String.init)
        let query = parts.count > 1 ? parts[1].split(separator: "&").map(String.init) : []
        return node.respond(
            HTTPRequest(
                method: method, path: parts[0],
                query: query.map { pair in
                    let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
                    return (halves[0], halves.count > 1 ? halves[1] : nil)
                }, headers: [("Content-Type", "application/json")], body: Array(body.utf8))
        ).status
    }
}
