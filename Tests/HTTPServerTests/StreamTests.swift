import Glibc
import HTTPServer
import SocketClient
import Synchronization
import Testing

/// Waits up to 20 s for a condition.
func eventually(_ isSo: () -> Bool) -> Bool {
    for _ in 0..<4000 {
        if isSo() { return true }
        usleep(5000)
    }
    return false
}

@Suite struct StreamTests {
    /// A server that answers every request with a stream, and these streams.
    private final class Streaming: Sendable {
        private let opened = Mutex<[HTTPStream]>([])

        func server(limit: Int = 1 << 20, threads: Int = 2) throws -> HTTPServer {
            try HTTPServer(address: "127.0.0.1:0", threads: threads, maximumBody: 0) { _ in
                let stream = HTTPStream(limit: limit)
                self.opened.withLock { $0.append(stream) }
                return HTTPResponse(headers: [("Content-Type", "text/event-stream")], body: .stream(stream))
            }
        }

        var streams: [HTTPStream] { opened.withLock { $0 } }
    }

    /// A client that has read the head of its response.
    private func reader(_ server: HTTPServer, receiveBuffer: Int32? = nil) throws -> SocketClient {
        let client = try SocketClient(port: server.port, receiveBuffer: receiveBuffer)
        try client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.head().header("Content-Type") == "text/event-stream")
        return client
    }

    @Test func whatIsWrittenComesAtOnceAndThenTheEnd() throws {
        let streaming = Streaming()
        let server = try streaming.server()
        defer { server.stop() }
        let client = try reader(server)
        for number in 0..<20 {
            #expect(streaming.streams[0].write(Array("event \(number)".utf8)))
            #expect(try client.chunk() == Array("event \(number)".utf8))
        }
        streaming.streams[0].finish()
        #expect(try client.chunk() == nil)
        #expect(!streaming.streams[0].write([1]))
        // The client keeps the connection. Its next request gets its own stream.
        try client.send("GET /events HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.head().status == 200)
        #expect(streaming.streams[1].write([7]))
        #expect(try client.chunk() == [7])
    }

    @Test func manyReadersOfOneThread() throws {
        let streaming = Streaming()
        let server = try streaming.server(threads: 1)
        defer { server.stop() }
        let clients = try (0..<20).map { _ in try reader(server) }
        for round in 0..<10 {
            for stream in streaming.streams { #expect(stream.write([UInt8(round)])) }
            for client in clients { #expect(try client.chunk() == [UInt8(round)]) }
        }
    }

    @Test func muchComesWhole() throws {
        let streaming = Streaming()
        let server = try streaming.server(limit: 8 << 20)
        defer { server.stop() }
        let client = try reader(server)
        let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 17) }
        #expect(streaming.streams[0].write(bytes))
        streaming.streams[0].finish()
        var read: [UInt8] = []
        while let chunk = try client.chunk() { read += chunk }
        #expect(read == bytes)
    }

    @Test func aClientThatWentAwayIsNoticedWhenItIsWrittenTo() throws {
        let streaming = Streaming()
        let server = try streaming.server()
        defer { server.stop() }
        do { _ = try reader(server) }
        #expect(streaming.streams[0].isOpen)
        #expect(eventually { !streaming.streams[0].write([1]) })
    }

    @Test func aClientThatReadsTooSlowlyIsCut() throws {
        let streaming = Streaming()
        let server = try streaming.server(limit: 100_000)
        defer { server.stop() }
        let slow = try reader(server, receiveBuffer: 4096)
        let quick = try reader(server)
        // The kernel buffers some bytes first.
        var written = 0
        while streaming.streams[0].write(Array(repeating: 65, count: 10_000)) { written += 1 }
        #expect(written >= 10)
        #expect(!streaming.streams[0].isOpen)
        #expect(throws: SocketClient.Failure.self) { while try slow.chunk() != nil {} }
        #expect(streaming.streams[1].write([1]))
        #expect(try quick.chunk() == [1])
    }

    @Test func anAbandonedStreamIsCutWhileItsClientWaits() throws {
        let streaming = Streaming()
        let server = try streaming.server()
        defer { server.stop() }
        let client = try reader(server)
        streaming.streams[0].abandon()
        #expect(throws: SocketClient.Failure.self) { try client.chunk() }
    }

    @Test func stoppingEndsOpenStreamsAndDoesNotWaitForSlowOnes() throws {
        let streaming = Streaming()
        let server = try streaming.server(limit: 16 << 20)
        let waiting = try reader(server)
        let slow = try reader(server, receiveBuffer: 4096)
        #expect(streaming.streams[1].write(Array(repeating: 65, count: 8 << 20)))
        #expect(streaming.streams[0].write([9]))
        let clock = ContinuousClock()
        let time = clock.measure { server.stop() }
        #expect(time < .seconds(10))
        #expect(try waiting.chunk() == [9])
        #expect(try waiting.chunk() == nil)
        #expect(throws: SocketClient.Failure.self) { while try slow.chunk() != nil {} }
        #expect(streaming.streams.allSatisfy { !$0.write([1]) })
    }

    @Test func aStreamForHeadIsNeverRead() throws {
        let streaming = Streaming()
        let server = try streaming.server()
        defer { server.stop() }
        let client = try SocketClient(port: server.port)
        #expect(try client.get("/events", method: "HEAD").status == 200)
        #expect(eventually { !streaming.streams[0].write([1]) })
    }

    @Test func writersAndStopAtOnce() async throws {
        for _ in 0..<5 {
            let streaming = Streaming()
            let server = try streaming.server(limit: 10_000)
            let clients = try (0..<4).map { _ in try reader(server) }
            await withTaskGroup(of: Void.self) { group in
                for stream in streaming.streams {
                    group.addTask { while stream.write([1, 2, 3]) {} }
                }
                group.addTask { server.stop() }
            }
            #expect(streaming.streams.allSatisfy { !$0.isOpen })
            withExtendedLifetime(clients) {}
        }
    }
}
