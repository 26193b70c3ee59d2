import CLibcurl
import Foundation
import JSONText
import Telemetry
import Testing

@testable import SearchCluster

/// Who gets our credentials, and whom we believe to be the cluster.
@Suite(.enabled(if: FakeServer.python != nil, "no python3")) struct PostureTests {
    private func requests(_ server: FakeServer) throws -> Int {
        let transport = try HTTPTransport(server.endpoint())
        defer { transport.close() }
        let answer = try transport.perform(HTTPRequest(.get, "/_log"))
        let told = try withExtendedLifetime(answer.body) { try JSONValue(parsing: answer.body.bytes) }
        return try #require(told["requests"]?.array).count
    }

    @Test(arguments: [
        ClusterEndpoint.Auth.basic(user: "u", password: Secret("secret-word")), .apiKey(Secret("id:secret-word")),
    ])
    func aRedirectIsNotFollowedAndCarriesNoCredentials(_ auth: ClusterEndpoint.Auth) throws {
        let (near, far) = (try FakeServer(), try FakeServer())
        defer {
            near.stop()
            far.stop()
        }
        let transport = try HTTPTransport(near.endpoint(auth))
        defer { transport.close() }
        for method in [HTTPRequest.Method.get, .post, .delete] {
            #expect(try transport.perform(HTTPRequest(method, "/redirect?to=\(far.url)/taken")).status == 307)
        }
        #expect(try requests(far) == 0)
    }

    /// curl would ask its own folder of authorities beside the file that it is given.
    @Test func caFileReplacesTheSystemsAuthorities() throws {
        guard let own = try makeCertificate(), let other = try makeCertificate() else { return }
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("ca-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { for path in [own, other, folder] { try? FileManager.default.removeItem(atPath: path) } }
        // The folder of a system that trusts the server's certificate, as OpenSSL wants it.
        let rehash = Process()
        rehash.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        rehash.arguments = ["rehash", folder]
        try FileManager.default.copyItem(atPath: own + "/cert.pem", toPath: folder + "/own.pem")
        try rehash.run()
        // Not waitUntilExit, which hangs on threads of Swift's pool.
        for _ in 0..<500 where rehash.isRunning { usleep(10_000) }
        let server = try FakeServer("tls=\(own)")
        defer { server.stop() }
        func isTrusted(_ caFile: String?) -> Bool {
            TransportSettings.$systemFolder.withValue(folder) {
                (try? Cluster.connect(server.endpoint(caFile: caFile))) != nil
            }
        }
        #expect(isTrusted(nil), "without a file the system's count")
        #expect(!isTrusted(other + "/cert.pem"))
        #expect(isTrusted(own + "/cert.pem"))
    }

    /// Ids, names of indices and routings with every byte that can be in them: one value of a path stays one value.
    @Test func everyOddByteIsEscapedInPathsQueriesAndBodies() throws {
        let odd = String(String.UnicodeScalarView((UInt32(0)...0x2FF).compactMap(Unicode.Scalar.init))) + "\u{2028}🙂"
        for encoded in [RequestPath.segment(odd), RequestPath.query(odd)] {
            let isSafe = encoded.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-._~*,%".utf8.contains(byte)
            }
            #expect(isSafe && encoded.removingPercentEncoding == odd)
        }
        #expect(!RequestPath.query(odd).contains("*") && !RequestPath.query(odd).contains(","))
        let value: JSONValue = ["routing": .string(odd), "list": [.string(odd)]]
        #expect(try JSONValue(parsing: value.text()) == value)
        #expect(value.text().utf8.allSatisfy { $0 >= 0x20 })
    }

    /// A line break in what goes into a header would begin another one.
    @Test(arguments: ["a\r\nX-Injected: 1", "a\n", "\u{0}", "\u{7F}"])
    func headersTakeNoControlCharacter(_ text: String) {
        for auth in [
            ClusterEndpoint.Auth.basic(user: text, password: Secret("p")),
            .basic(user: "u", password: Secret(text)), .apiKey(Secret(text)),
        ] {
            #expect(throws: ClusterError.self) {
                try HTTPTransport(ClusterEndpoint(urls: ["http://localhost:1"], auth: auth))
            }
        }
    }
}

@Suite struct NamedAddressTests {
    /// Whoever changes the answer of `_nodes` could have our password sent to any host.
    @Test func credentialsDoNotGoInTheClearToHostsThatTheRecipeDoesNotName() {
        func mayAsk(_ url: String, _ auth: ClusterEndpoint.Auth, verify: Bool = true) -> Bool {
            ClusterEndpoint(urls: [url], auth: auth, verifyTLS: verify).mayAsk("192.0.2.2:19481")
        }
        let basic = ClusterEndpoint.Auth.basic(user: "u", password: Secret("p"))
        #expect(mayAsk("http://192.0.2.2:9200", basic))
        #expect(!mayAsk("http://10.0.0.1:9200", basic))
        #expect(mayAsk("http://10.0.0.1:9200", .none))
        #expect(mayAsk("https://10.0.0.1:9200", basic))
        #expect(!mayAsk("https://10.0.0.1:9200", basic, verify: false))
    }
}

@Suite struct CertificateAdviceTests {
    /// "Give the authority that signed it" does not help where the certificate has expired.
    @Test(arguments: [
        ("SSL certificate problem: certificate has expired", "renew"),
        ("SSL: no alternative certificate subject name matches target host name 'localhost'", "another host name"),
        ("SSL certificate problem: unable to get local issuer certificate", "ca_file"),
    ])
    func theAdviceFitsTheReason(_ reason: String, _ advice: String) {
        #expect(TransportLoop.certificateAdvice(CURLE_PEER_FAILED_VERIFICATION, reason).contains(advice))
    }
}
