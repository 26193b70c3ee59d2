import JSONText

/// A request to one of the nodes, which take turns.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    package enum Body: Sendable {
        case none
        /// Sent without being copied. The caller must not touch the buffer until the completion has run.
        case buffer(ByteBuffer)
    }

    package enum ContentType: Sendable {
        case json
        case ndjson
        case text

        var header: String {
            switch self {
            case .json: "Content-Type: application/json"
            case .ndjson: "Content-Type: application/x-ndjson"
            case .text: "Content-Type: text/plain"
            }
        }
    }

    package var method: Method
    /// The path with its query. It begins with `/` and is percent-encoded.
    package var path: String
    package var body: Body
    package var contentType: ContentType
    /// The limit for the whole exchange.
    package var timeoutSeconds: Double
    package var connectTimeoutSeconds: Double
    /// Whether the request goes to the next node at once when a connection fails, and GET and HEAD also when there is
    /// no answer in time. Only for requests that may be executed twice.
    package var failsOver: Bool
    /// Whether the server may compress its answer. Bulk and scroll requests go without, because it costs CPU.
    package var acceptsCompression: Bool
    /// The most bytes that the answer may have; nil: ``HTTPTransport/Limits/answerBytes``.
    package var answerBytes: Int?

    /// `failsOver` and `acceptsCompression`: nil means yes for GET and HEAD and no for all others.
    package init(
        _ method: Method, _ path: String, body: Body = .none, contentType: ContentType = .json,
        timeoutSeconds: Double = 60, connectTimeoutSeconds: Double = 5, failsOver: Bool? = nil,
        acceptsCompression: Bool? = nil
    ) {
        (self.method, self.path, self.body, self.contentType) = (method, path, body, contentType)
        (self.timeoutSeconds, self.connectTimeoutSeconds) = (timeoutSeconds, connectTimeoutSeconds)
        let reads = method == .get || method == .head
        self.failsOver = failsOver ?? reads
        self.acceptsCompression = acceptsCompression ?? reads
    }
}

/// An answer of any status.
package struct HTTPResponse: Sendable {
    package var status: Int
    /// The receiver of the answer owns the buffer. It gives it back with ``HTTPTransport/recycle(_:)``, or just drops
    /// it.
    package var body: ByteBuffer
    /// The time from the start of the request to the last byte of the answer.
    package var seconds: Double
    /// The place of the node that answered in ``HTTPTransport/nodes``.
    package var node: Int

    package init(status: Int, body: ByteBuffer, seconds: Double, node: Int) {
        (self.status, self.body, self.seconds, self.node) = (status, body, seconds, node)
    }
}
