import HTTPServer
import JSONText
import Testing
@testable import Operations

@Suite struct RouterTests {
    let source = FakeSource()
    let clock = FakeClock()
    let router: OperationsRouter

    init() {
        let clock = clock
        router = OperationsRouter(source, page: Array("<!doctype html>".utf8), clock: { clock.now })
    }

    private func ask(
        _ path: String, method: String = "GET", host: String? = "localhost:9464", listening: String = "127.0.0.1:9464"
    ) -> HTTPResponse {
        router.answer(
            HTTPRequest(method: method, path: path, headers: host.map { [("host", $0)] } ?? []),
            HostRule(listening: listening))
    }

    private func text(_ response: HTTPResponse) -> String {
        guard case .bytes(let bytes) = response.body else { return "a stream" }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("localhost", true), ("LOCALHOST:1", true), ("127.0.0.1:9464", true), ("127.8.9.1", true), ("[::1]:9464", true),
        ("[::1]", true), ("evil.example", false), ("evil.example:9464", false), ("127.0.0.1.evil.example", false),
        ("localhost.evil.example", false), ("127.0.0.256", false), ("127.0.0.1@evil.example", false),
        ("[::1].evil.example", false),
    ])
    func namesThatAreAnsweredOnTheLoopbackAddress(host: String, allowed: Bool) {
        for address in ["127.0.0.1:9464", "localhost:0", "[::1]:9464"] {
            #expect(HostRule(listening: address).allows(host) == allowed, "\(host) at \(address)")
        }
        #expect(HostRule(listening: "0.0.0.0:9464").allows(host))
        #expect(HostRule(listening: "192.0.2.1:9464").allows(host))
    }

    @Test func anotherHostIsMisdirected() {
        for path in ["/", "/statusz", "/metrics", "/events", "/nonsense"] {
            #expect(ask(path, host: "evil.example").status == 421)
        }
        #expect(ask("/statusz", host: nil).status == 200)
        #expect(ask("/statusz", host: "evil.example", listening: "0.0.0.0:1").status == 200)
        #expect(source.statuses == 1)
    }

    @Test(arguments: ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) func onlyReading(method: String) {
        let answer = ask("/statusz", method: method)
        #expect(answer.status == 405)
        #expect(answer.headers.contains { $0 == ("Allow", "GET, HEAD") })
    }

    @Test(arguments: ["/", "/metrics", "/livez", "/readyz", "/statusz", "/history", "/events", "/nonsense"])
    func everyAnswerIsSafeInABrowser(path: String) {
        let headers = ask(path).headers
        func values(_ name: String) -> [String] { headers.filter { $0.name == name }.map(\.value) }
        #expect(values("X-Content-Type-Options") == ["nosniff"])
        #expect(values("Content-Security-Policy").count == 1)
        #expect(values("Content-Security-Policy").first?.hasPrefix("default-src 'none'") == true)
        #expect(!headers.contains { $0.name.lowercased().hasPrefix("access-control") })
    }

    @Test func alive() {
        #expect(ask("/livez").status == 200)
        source.change { $0.heartbeatAge = 121_000 }
        let answer = ask("/livez")
        #expect(answer.status == 503)
        #expect(text(answer).contains("121 s"))
    }

    @Test func ready() {
        #expect(text(ask("/readyz")) == "ready\n")
        source.change { $0.unreadiness = ["no partition is assigned", "the lag is unknown"] }
        let answer = ask("/readyz")
        #expect(answer.status == 503)
        #expect(text(answer) == "not ready:\n- no partition is assigned\n- the lag is unknown\n")
    }

    @Test func theStatusIsMadeOnceForAllWhoAskAtOnce() {
        for _ in 0..<10 { #expect(ask("/statusz").status == 200) }
        #expect(source.statuses == 1)
        clock.advance(OperationsRouter.freshness)
        #expect(text(ask("/statusz")).contains("\"made\":2"))
    }

    @Test func nothingIsMadeWhileNobodyLooks() {
        for second in 0..<10 {
            clock.advance(1000)
            router.tick(wall: Int64(second))
        }
        #expect(source.statuses == 0)
        let response = ask("/events")
        #expect(source.statuses == 1)
        for second in 0..<10 {
            clock.advance(1000)
            router.tick(wall: Int64(second))
        }
        #expect(source.statuses == 11)
        guard case .stream(let stream) = response.body else {
            Issue.record("no stream")
            return
        }
        stream.abandon()
        clock.advance(1000)
        router.tick(wall: 0)
        router.tick(wall: 0)
        #expect(source.statuses == 12)
    }

    @Test func streamsAreBounded() {
        var streams: [HTTPStream] = []
        for _ in 0..<OperationsRouter.mostStreams {
            guard case .stream(let stream) = ask("/events").body else {
                Issue.record("refused")
                return
            }
            streams.append(stream)
        }
        #expect(ask("/events").status == 503)
        #expect(ask("/events", method: "HEAD").status == 200)
        streams[5].abandon()
        #expect(ask("/events").status == 200)
        router.end()
        #expect(ask("/events").status == 503)
        #expect(streams.allSatisfy { !$0.isOpen })
    }

    @Test func history() throws {
        router.tick(wall: 1)
        clock.advance(1000)
        source.change { $0.counters.records = 40 }
        router.tick(wall: 1001)
        let history = try JSONValue(parsing: text(ask("/history")))
        #expect(history["points"]?.array?.count == 1)
        #expect(history["points"]?[0]?["rate"]?.double == 40)
        #expect(text(ask("/statusz")).contains("\"rate\":40.0"))
    }
}
