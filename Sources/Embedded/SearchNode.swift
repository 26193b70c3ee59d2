import HTTPServer
import JSONText
import Synchronization

/// A search server in memory that answers like the version that it imitates.
///
/// It answers requests without a socket; ``EmbeddedSearchServer`` adds one. docs/embedded.md lists the calls that it
/// supports.
package final class SearchNode: Sendable {
    package let persona: ServerPersona
    package let clock: NodeClock
    package let limits: NodeLimits
    /// Faults on request, such as 429.
    package let faults = NodeFaults()
    let memory: NodeMemory
    let identity: NodeIdentity
    let catalogue = Mutex(Catalogue())
    let scrolls = Mutex(Scrolls())
    private let made = Atomic<UInt64>(0)

    package init(
        _ persona: ServerPersona, limits: NodeLimits = NodeLimits(), clock: NodeClock = NodeClock(),
        clusterName: String? = nil
    ) {
        self.persona = persona
        self.limits = limits
        self.clock = clock
        memory = NodeMemory(limit: limits.documentBytes)
        identity = NodeIdentity(clusterName: clusterName ?? persona.name)
    }

    /// Bytes of all documents and their index entries.
    package var documentBytes: Int { memory.used }

    /// A name that is unique in this process, for ids of documents, indices and scrolls.
    func newIdentifier() -> String {
        NodeIdentity.random(made.wrappingAdd(1, ordering: .relaxed).newValue)
    }

    /// Answers one request.
    package func respond(_ request: HTTPRequest) -> HTTPResponse {
        var call = NodeCall(request, persona: persona)
        let started = clock.now
        do throws(NodeError) {
            guard request.body.count <= limits.bodyBytes else { return HTTPResponse(status: 413, body: .bytes([])) }
            if let refused = refusedContentType(request) { return refused }
            try faults.check(call, persona: persona)
            return finish(try route(&call, started: started), call)
        } catch {
            return finish(.json(error.body(persona), status: error.status), call, isError: true)
        }
    }

    /// Since 6.0 a request with a body must declare it as JSON.
    private func refusedContentType(_ request: HTTPRequest) -> HTTPResponse? {
        guard persona.since(6), !request.body.isEmpty,
            let given = request.headers.first(where: { $0.name.lowercased() == "content-type" })?.value
        else { return nil }
        let type = given.prefix { $0 != ";" }.lowercased()
        let known = type.hasPrefix("application/") && type.contains("json") || type == "text/plain" && !persona.since(8)
        guard !known || type == "text/plain" else { return nil }
        let error: JSONValue = ["error": .string("Content-Type header [\(given)] is not supported"), "status": 406]
        return HTTPResponse(status: 406, contentType: jsonType, text: error.text())
    }

    private var jsonType: String { persona.since(8) ? "application/json" : "application/json; charset=UTF-8" }

    /// Errors are complete: `filter_path` does not apply to them.
    private func finish(_ answer: NodeAnswer, _ call: NodeCall, isError: Bool = false) -> HTTPResponse {
        let status = answer.status
        let headers = [("Content-Type", answer.isText ? "text/plain; charset=UTF-8" : jsonType)]
        if call.method == "HEAD" { return HTTPResponse(status: status, headers: headers, body: .bytes([])) }
        switch answer.body {
        case .bytes(let bytes): return HTTPResponse(status: status, headers: headers, body: .bytes(bytes))
        case .json(let value):
            let isPretty = call.isYes("pretty")
            let shown = isError ? value : call.filter.map { $0.apply(to: value) } ?? value
            let out = ByteBuffer(capacity: 1024)
            if isPretty {
                out.append(shown.text(pretty: true) + "\n")
            } else {
                shown.write(into: out)
            }
            return HTTPResponse(status: status, headers: headers, body: .bytes(Array(out.bytes)))
        }
    }
}

/// The answer of a call.
struct NodeAnswer {
    enum Body {
        case json(JSONValue)
        /// A finished answer that is already filtered.
        case bytes([UInt8])
    }

    var status: Int
    var body: Body
    var isText = false

    static func json(_ value: JSONValue, status: Int = 200) -> NodeAnswer {
        NodeAnswer(status: status, body: .json(value))
    }

    static func text(_ text: String, status: Int = 200) -> NodeAnswer {
        NodeAnswer(status: status, body: .bytes(Array(text.utf8)), isText: true)
    }

    static let acknowledged = NodeAnswer.json(["acknowledged": true])
}

/// A request in the form that calls need.
struct NodeCall {
    let method: String
    /// The decoded parts of the path.
    let path: [String]
    let wholePath: String
    let request: HTTPRequest
    let filter: FilterPath?

    init(_ request: HTTPRequest, persona: ServerPersona) {
        self.request = request
        method = request.method
        wholePath = request.path
        path = request.path.split(separator: "/", omittingEmptySubsequences: true).map { NodeCall.decoded(String($0)) }
        filter = FilterPath(request.parameter("filter_path"))
    }

    func parameter(_ name: String) -> String? { request.parameter(name) }

    /// Whether a boolean parameter is true. A parameter without a value is true.
    func isYes(_ name: String) -> Bool {
        guard let value = request.parameter(name) else { return false }
        return value != "false" && value != "0" && value != "no" && value != "off"
    }

    /// A whole-number parameter; nil when it is missing. Throws when it is not a whole number or is too large.
    func whole<Number: FixedWidthInteger>(
        _ name: String, _ persona: ServerPersona, as kind: Number.Type = Int64.self
    ) throws(NodeError) -> Number? {
        guard let text = request.parameter(name) else { return nil }
        if let number = Number(text) { return number }
        let word = Number.bitWidth == 32 ? "int" : "long"
        var refused = persona.illegal("Failed to parse \(word) parameter [\(name)] with value [\(text)]")
        refused.causes = [NodeError.Cause(type: "number_format_exception", reason: "For input string: \"\(text)\"")]
        throw refused
    }

    var hasBody: Bool { !request.body.isEmpty }

    /// The body as JSON; an empty object when there is no body.
    func json(_ persona: ServerPersona) throws(NodeError) -> JSONValue {
        guard hasBody else { return .object(JSONObject()) }
        let result = request.body.withUnsafeBufferPointer { bytes -> Result<JSONValue, JSONError> in
            do throws(JSONError) { return .success(try JSONValue(parsing: bytes)) } catch { return .failure(error) }
        }
        do throws(JSONError) {
            return try result.get()
        } catch {
            throw persona.unreadable(error)
        }
    }

    private static func decoded(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "%")) else { return text }
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
