import Basics
import CLibmicrohttpd

/// One request and its answer, from the request line until the answer is sent. Only the library thread that serves
/// the connection uses it.
final class Exchange {
    private let service: HTTPService
    private var request: HTTPRequest
    private var hasHeaders = false
    private var isTooLong = false
    private var stream: HTTPStream?

    /// `uri`: as the client sent it, with the query.
    init(_ service: HTTPService, uri: String) {
        self.service = service
        let (path, query) = uri.firstIndex(of: "?").map { (uri[..<$0], uri[uri.index(after: $0)...]) } ?? (uri[...], "")
        request = HTTPRequest(method: "", path: String(path), query: PercentCoding.query(query))
    }

    /// The request line and headers are complete. The body is still to come.
    func head(method: String, connection: OpaquePointer) {
        hasHeaders = true
        request.method = method
        MHD_get_connection_values(
            connection, .HEADER_KIND,
            { context, _, name, value in
                guard let name, let exchange = CallbackContext.object(context, as: Exchange.self) else { return .YES }
                exchange.request.headers.append((String(cString: name), value.map { String(cString: $0) } ?? ""))
                return .YES
            }, CallbackContext.borrowed(self))
        guard let length = request.header("Content-Length").flatMap(Int.init) else { return }
        if length > service.maximumBody {
            isTooLong = true
        } else if length > 0 {
            request.body.reserveCapacity(length)
        }
    }

    var isBegun: Bool { hasHeaders }

    /// A body that is too long is still read to its end: a client that is busy writing would not read the answer.
    func take(_ bytes: UnsafeRawBufferPointer) {
        guard !isTooLong else { return }
        if request.body.count + bytes.count > service.maximumBody {
            isTooLong = true
            request.body = []
        } else {
            request.body.append(contentsOf: bytes)
        }
    }

    /// The request is complete: calls the handler and sends the answer.
    func answer(_ connection: OpaquePointer) -> MHD_Result {
        let response = isTooLong ? Self.tooLong(service.maximumBody) : service.handler(request)
        request.body = []
        guard let queued = make(response, connection) else { return .NO }
        defer { MHD_destroy_response(queued) }
        for (name, value) in response.headers { MHD_add_response_header(queued, name, value) }
        return MHD_queue_response(connection, UInt32(clamping: response.status), queued)
    }

    private func make(_ response: HTTPResponse, _ connection: OpaquePointer) -> OpaquePointer? {
        switch response.body {
        case .bytes(var bytes):
            return bytes.withUnsafeMutableBytes {
                MHD_create_response_from_buffer($0.count, $0.baseAddress, .RESPMEM_MUST_COPY)
            }
        case .stream(let stream):
            guard stream.attach(connection) else { return nil }
            self.stream = stream
            service.opened(stream)
            // The exchange keeps the stream alive until the connection has finished the response.
            return crossfade_http_stream(
                32 << 10,
                { context, _, buffer, count in
                    guard let stream = CallbackContext.object(context, as: HTTPStream.self) else {
                        return crossfade_http_broken_stream()
                    }
                    return stream.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
                }, CallbackContext.borrowed(stream))
        }
    }

    /// The connection has finished this exchange, successfully or not.
    func end() {
        guard let stream else { return }
        stream.detach()
        service.closed(stream)
    }

    private static func tooLong(_ most: Int) -> HTTPResponse {
        HTTPResponse(
            status: 413, contentType: "application/json",
            text:
                "{\"error\":{\"type\":\"content_too_long\",\"reason\":\"the body of a request may have at most \(most) "
                + "bytes: send it in smaller parts\"},\"status\":413}\n")
    }
}
