import Foundation
import JSONText
import SearchCluster
import Synchronization
import Telemetry
import Testing

@Suite(.enabled(if: FakeServer.python != nil, "no python3")) struct TransportTests {
    private func thrown(_ work: () throws -> Void) -> ClusterError? {
        do { try work() } catch { return error as? ClusterError }
        return nil
    }

    private func log(_ transport: HTTPTransport) throws -> JSONValue {
        let body = try transport.perform(HTTPRequest(.get, "/_log")).body
        return try withExtendedLifetime(body) { try JSONValue(parsing: body.bytes) }
    }

    @Test func connectionsAreKeptAndHeadersAreAsTheyMustBe() throws {
        let server = try FakeServer()
        defer { server.stop() }
        let transport = try HTTPTransport(server.endpoint())
        for _ in 0..<10 { #expect(try transport.perform(HTTPRequest(.get, "/")).status == 200) }
        let body = ByteBuffer(capacity: 3 << 20)
        while body.count < 2 << 20 { body.append("0123456789abcdef") }
        let answer = try transport.perform(
            HTTPRequest(.post, "/echo", body: .buffer(body), contentType: .ndjson))
        #expect(answer.status == 200)
        #expect(answer.body.count == body.count && memcmp(answer.body.base, body.base, body.count) == 0)
        _ = try transport.perform(HTTPRequest(.put, "/put", body: .buffer(body)))
        _ = try transport.perform(HTTPRequest(.put, "/put-nothing"))
        _ = try transport.perform(HTTPRequest(.post, "/post-nothing"))
        _ = try transport.perform(HTTPRequest(.delete, "/delete"))
        let small = ByteBuffer()
        small.append("{}")
        _ = try transport.perform(HTTPRequest(.delete, "/delete-with", body: .buffer(small)))
        #expect(try transport.perform(HTTPRequest(.head, "/head")).status == 404)
        #expect(try transport.perform(HTTPRequest(.get, "/")).status == 200)
        let seen = try log(transport)
        #expect(seen["connections"]?.int == 1)
        let requests = seen["requests"]?.array ?? []
        #expect(requests.allSatisfy { $0["expect"] == .null })
        let methods = requests.suffix(8).map { "\($0["method"]?.string ?? "") \($0["length"]?.int ?? -1)" }
        #expect(
            methods == [
                "POST \(body.count)", "PUT \(body.count)", "PUT 0", "POST 0", "DELETE 0", "DELETE 2", "HEAD 0", "GET 0",
            ])
        #expect(requests.suffix(8).first?["type"]?.string == "application/x-ndjson")
        #expect(requests.suffix(8).first?["encoding"] == .null)
    }

    @Test func manyRequestsAtOnceAllAnswer() throws {
        let server = try FakeServer()
        defer { server.stop() }
        let transport = try HTTPTransport(server.endpoint())
        let group = DispatchGroup()
        let good = Atomic<Int>(0)
        for number in 0..<200 {
            let body = ByteBuffer()
            body.append("{\"n\":\(number)}")
            group.enter()
            transport.submit(HTTPRequest(.post, "/echo", body: .buffer(body))) { result in
                if case .success(let answer) = result, answer.body.bytes.elementsEqual(body.bytes) {
                    good.add(1, ordering: .relaxed)
                    transport.recycle(answer.body)
                }
                group.leave()
            }
        }
        group.wait()
        #expect(good.load(ordering: .relaxed) == 200)
    }

    @Test func aCompletionMaySubmit() throws {
        let server = try FakeServer()
        defer { server.stop() }
        let transport = try HTTPTransport(server.endpoint())
        let done = DispatchSemaphore(value: 0)
        let status = Mutex(0)
        transport.submit(HTTPRequest(.get, "/")) { _ in
            transport.submit(HTTPRequest(.get, "/status?s=429")) { result in
                status.withLock { $0 = (try? result.get().status) ?? -1 }
                done.signal()
            }
        }
        done.wait()
        #expect(status.withLock { $0 } == 429)
    }

    @Test func failuresAreNamed() throws {
        let server = try FakeServer()
        defer { server.stop() }
        var limits = HTTPTransport.Limits()
        limits.answerBytes = 1 << 20
        let transport = try HTTPTransport(server.endpoint(), limits: limits)
        #expect(thrown { _ = try transport.perform(HTTPRequest(.get, "/big")) }?.code == .tooLarge)
        let slow = thrown { _ = try transport.perform(HTTPRequest(.get, "/slow", timeoutSeconds: 2)) }
        #expect(slow?.code == .timedOut)
        #expect(slow?.retriable == true)
        #expect(slow?.neverConnected == false)
        #expect(thrown { _ = try transport.perform(HTTPRequest(.post, "/cut")) }?.code == .unreachable)
        #expect(thrown { _ = try transport.perform(HTTPRequest(.post, "/drop")) }?.code == .unreachable)
        server.stop()
        let gone = try HTTPTransport(server.endpoint())
        let error = thrown { _ = try gone.perform(HTTPRequest(.get, "/")) }
        #expect(error?.code == .unreachable)
        #expect(error?.neverConnected == true)
        #expect(error?.message.contains(server.url) == true)
        for url in ["ftp://host", "host:9200", "http://h\n:1", "http://h/?a=1"] {
            #expect(thrown { _ = try HTTPTransport(ClusterEndpoint(urls: [url])) }?.code == .configuration)
        }
        #expect(thrown { _ = try HTTPTransport(ClusterEndpoint(urls: [])) }?.code == .configuration)
        #expect(
            thrown { _ = try HTTPTransport(ClusterEndpoint(urls: ["http://h"], caFile: "/no/such/file")) }?.code
                == .configuration)
    }

    /// A proxy may answer with the request's own headers: an error that quotes it shows no credentials.
    @Test(arguments: [
        (
            ClusterEndpoint.Auth.basic(user: "elastic", password: Secret("hunter2-hunter2")),
            "ZWxhc3RpYzpodW50ZXIyLWh1bnRlcjI="
        ),
        (.apiKey(Secret("an-id:a-secret-key")), "YW4taWQ6YS1zZWNyZXQta2V5"),
        (.apiKey(Secret("YW4taWQ6YS1zZWNyZXQta2V5")), "YW4taWQ6YS1zZWNyZXQta2V5"),
    ])
    func anEchoedAuthorizationIsNotQuoted(_ auth: ClusterEndpoint.Auth, _ echoed: String) throws {
        let server = try FakeServer()
        defer { server.stop() }
        let transport = try HTTPTransport(server.endpoint(auth))
        let answer = try transport.perform(HTTPRequest(.get, "/tell-headers"))
        // The server did tell it.
        #expect(String(repairing: answer.body.bytes).contains(echoed))
        let error = try #require(ClusterError(answer: answer, from: transport, doing: "asking"))
        #expect(!error.description.contains(echoed), "\(error)")
        #expect(error.underlying?.contains(Redactor.mark) == true, "\(error)")
        #expect(error.underlying?.contains("bad gateway") == true, "\(error)")
    }

    @Test func aDeadNodeIsPassedOver() throws {
        let server = try FakeServer()
        defer { server.stop() }
        let dead = try FakeServer()
        defer { dead.stop() }
        dead.stop()
        let transport = try HTTPTransport(ClusterEndpoint(urls: [dead.url, server.url]))
        for _ in 0..<4 { #expect(try transport.perform(HTTPRequest(.get, "/")).node == 1) }
        // What may not be done twice fails instead, once, and then the dead node is left out.
        let second = try HTTPTransport(ClusterEndpoint(urls: [dead.url, server.url]))
        #expect(thrown { _ = try second.perform(HTTPRequest(.post, "/echo")) }?.neverConnected == true)
        var failures = 0
        for _ in 0..<4 {
            // It is asked again after a second, which may be over.
            do { #expect(try second.perform(HTTPRequest(.post, "/echo")).node == 1) } catch { failures += 1 }
        }
        #expect(failures <= 1)
    }

    @Test func aNodeThatHangsIsPassedOver() throws {
        let server = try FakeServer()
        defer { server.stop() }
        let hung = try FakeServer()
        defer { hung.stop() }
        hung.hang()
        let urls = ClusterEndpoint(urls: [hung.url, server.url])
        let transport = try HTTPTransport(urls)
        #expect(try transport.perform(HTTPRequest(.get, "/", timeoutSeconds: 1)).node == 1)
        // What may have been done is not done again elsewhere.
        let second = try HTTPTransport(urls)
        let error = thrown { _ = try second.perform(HTTPRequest(.post, "/echo", timeoutSeconds: 1)) }
        #expect(error?.code == .timedOut)
        #expect(try second.perform(HTTPRequest(.post, "/echo", timeoutSeconds: 30)).node == 1)
    }

    /// A limit of one user of the connections is none for the others, and its end does not close them.
    @Test func aLimitIsOnlyForWhoAsked() throws {
        let server = try FakeServer()
        defer { server.stop() }
        let transport = try HTTPTransport(server.endpoint())
        let begun = DispatchTime.now().uptimeNanoseconds
        do {
            let limited = transport.answering(withinSeconds: 30).answering(withinSeconds: 0.2)
            #expect(thrown { _ = try limited.perform(HTTPRequest(.get, "/slow")) }?.code == .timedOut)
        }
        // The server answers after 30 s.
        #expect(DispatchTime.now().uptimeNanoseconds - begun < 5_000_000_000)
        _ = try log(transport)
    }

    @Test func closingFailsWhatIsUnderWay() throws {
        let server = try FakeServer()
        defer { server.stop() }
        let transport = try HTTPTransport(server.endpoint())
        let done = DispatchSemaphore(value: 0)
        let code = Mutex<ClusterError.Code?>(nil)
        transport.submit(HTTPRequest(.get, "/slow")) { result in
            if case .failure(let error) = result { code.withLock { $0 = error.code } }
            done.signal()
        }
        Thread.sleep(forTimeInterval: 0.1)
        transport.close()
        done.wait()
        #expect(code.withLock { $0 } == .closed)
        #expect(thrown { _ = try transport.perform(HTTPRequest(.get, "/")) }?.code == .closed)
        transport.close()
    }

    @Test func credentialsAreSentAndNeverShown() throws {
        let basic = try FakeServer("auth=Basic dXNlcjpzZWNyZXQhcHc=")
        defer { basic.stop() }
        let good = ClusterEndpoint.Auth.basic(user: "user", password: Secret("secret!pw"))
        #expect(try Cluster.connect(basic.endpoint(good)).server.version == ServerVersion(8, 17, 0))
        let wrong = thrown {
            _ = try Cluster.connect(basic.endpoint(.basic(user: "user", password: Secret("wr0ng"))))
        }
        #expect(wrong?.code == .unauthorized)
        #expect(wrong?.serverType == "security_exception")
        #expect("\(wrong.debugDescription)".contains("wr0ng") == false)
        #expect(thrown { _ = try Cluster.connect(basic.endpoint()) }?.code == .unauthorized)
        let key = try FakeServer("auth=ApiKey aWQ6a2V5")
        defer { key.stop() }
        for text in ["id:key", "aWQ6a2V5"] { _ = try Cluster.connect(key.endpoint(.apiKey(Secret(text)))) }
        let bad = thrown { _ = try Cluster.connect(key.endpoint(.apiKey(Secret("b4dkey")))) }
        #expect(bad?.code == .unauthorized)
        #expect("\(bad.debugDescription)".contains("b4dkey") == false)
        let broken = thrown { _ = try HTTPTransport(key.endpoint(.apiKey(Secret("two\nlines")))) }
        #expect(broken?.code == .configuration)
        #expect("\(broken.debugDescription)".contains("two") == false)
    }

    @Test func certificatesAreChecked() throws {
        guard let directory = try makeCertificate(), let other = try makeCertificate() else { return }
        defer {
            try? FileManager.default.removeItem(atPath: directory)
            try? FileManager.default.removeItem(atPath: other)
        }
        let server = try FakeServer("tls=\(directory)")
        defer { server.stop() }
        #expect(try Cluster.connect(server.endpoint(caFile: directory + "/cert.pem")).identity.contains("u8"))
        #expect(try Cluster.connect(server.endpoint(verify: false)).identity.contains("u8"))
        let unknown = thrown { _ = try Cluster.connect(server.endpoint()) }
        #expect(unknown?.code == .tls)
        #expect(unknown?.retriable == false)
        #expect(thrown { _ = try Cluster.connect(server.endpoint(caFile: other + "/cert.pem")) }?.code == .tls)
        // The right authority, the wrong name.
        let byNumber = ClusterEndpoint(urls: ["https://127.0.0.1:\(server.port)"], caFile: directory + "/cert.pem")
        #expect(thrown { _ = try Cluster.connect(byNumber) }?.code == .tls)
    }

    /// Mutual TLS.
    @Test(arguments: [nil, "p\u{e4}ss"]) func aServerThatAsksForACertificateGetsIt(password: String?) throws {
        guard let directory = try makeCertificate(), let mine = try makeCertificate(password: password) else { return }
        defer { for folder in [directory, mine] { try? FileManager.default.removeItem(atPath: folder) } }
        let server = try FakeServer("tls=\(directory)", "clients=\(mine)")
        defer { server.stop() }
        func connect(_ file: String?, _ key: String?, _ password: String?) throws -> Cluster {
            var endpoint = server.endpoint(caFile: directory + "/cert.pem")
            if let file, let key {
                endpoint.certificate = ClusterEndpoint.Certificate(
                    file: file + "/cert.pem", key: key + "/key.pem", keyPassword: password.map { Secret($0) })
            }
            return try Cluster.connect(endpoint)
        }
        #expect(try connect(mine, mine, password).identity.contains("u8"))
        // The server of this test may break the connection before its reason was read.
        let none = thrown { _ = try connect(nil, nil, nil) }
        #expect(none?.message.contains("client_certificate") == true, "\(none as Any)")
        let foreign = thrown { _ = try connect(directory, directory, nil) }
        #expect(foreign?.message.contains("client_certificate") == true, "\(foreign as Any)")
        for (file, key, word) in [(mine, directory, password), (directory, mine, "wrong")] {
            let mixed = thrown { _ = try connect(file, key, word) }
            #expect(mixed?.code == .tls && mixed?.message.contains("belong together") == true, "\(mixed as Any)")
        }
        let absent = thrown { _ = try connect("/nowhere", mine, nil) }
        #expect(absent?.code == .configuration && absent?.message.contains("/nowhere/cert.pem") == true)
    }

    @Test func anyServerThatIsNotSupportedIsRefused() throws {
        let compatible = try FakeServer("pose=os-as-7")
        defer { compatible.stop() }
        let posing = try Cluster.connect(compatible.endpoint())
        #expect(posing.server.product == .opensearch)
        #expect(posing.server.version == ServerVersion(2, 11, 1))
        for pose in ["old", "new", "other"] {
            let server = try FakeServer("pose=\(pose)")
            defer { server.stop() }
            let error = thrown { _ = try Cluster.connect(server.endpoint()) }
            #expect(error?.code == .unsupported)
            #expect(error?.node?.contains("localhost") == true)
        }
    }
}
