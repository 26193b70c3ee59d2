import Basics
import CLibmicrohttpd
import Glibc
import Synchronization

/// What all exchanges of one server share.
final class HTTPService: Sendable {
    let maximumBody: Int
    let handler: @Sendable (HTTPRequest) -> HTTPResponse
    private let streams = Mutex<(open: [ObjectIdentifier: HTTPStream], isStopping: Bool)>(([:], false))

    init(maximumBody: Int, handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse) {
        (self.maximumBody, self.handler) = (maximumBody, handler)
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

    /// Ends the open streams, and every stream that is opened later.
    func finishStreams() {
        streams.withLock { $0.isStopping = true }
        for stream in openStreams { stream.finish() }
    }
}

/// An HTTP/1.1 server on one address. It reads each request whole and calls `handler` on one of its own threads.
///
/// Connections are kept alive. For `HEAD` the server calls the handler and sends its answer without the body. The
/// threads wait with epoll: an idle server uses no CPU.
public final class HTTPServer: Sendable {
    /// The library's daemon. `stop` takes it out, so that it is stopped only once.
    private struct Daemon: @unchecked Sendable {
        let pointer: OpaquePointer
        /// Owns the service for the library's callbacks.
        let context: UnsafeMutableRawPointer
    }

    /// Seconds. An idle connection is closed after this time. Suspended streams are not affected.
    private static let idleSeconds: UInt32 = 300
    /// Bytes per connection, for headers and for reading. Bodies arrive in pieces of half this size.
    private static let connectionMemory = 256 << 10

    private let service: HTTPService
    private let daemon: Mutex<Daemon?>
    /// The port that the server listens on, also when port 0 was asked for.
    public let port: Int
    /// The URL for clients on this machine, e.g. `http://127.0.0.1:9464`.
    public let url: String

    /// Listens on `address` and on nothing else. `address`: `HOST:PORT` or `[IPv6]:PORT`; port 0 takes any free port.
    /// A body of more than `maximumBody` bytes is answered with 413. The handler must not stop the server.
    public init(
        address: String, threads: Int, maximumBody: Int, handler: @escaping @Sendable (HTTPRequest) -> HTTPResponse
    ) throws(HTTPServerError) {
        let socket = try ListeningSocket(address)
        service = HTTPService(maximumBody: maximumBody, handler: handler)
        port = socket.port
        let everywhere = ["0.0.0.0": "127.0.0.1", "[::]": "[::1]"]
        url = "http://\(everywhere[socket.host] ?? socket.host):\(socket.port)"
        // The daemon uses the service until it has stopped. Only then is this reference released.
        let context = CallbackContext.owned(service)
        let started = crossfade_http_start(
            socket.descriptor, UInt32(clamping: max(1, threads)), Self.idleSeconds, Self.connectionMemory,
            context, Self.begin, Self.handle, Self.complete)
        guard let started else {
            // The library may have closed the socket already. Closing it here could close another file that got the
            // same number.
            CallbackContext.take(context, as: HTTPService.self)
            throw HTTPServerError(.system, "\(address): no thread or memory to serve it")
        }
        daemon = Mutex(Daemon(pointer: started, context: context))
    }

    deinit { stop() }

    /// Ends the streams, closes all connections and waits for the threads. A second call does nothing.
    public func stop() {
        guard let daemon = daemon.withLock({ $0.take() }) else { return }
        service.finishStreams()
        // Gives clients a moment to receive the last bytes. A client that does not read must not delay the stop for
        // longer.
        for _ in 0..<50 where !service.openStreams.isEmpty { usleep(5000) }
        MHD_stop_daemon(daemon.pointer)
        CallbackContext.take(daemon.context, as: HTTPService.self)
    }

    private static let begin: crossfade_http_begin = { context, uri, _ in
        guard let service = CallbackContext.object(context, as: HTTPService.self), let uri else { return nil }
        return CallbackContext.owned(Exchange(service, uri: String(cString: uri)))
    }

    private static let handle: MHD_AccessHandlerCallback = { _, connection, _, method, _, data, count, exchange in
        guard let connection, let method, let count,
            let exchange = CallbackContext.object(exchange?.pointee, as: Exchange.self)
        else { return .NO }
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
        let ended = CallbackContext.take(exchange?.pointee, as: Exchange.self)
        exchange?.pointee = nil
        ended?.end()
    }
}
