import Foundation
import SearchCluster
import Telemetry

/// An HTTP server in Python that behaves as told: poses, guards, breaks. Ends with its owner.
final class FakeServer {
    private let process = Process()
    let port: Int
    let secure: Bool

    static let python: String? = ["/usr/bin/python3", "/usr/local/bin/python3"].first {
        FileManager.default.isExecutableFile(atPath: $0)
    }

    /// `options`: `auth=<the Authorization header>`, `tls=<directory with cert.pem and key.pem>`,
    /// `clients=<directory with the cert.pem that clients must show>`, `pose=<name>`.
    init(_ options: String...) throws {
        process.executableURL = URL(fileURLWithPath: FakeServer.python ?? "/usr/bin/python3")
        process.arguments = ["-c", fakeServerScript] + options
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        var line = Data()
        while true {
            let byte = output.fileHandleForReading.readData(ofLength: 1)
            if byte.isEmpty || byte[byte.startIndex] == 0x0A { break }
            line.append(byte)
        }
        port = Int(String(decoding: line, as: UTF8.self)) ?? 0
        secure = options.contains { $0.hasPrefix("tls=") }
        if port == 0 { throw CocoaError(.fileReadUnknown) }
    }

    deinit { stop() }

    /// From now on it takes connections and answers nothing.
    func hang() { kill(process.processIdentifier, SIGSTOP) }

    func stop() {
        guard process.isRunning else { return }
        // SIGKILL: a child started from a thread of Swift's pool inherits its blocked signals. And no waitUntilExit,
        // which hangs on such threads.
        kill(process.processIdentifier, SIGKILL)
        for _ in 0..<200 where process.isRunning { usleep(10_000) }
    }

    var url: String { "\(secure ? "https" : "http")://localhost:\(port)" }

    func endpoint(_ auth: ClusterEndpoint.Auth = .none, caFile: String? = nil, verify: Bool = true) -> ClusterEndpoint {
        ClusterEndpoint(urls: [url], auth: auth, caFile: caFile, verifyTLS: verify)
    }
}

