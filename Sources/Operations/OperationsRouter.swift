import HTTPServer
import JSONText
import Migration
import Synchronization

/// Answers the requests of the operations endpoint. It knows no socket.
///
/// One status is made for all clients together, and only while a client is connected.
final class OperationsRouter: Sendable {
    /// The most event streams at once. Further ones are refused.
    static let mostStreams = 64
    /// Milliseconds. A main loop that is silent for longer counts as hanging. This is longer than anything that the
    /// loop itself waits for.
    static let longestSilence: Int64 = 120_000
    /// Milliseconds. A status is reused for this long.
    static let freshness: Int64 = 250

    private struct State {
        var history = History()
        var streams: [HTTPStream] = []
        var status: (text: String, made: Int64)?
        var isEnded = false
    }

    private let state = Mutex(State())
    private let source: any LiveStatusSource
    private let page: [UInt8]
    private let clock: @Sendable () -> Int64

    /// `page`: the HTML of the dashboard. `clock`: milliseconds of a clock that never goes back.
    init(_ source: any LiveStatusSource, page: [UInt8], clock: @escaping @Sendable () -> Int64) {
        (self.source, self.page, self.clock) = (source, page, clock)
    }

    // MARK: What happens once a second

    /// Takes a point of the history and sends the status to the open event streams.
    func tick(wall: Int64) {
        let counters = source.counters()
        let streams = state.withLock { state in
            state.history.take(counters, wall: wall, monotonic: clock())
            return state.streams
        }
        guard !streams.isEmpty else { return }
        tell(ServerSentEvent(name: "status", data: makeStatus()).bytes, streams)
    }

    /// Sends the last status and ends all streams. Streams that are opened later are refused.
    func end() {
        let streams = state.withLock { state in
            state.isEnded = true
            return state.streams
        }
        guard !streams.isEmpty else { return }
        let last = ServerSentEvent(name: "status", data: makeStatus()).bytes
        tell(last + ServerSentEvent(name: "end", data: "{}").bytes, streams)
        for stream in streams { stream.finish() }
    }

    private func tell(_ bytes: [UInt8], _ streams: [HTTPStream]) {
        let gone = Set(streams.filter { !$0.write(bytes) }.map(ObjectIdentifier.init))
        guard !gone.isEmpty else { return }
        state.withLock { $0.streams.removeAll { gone.contains(ObjectIdentifier($0)) } }
    }

    private func makeStatus() -> String {
        let rate = state.withLock { $0.history.rate }
        let text = source.status(rate: rate).text()
        let now = clock()
        state.withLock { $0.status = (text, now) }
        return text
    }

    private func status() -> String {
        let made = state.withLock { $0.status }
        if let made, clock() - made.made < Self.freshness { return made.text }
        return makeStatus()
    }

    // MARK: Requests

    func answer(_ request: HTTPRequest, _ hosts: HostRule) -> HTTPResponse {
        var response = route(request, hosts)
        response.headers += [
            ("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin"),
            ("Referrer-Policy", "no-referrer"), ("Cache-Control", "no-store"),
        ]
        if request.path != "/" {
            response.headers.append(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))
        }
        return response
    }

    private func route(_ request: HTTPRequest, _ hosts: HostRule) -> HTTPResponse {
        guard hosts.allows(request.header("Host")) else {
            return .plain(
                421, "This answers on the loopback address only, to localhost, 127.0.0.1 and [::1]: not to this host.")
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            var refusal = HTTPResponse.plain(405, "Only GET and HEAD: nothing can be changed here.")
            refusal.headers.append(("Allow", "GET, HEAD"))
            return refusal
        }
        switch request.path {
        case "/":
            return HTTPResponse(
                headers: [
                    ("Content-Type", Dashboard.contentType),
                    ("Content-Security-Policy", Dashboard.contentSecurityPolicy),
                ], body: .bytes(page))
        case "/metrics":
            return HTTPResponse(contentType: "text/plain; version=0.0.4; charset=utf-8", text: source.metrics())
        case "/livez": return livez()
        case "/readyz": return readyz()
        case "/statusz": return .json(status())
        case "/history": return .json(state.withLock { $0.history }.json.text())
        case "/events": return events(request)
        default:
            return .plain(
                404, "There is no \(request.path) here, only / /metrics /livez /readyz /statusz /history /events.")
        }
    }

    private func livez() -> HTTPResponse {
        let age = source.heartbeatAge
        guard age > Self.longestSilence else { return .plain(200, "alive") }
        return .plain(503, "The loop that moves the work has not gone round for \(age / 1000) s.")
    }

    private func readyz() -> HTTPResponse {
        let reasons = source.unreadiness()
        return reasons.isEmpty
            ? .plain(200, "ready") : .plain(503, "not ready:\n" + reasons.map { "- \($0)" }.joined(separator: "\n"))
    }

    private func events(_ request: HTTPRequest) -> HTTPResponse {
        // X-Accel-Buffering: nginx would otherwise collect the stream and pass nothing on for minutes.
        let type = [("Content-Type", "text/event-stream; charset=utf-8"), ("X-Accel-Buffering", "no")]
        guard request.method == "GET" else { return HTTPResponse(headers: type, body: .bytes([])) }
        let stream = HTTPStream()
        // A browser whose stream was cut reconnects after this many milliseconds.
        stream.write(Array("retry: 2000\n\n".utf8) + ServerSentEvent(name: "status", data: status()).bytes)
        let isTaken = state.withLock { state in
            if state.isEnded { return false }
            state.streams.removeAll { !$0.isOpen }
            guard state.streams.count < Self.mostStreams else { return false }
            state.streams.append(stream)
            return true
        }
        guard isTaken else {
            var refusal = HTTPResponse.plain(
                503, "No more than \(Self.mostStreams) event streams at once (fixed limit event_streams).")
            refusal.headers.append(("Retry-After", "10"))
            return refusal
        }
        return HTTPResponse(headers: type, body: .stream(stream))
    }
}

extension HTTPResponse {
    static func plain(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", text: text + "\n")
    }

    static func json(_ text: String) -> HTTPResponse {
        HTTPResponse(contentType: "application/json", text: text + "\n")
    }
}
