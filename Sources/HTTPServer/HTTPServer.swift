import CLibmicrohttpd
import Glibc
import Synchronization

/// What the exchanges of a server have in common.
final class HTTPService: Sendable {
    let maximumBody: Int
    let handler: @Sendable (HTTPRequest) -> HTTPResponse
    private let streams = Mutex<(open: [ObjectIdentifier: HTTPStream], isStopping: Bool)>(([:], false))

    init(maximumBody: Int, handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse) {
        self.maximumBody = maximumBody
        self.handler = handler
    }

    func opened(_ stream: HTTPStream) {
        let isStopping = streams.withLock { streams in
            streams.open[ObjectIdentifier(stream)] = stream
            return streams.isStopping
        }
        if isStopping { stream.finish() }
    }

    func closed(_ stream: HTTPStream) {
        _ = streams.withLock { $0.open.removeValue(forKey: ObjectIdentifier(stream)) }
    }

    var openStreams: [HTTPStream] { streams.withLock { Array($0.open.values) } }

    /// Ends those that are open and all that are opened from now on.
    func finishStreams() {
        streams.withLock { $0.isStopping = true }
        for stream in openStreams { stream.finish() }
    }
}

/// An HTTP/1.1 server on one address: requests are read whole and handed to `handler`, on the server's own threads.
///
/// Connections are kept alive. `HEAD` is answered as the handler answers it, without the body. The threads wait by epoll: a
/// server that nobody asks anything costs nothing.
public final class HTTPServer: Sendable {
    /// A pointer into the library; taken once, by who stops.
    private struct Daemon: @unchecked Sendable { let pointer: OpaquePointer }

    /// A connection that says nothing for so long is closed; the streams that wait are not concerned.
    private static let idleSeconds: UInt32 = 300
    /// For headers and for what is read in one go: half of it is the piece in which bodies come.
    private static let connectionMemory = 256 << 10

    private let service: HTTPService
    private let daemon: Mutex<Daemon?>
    /// The port that it listens on, also where any was asked for.
    public let port: Int
    /// Where a client on this machine reaches it, e.g. `http://127.0.0.1:9464`.
    public let url: String

    /// Listens on `address`, `HOST:PORT` or `[IPv6]:PORT`, and on nothing else; port 0 is any free one. A longer body than
    /// `maximumBody` bytes is answered with 413. The handler must not stop the server.
    public init(
        address: String, threads: Int, maximumBody: Int, handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse
    ) throws(HTTPServerError) {
        let socket = try ListeningSocket(address)
        service = HTTPService(maximumBody: maximumBody, handler: handler)
        port = socket.port
        let everywhere = ["0.0.0.0": "127.0.0.1", "[::]": "[::1]"]
        url = "http://\(everywhere[socket.host] ?? socket.host):\(socket.port)"
        // The service outlives the daemon: it is let go after the daemon has stopped.
        let context = Unmanaged.passRetained(service)
        let started = crossfade_http_start(
            socket.descriptor, UInt32(clamping: max(1, threads)), Self.idleSeconds, Self.connectionMemory,
            context.toOpaque(), Self.begin, Self.handle, Self.complete)
        guard let started else {
            // The library may or may not have closed the socket: closing it here could close somebody else's.
            context.release()
            throw HTTPServerError(.system, "\(address): no thread or memory to serve it")
        }
        daemon = Mutex(Daemon(pointer: started))
    }

    deinit { stop() }

    /// Ends the streams, closes all connections and waits for the threads. The second call does nothing.
    public func stop() {
        guard let daemon = daemon.withLock({ $0.take() }) else { return }
        service.finishStreams()
        // A moment for the last of what was written; a client that does not read does not hold it up.
        for _ in 0..<50 where !service.openStreams.isEmpty { usleep(5000) }
        MHD_stop_daemon(daemon.pointer)
        Unmanaged.passUnretained(service).release()
    }

    private static let begin: crossfade_http_begin = { context, uri, _ in
        guard let context, let uri else { return nil }
        let service = Unmanaged<HTTPService>.fromOpaque(context).takeUnretainedValue()
        return Unmanaged.passRetained(Exchange(service, uri: String(cString: uri))).toOpaque()
    }

    private static let handle: MHD_AccessHandlerCallback = { _, connection, _, method, _, data, count, exchange in
        guard let connection, let method, let count, let pointer = exchange?.pointee else { return .NO }
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeUnretainedValue()
        if !exchange.isBegun {
            exchange.head(method: String(cString: method), connection: connection)
        } else if count.pointee > 0 {
            exchange.take(UnsafeRawBufferPointer(start: data, count: count.pointee))
            count.pointee = 0
        } else {
            return exchange.answer(connection)
        }
        return .YES
    }

    private static let complete: MHD_RequestCompletedCallback = { _, _, exchange, _ in
        guard let pointer = exchange?.pointee else { return }
        exchange?.pointee = nil
        let exchange = Unmanaged<Exchange>.fromOpaque(pointer).takeRetainedValue()
        exchange.end()
    }
}