/// A self-signed certificate for localhost in a directory of its own; nil without openssl. `password`: of its key.
func makeCertificate(password: String? = nil) throws -> String? {
    guard let openssl = ["/usr/bin/openssl"].first(where: { FileManager.default.isExecutableFile(atPath: $0) }) else {
        return nil
    }
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("crossfade-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: openssl)
    process.arguments = [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2", "-subj",
        "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", directory + "/key.pem", "-out",
        directory + "/cert.pem",
    ]
    process.arguments? += password.map { ["-passout", "pass:" + $0] } ?? ["-nodes"]
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? directory : nil
}

private let fakeServerScript = #"""
    import http.server, json, ssl, sys, threading, time, os, socket
    options = dict(a.split('=', 1) for a in sys.argv[1:])
    connections, requests = set(), []
    poses = {
      'es8': {'cluster_name': 'c', 'cluster_uuid': 'u8', 'version': {'number': '8.17.0'},
              'tagline': 'You Know, for Search'},
      'os-as-7': {'cluster_name': 'c', 'cluster_uuid': 'uo', 'version': {'number': '7.10.2'},
                  'tagline': 'The OpenSearch Project: https://opensearch.org/'},
      'old': {'cluster_name': 'c', 'version': {'number': '0.90.3'}, 'tagline': 'You Know, for Search'},
      'new': {'cluster_name': 'c', 'version': {'number': '12.0.0'}, 'tagline': 'You Know, for Search'},
      'other': {'hello': 'world'},
    }
    versions = {'os-as-7': '2.11.1', 'es8': '8.17.0'}
    pose = options.get('pose', 'es8')
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'
        disable_nagle_algorithm = True
        def log_message(self, *a): pass
        def answer(self, status, value):
            data = value if isinstance(value, bytes) else json.dumps(value, separators=(',', ':')).encode()
            self.send_response(status)
            self.send_header('Content-Type', 'application/json')
            self.send_header('Content-Length', str(len(data)))
            self.end_headers()
            if self.command != 'HEAD': self.wfile.write(data)
        page = 0
        def hits(self):
            page = Handler.page
            failed = 1 if options.get('fail') == str(page) else 0
            shards = {'total': 2, 'successful': 2 - failed, 'failed': failed}
            if failed: shards['failures'] = [{'shard': 1, 'reason': {'type': 'io_exception', 'reason': 'disk'}}]
            # An answer with documents is not shorter than any without.
            source = {'text': 'x' * 2000} if 'large' in options else {}
            index = options.get('index', 'idx') if page == 1 else 'idx'
            found = [{'_index': index, '_id': '%d-%d' % (page, i), '_version': 1, '_source': source} for i in range(2)]
            if page > 2 and 'endless' not in options: found = []
            return {'_scroll_id': 's%d' % page, 'took': 1, 'timed_out': options.get('late') == str(page),
                    '_shards': shards,
                    'hits': {'total': {'value': 6, 'relation': 'eq'}, 'hits': found}}
        def handle_any(self):
            connections.add(self.client_address)
            length = int(self.headers.get('Content-Length') or 0)
            body = self.rfile.read(length)
            path = self.path.split('?')[0]
            if path != '/_log':
                requests.append({'method': self.command, 'path': self.path, 'length': length,
                                 'type': self.headers.get('Content-Type'), 'expect': self.headers.get('Expect'),
                                 'encoding': self.headers.get('Accept-Encoding'), 'body': body[:300].decode('latin-1')})
            if 'auth' in options and self.headers.get('Authorization') != options['auth']:
                return self.answer(401, {'status': 401, 'error': {
                    'type': 'security_exception', 'reason': 'missing authentication'}})
            if path == '/': return self.answer(200, poses[pose])
            if path == '/_nodes':
                return self.answer(200, {'nodes': {'node-1': {'name': 'n', 'version': versions.get(pose, '1.0.0')}}})
            if 'always' in options: return self.answer(200, options['always'].encode())
            if path == '/_log': return self.answer(200, {'connections': len(connections), 'requests': requests})
            if path == '/idx/_search':
                Handler.page = 0
                return self.answer(200, self.hits())
            if path == '/_search/scroll' and self.command == 'POST':
                Handler.page += 1
                if options.get('lose') == str(Handler.page):
                    # The page is read, the answer lost: curl asks again and gets the one after.
                    options.pop('lose')
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                return self.answer(200, self.hits())
            if path == '/_search/scroll': return self.answer(200, {'succeeded': True})
            if path == '/slow': time.sleep(30); return self.answer(200, {})
            if path == '/big': return self.answer(200, b'x' * (3 << 20))
            if path == '/redirect':
                self.send_response(307)
                self.send_header('Location', self.path.split('=', 1)[1])
                self.send_header('Content-Length', '0')
                self.end_headers()
                return
            if path == '/echo': return self.answer(200, body)
            if path == '/tell-headers':
                # As a proxy's debug page does.
                return self.answer(502, ('bad gateway, request was: ' + str(self.headers)).encode())
            if path == '/status':
                return self.answer(int(self.path.split('=')[1]), {'error': {'type': 'some_exception', 'reason': 'why'}})
            if path == '/drop':
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if path == '/cut':
                self.send_response(200); self.send_header('Content-Length', '1000'); self.end_headers()
                self.wfile.write(b'{'); self.close_connection = True; return
            self.answer(404, {'error': {'type': 'index_not_found_exception', 'reason': 'no such index'}, 'status': 404})
        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any
    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128
    server = Server(('127.0.0.1', 0), Handler)
    if 'tls' in options:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options['tls'] + '/cert.pem', options['tls'] + '/key.pem')
        if 'clients' in options:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(options['clients'] + '/cert.pem')
        server.socket = context.wrap_socket(server.socket, server_side=True)
    parent = os.getppid()
    def watch():
        while os.getppid() == parent: time.sleep(1)
        os._exit(0)
    threading.Thread(target=watch, daemon=True).start()
    print(server.server_address[1], flush=True)
    server.serve_forever()
    """#
