import Embedded
import HTTPServer
import JSONText
import SearchCluster
import Synchronization

/// Sends requests to a node without a socket, at a time that the test sets.
final class NodeUser: Sendable {
    let node: SearchNode
    let clock: NodeClock

    init(_ name: String, limits: NodeLimits = NodeLimits()) {
        clock = NodeClock(milliseconds: { 1_800_000_000_000 })
        let persona = ServerPersona(named: name) ?? ServerPersona(.elasticsearch, ServerVersion(0, 0))
        node = SearchNode(persona, limits: limits, clock: clock)
    }

    /// The status and the answer; null when the answer is not JSON.
    func ask(_ method: String, _ address: String, _ body: JSONValue? = nil) -> (status: Int, answer: JSONValue) {
        send(method, address, body?.text() ?? "")
    }

    func send(_ method: String, _ address: String, _ body: String) -> (status: Int, answer: JSONValue) {
        let halves = address.split(separator: "?", maxSplits: 1).map(String.init)
        let query = (halves.count > 1 ? halves[1] : "").split(separator: "&").map { part in
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            return (name: pair[0], value: pair.count > 1 ? pair[1] : nil)
        }
        let answer = node.respond(
            HTTPRequest(method: method, path: halves.first ?? "/", query: query, body: Array(body.utf8)))
        guard case .bytes(let bytes) = answer.body else { return (answer.status, .null) }
        return (answer.status, (try? JSONValue(parsing: String(decoding: bytes, as: UTF8.self))) ?? .null)
    }

    /// Sends a bulk request. Each line is sent as it is.
    func bulk(_ address: String, _ lines: JSONValue...) -> JSONValue {
        send("POST", address, lines.map { $0.text() + "\n" }.joined()).answer
    }

    /// The statuses of the items of a bulk request.
    static func statuses(_ answer: JSONValue) -> [Int64] {
        (answer["items"]?.array ?? []).compactMap { $0.object?.first?.value["status"]?.int }
    }

    func count(_ index: String) -> Int64? { ask("GET", "/\(index)/_count").answer["count"]?.int }
}
