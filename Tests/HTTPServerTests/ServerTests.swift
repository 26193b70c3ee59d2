import Glibc
import HTTPServer
import SocketClient
import Synchronization
import Testing

@Suite struct ServerTests {
    /// Answers with a description of the request.
    static func echo(address: String = "127.0.0.1:0", threads: Int = 2, maximumBody: Int = 4 << 20) throws -> HTTPServer
    {
        try HTTPServer(address: address, threads: threads, maximumBody: maximumBody) { request in
            let query = request.query.map { "\($0.name)=\($0.value ?? "-")" }.joined(separator: ";")
            let text = "\(request.method) \(request.path) [\(query)] \(request.header("x-one") ?? "-") "
            return HTTPResponse(
                status: 201, headers: [("X-Seen", "yes")], body: .bytes(Array(text.utf8) + request.body))
        }
    }

    @Test func aRequestIsHandedOverAsItCame() throws {
        let server = try Self.echo()
        defer { server.stop() }
        #expect(server.url == "http://127.0.0.1:\(server.port)")
        let client = try SocketClient(port: server.port)
        try client.send(
            "PUT /a%2Fb/_doc?q=x%3D1+2&pretty&e=%C3%A9&bad=%4 HTTP/1.1\r\nHost: a\r\nX-ONE: 1\r\nContent-Length: "
                + "2\r\n\r\nhi"
        )
        let answer = try client.answer()
        #expect(answer.status == 201)
        #expect(answer.header("x-seen") == "yes")
        #expect(answer.text == "PUT /a%2Fb/_doc [q=x=1 2;pretty=-;e=é;bad=%4] 1 hi")
    }

    @Test func aConnectionIsKeptAndHeadHasNoBody() throws {
        let server = try Self.echo()
        defer { server.stop() }
        let client = try SocketClient(port: server.port)
        for _ in 0..<3 { #expect(try client.get("/x").text == "GET /x [] - ") }
        let head = try client.get("/x", method: "HEAD")
        #expect(head.header("Content-Length") == "\("HEAD /x [] - ".utf8.count)")
        #expect(try client.get("/y").text == "GET /y [] - ")
    }

    @Test(arguments: [1, 3]) func manyConnectionsAtOnce(threads: Int) async throws {
        let server = try Self.echo(threads: threads)
        defer { server.stop() }
        let port = server.port
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    let client = try SocketClient(port: port)
                    let body = [UInt8](repeating: UInt8(number), count: 100_000)
                    for _ in 0..<10 {
                        #expect(try client.post("/", body).body == Array("POST / [] - ".utf8) + body)
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    @Test func aLongBodyComesWhole() throws {
        let server = try Self.echo()
        defer { server.stop() }
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let client = try SocketClient(port: server.port)
        #expect(try client.post("/", body).body == Array("POST / [] - ".utf8) + body)
    }

    @Test func aBodyInChunksComesWhole() throws {
        let server = try Self.echo(maximumBody: 10)
        defer { server.stop() }
        let client = try SocketClient(port: server.port)
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        try client.send(head + "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        #expect(try client.answer().text == "POST / [] - abcde")
        try client.send(head + "8\r\nabcdefgh\r\n8\r\nabcdefgh\r\n0\r\n\r\n")
        #expect(try client.answer().status == 413)
    }

    @Test func aBodyThatIsTooLongIsRefusedAndTheConnectionGoesOn() throws {
        let server = try Self.echo(maximumBody: 1000)
        defer { server.stop() }
        let client = try SocketClient(port: server.port)
        #expect(try client.post("/", Array(repeating: 65, count: 1000)).status == 201)
        let answer = try client.post("/", Array(repeating: 65, count: 500_000))
        #expect(answer.status == 413)
        #expect(answer.text.contains("at most 1000 bytes"))
        #expect(try client.get("/x").status == 201)
    }

    @Test func ipv6() throws {
        let server = try Self.echo(address: "[::1]:0")
        defer { server.stop() }
        #expect(server.url == "http://[::1]:\(server.port)")
        #expect(try SocketClient(port: server.port, ipv6: true).get("/6").text == "GET /6 [] - ")
        #expect(throws: SocketClient.Failure.self) { try SocketClient(port: server.port) }
    }

    @Test func aTakenPortIsAnErrorOfItsOwn() throws {
        let server = try Self.echo()
        defer { server.stop() }
        let error = #expect(throws: HTTPServerError.self) { try Self.echo(address: "127.0.0.1:\(server.port)") }
        #expect(error?.code == .addressInUse)
        #expect(error?.message.contains("127.0.0.1:\(server.port)") == true)
    }

    @Test(arguments: ["9464", "127.0.0.1", "127.0.0.1:99999", ":80", "::1:80", "203.0.113.7:0", "[::1]:http", ""])
    func anAddressThatCannotBe(address: String) throws {
        let error = #expect(throws: HTTPServerError.self) { try Self.echo(address: address) }
        #expect(error?.code == .address)
    }

    @Test func stoppedItIsGoneAndItsPortIsFree() throws {
        let server = try Self.echo()
        let client = try SocketClient(port: server.port)
        #expect(try client.get("/").status == 201)
        server.stop()
        server.stop()
        #expect(try client.isClosed())
        #expect(throws: SocketClient.Failure.self) { try SocketClient(port: server.port) }
        let next = try Self.echo(address: "127.0.0.1:\(server.port)")
        #expect(try SocketClient(port: next.port).get("/").status == 201)
        next.stop()
    }

    @Test func nonsenseIsRefusedAndTheServerGoesOn() throws {
        let server = try Self.echo()
        defer { server.stop() }
        for nonsense in [
            "\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        ] {
            let client = try SocketClient(port: server.port)
            try client.send(nonsense)
            // The client closes its side after half a request. The server must not wait for the rest.
            shutdown(client.descriptor, Int32(SHUT_WR))
            _ = try? client.answer()
        }
        #expect(try SocketClient(port: server.port).get("/").status == 201)
    }
}
