import JSONText

/// A request to whichever node is next in turn.
public struct HTTPRequest: Sendable {
    public enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
    }

    public enum Body: Sendable {
        case none
        /// Sent from where it lies, not copied: the giver does not touch it until the completion has run.
        case buffer(ByteBuffer)
    }

    public enum ContentType: Sendable {
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

    public var method: Method
    /// With its query, beginning with `/`, already percent-encoded.
    public var path: String
    public var body: Body
    public var contentType: ContentType
    /// For the whole exchange.
    public var timeoutSeconds: Double
    public var connectTimeoutSeconds: Double
    /// Whether a connection failure is tried at once on the next node. Only for what may be done twice.
    public var failsOver: Bool
    /// Whether the server may compress its answer: for cold calls, not for bulk or scroll.
    public var acceptsCompression: Bool
    /// Bytes of the answer at most, where the transport's own limit is too much; nil: that limit.
    public var answerBytes: Int?

    /// `failsOver` and `acceptsCompression`: by default only GET and HEAD.
    public init(
        _ method: Method, _ path: String, body: Body = .none, contentType: ContentType = .json,
        timeoutSeconds: Double = 60, connectTimeoutSeconds: Double = 5, failsOver: Bool? = nil,
        acceptsCompression: Bool? = nil
    ) {
        self.method = method
        self.path = path
        self.body = body
        self.contentType = contentType
        self.timeoutSeconds = timeoutSeconds
        self.connectTimeoutSeconds = connectTimeoutSeconds
        let reads = method == .get || method == .head
        self.failsOver = failsOver ?? reads
        self.acceptsCompression = acceptsCompression ?? reads
    }
}

/// An answer, of whatever status.
public struct HTTPResponse: Sendable {
    public var status: Int
    /// Whoever holds the answer owns it; give it back with ``HTTPTransport/recycle(_:)`` or let it go.
    public var body: ByteBuffer
    /// From the start of the request to the last byte of the answer.
    public var seconds: Double
    /// Which of the endpoint's URLs answered.
    public var node: Int

    public init(status: Int, body: ByteBuffer, seconds: Double, node: Int) {
        self.status = status
        self.body = body
        self.seconds = seconds
        self.node = node
    }
}
