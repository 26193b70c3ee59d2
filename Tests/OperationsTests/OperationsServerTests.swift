import Foundation
import HTTPServer
import JSONText
@testable import Migration
@testable import Recipe
import SocketClient
import Synchronization
import Telemetry
import Testing
@testable import Operations

@Suite struct OperationsServerTests {
    /// The data of the client's next event. Later bytes are kept.
    private final class Events {
        let client: SocketClient
        private var text: [UInt8] = []

        convenience init(_ server: OperationsServer) throws { try self.init(port: server.port) }

        init(port: Int) throws {
            client = try SocketClient(port: port)
            try client.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            let head = try client.head()
            #expect(head.status == 200)
            #expect(head.header("Content-Type") == "text/event-stream; charset=utf-8")
            #expect(head.header("X-Accel-Buffering") == "no")
        }

        /// The next event's name and data; nil at the end of the stream.
        func next() throws -> (name: String, data: JSONValue)? {
            while true {
                // An event always ends at the end of a chunk.
                while text.suffix(2) == [10, 10] || text.count < 1000, let end = text.firstRange(of: [10, 10]) {
                    let lines = text[..<end.lowerBound].split(separator: 10)
                    defer { text.removeSubrange(..<end.upperBound) }
                    guard let name = lines.first?.dropFirst(7), lines.count == 2 else { continue }
                    let data = String(decoding: lines[1].dropFirst(6), as: UTF8.self)
                    return (String(decoding: name, as: UTF8.self), try JSONValue(parsing: data))
                }
                guard let chunk = try client.chunk() else { return nil }
                text += chunk
            }
        }
    }

    private func server(_ source: FakeSource) throws -> OperationsServer {
        try OperationsServer(listen: "127.0.0.1:0", source: source)
    }

    @Test func everyEndpointAnswersAGetAndAHead() throws {
        let server = try server(FakeSource())
        defer { server.stop() }
        let client = try SocketClient(port: server.port)
        let types = [
            "/": "text/html; charset=utf-8", "/metrics": "text/plain; version=0.0.4; charset=utf-8",
            "/livez": "text/plain; charset=utf-8", "/readyz": "text/plain; charset=utf-8",
            "/statusz": "application/json", "/history": "application/json",
        ]
        for (path, type) in types {
            let answer = try client.get(path)
            #expect(answer.status == 200)
            #expect(answer.header("Content-Type") == type)
            #expect(!answer.body.isEmpty)
            #expect(try client.get(path, method: "HEAD").header("Content-Type") == type)
        }
        #expect(try client.get("/nonsense").status == 404)
        #expect(try client.get("/statusz", host: "evil.example").status == 421)
        #expect(try client.post("/statusz", [65]).status == 413)
        #expect(try client.post("/statusz", []).status == 405)
        #expect(try client.get("/").body == Dashboard.page)
    }

    @Test func eventsComeEverySecondToAllWhoLook() throws {
        let source = FakeSource()
        let server = try server(source)
        defer { server.stop() }
        let looking = try (0..<10).map { _ in try Events(server) }
        source.change { $0.counters.lag = 7 }
        for events in looking {
            var lag: Int64?
            while lag != 7 {
                let event = try #require(try events.next())
                #expect(event.name == "status")
                lag = event.data["lag"]?.int
            }
        }
        // Ten clients must not cause ten statuses per second.
        let before = source.statuses
        for events in looking { _ = try events.next() }
        #expect(source.statuses - before <= 3)
    }

    @Test func whoReadsTooSlowlyIsCutAndTheOthersAreNot() throws {
        let source = FakeSource()
        let clock = FakeClock()
        // The test advances the seconds itself, after the fast client has read the event of the second before.
        let router = OperationsRouter(source, page: [], clock: { clock.now })
        let server = try HTTPServer(address: "127.0.0.1:0", threads: 2, maximumBody: 0) { request in
            router.answer(request, HostRule(listening: "127.0.0.1:0"))
        }
        defer { server.stop() }
        let slow = try SocketClient(port: server.port, receiveBuffer: 4096)
        try slow.send("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        #expect(try slow.head().status == 200)
        let quick = try Events(port: server.port)
        #expect(try quick.next()?.name == "status")
        source.change { $0.padding = 1_000_000 }
        // The kernel buffers at most a few megabytes for the slow client.
        for second in 0..<10 {
            clock.advance(1000)
            router.tick(wall: Int64(second))
            #expect(try quick.next()?.name == "status")
        }
        #expect(throws: SocketClient.Failure.self) { while try slow.chunk() != nil {} }
    }

    @Test func theLastWordIsSaidAtTheEnd() throws {
        let source = FakeSource()
        let server = try server(source)
        let events = try Events(server)
        source.change { $0.counters.lag = 99 }
        server.stop()
        var seen: [(name: String, data: JSONValue)] = []
        while let event = try events.next() { seen.append(event) }
        #expect(seen.last?.name == "end")
        #expect(seen.dropLast().last?.data["lag"]?.int == 99)
        #expect(throws: SocketClient.Failure.self) { try SocketClient(port: server.port) }
    }

    @Test func aTakenPortIsAWarningAndAnotherPort() throws {
        let lines = Mutex<[String]>([])
        let logger = Logger(write: { line in lines.withLock { $0.append(line) } })
        let first = try server(FakeSource())
        defer { first.stop() }
        let taken = "127.0.0.1:\(first.port)"
        let second = try #require(
            try OperationsServer.start(operations(taken), source: FakeSource(), logger: logger))
        defer { second.stop() }
        #expect(second.port != first.port)
        #expect(second.url.hasPrefix("http://127.0.0.1:"))
        #expect(try SocketClient(port: second.port).get("/livez").status == 200)
        let said = lines.withLock { $0 }
        #expect(said.count == 1)
        #expect(said[0].contains(" warning ") && said[0].contains(second.url) && said[0].contains("taken=\(taken)"))
    }

    @Test func offIsOffAndAnImpossibleAddressIsAnError() throws {
        let logger = Logger(write: { _ in })
        #expect(try OperationsServer.start(operations(nil), source: FakeSource(), logger: logger) == nil)
        let error = #expect(throws: HTTPServerError.self) {
            try OperationsServer.start(operations("203.0.113.7:0"), source: FakeSource(), logger: logger)
        }
        #expect(error?.message.contains("operations.listen 203.0.113.7:0") == true)
    }

    private func operations(_ listen: String?) -> Recipe.Operations {
        Recipe.Operations(listen: listen, listenIsGiven: true, statsd: nil)
    }
}
