import CLibcurl
import Dispatch
import JSONText
import Runtime
import Synchronization
import Telemetry

/// HTTP to the nodes of one cluster. One thread drives one curl multi handle; connections and handles are reused.
///
/// When a kept connection turns out to be dead before the first byte of an answer, curl itself may send a POST again,
/// up to five times. A bulk request may be repeated, because every write carries an external version (promise P1 in
/// `docs/architecture.md`). A repeated scroll request would lose a page; ``ScrollReader`` finds that by counting.
package final class HTTPTransport: Sendable {
    package struct Limits: Sendable {
        /// The most bytes of one answer, after decompression. A longer answer is an error (`tooLarge`).
        package var answerBytes: Int = 200 << 20
        /// The most buffers that are kept for reuse.
        package var pooledBuffers: Int = 32
        /// The most bytes that one kept buffer may have.
        package var pooledBufferBytes: Int = 4 << 20
        /// The most bytes of all kept buffers together.
        package var pooledBytes: Int = 16 << 20
        /// A request fails when no byte moves in either direction for so long. It is longer than any server should
        /// need.
        package var stallSeconds: Int = 120

        package init() {}
    }

    let inbox: TransportInbox
    private let thread: JoinableThread
    /// A transport with a limit of its own uses the connections of this one; nil: they are its own.
    private let owner: HTTPTransport?
    /// The most seconds that one request may take, whatever it says itself; nil: no such limit.
    private let longestRequest: Double?
    /// The URLs of the nodes without credentials, as messages name them.
    package let nodes: [String]
    /// Takes this cluster's credentials out of texts that the server wrote: a proxy may echo the request's headers.
    package let redactor: Redactor

    /// Starts the thread. It connects to nothing yet. Throws `configuration` for an endpoint that can never work.
    package init(_ endpoint: ClusterEndpoint, limits: Limits = Limits()) throws(ClusterError) {
        _ = HTTPTransport.curlReady
        let settings = try TransportSettings(endpoint, limits: limits)
        guard let multi = curl_multi_init() else {
            throw ClusterError(.configuration, "curl has no memory for its multi handle; free some and start again")
        }
        let inbox = TransportInbox(multi: multi, limits: limits)
        guard
            let thread = JoinableThread(
                ifPossible: "cf-http", { TransportLoop(settings: settings, inbox: inbox).run() })
        else {
            curl_multi_cleanup(multi)
            throw ClusterError(.configuration, "the system gives no thread for the HTTP transport; see ulimit -u")
        }
        (self.inbox, self.thread) = (inbox, thread)
        owner = nil
        longestRequest = nil
        nodes = settings.shownURLs
        redactor = settings.redactor
    }

    private init(_ owner: HTTPTransport, longestRequest: Double) {
        (inbox, thread, nodes, redactor) = (owner.inbox, owner.thread, owner.nodes, owner.redactor)
        (self.owner, self.longestRequest) = (owner, longestRequest)
    }

    /// The same connections, but every request fails after so many seconds. For questions whose answer is worth nothing
    /// when it comes late, asked by a thread that must not hang as long as the target does.
    public func answering(withinSeconds seconds: Double) -> HTTPTransport {
        HTTPTransport(owner ?? self, longestRequest: seconds)
    }

    deinit { if owner == nil { close() } }

    private static let curlReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// Sends a request. `completion` gets the answer, of any status, or the reason why there is none.
    ///
    /// The completion runs on the transport's thread. It must not block that thread, but it may submit another request.
    /// When the transport is already closed, the completion runs at once, on the caller's thread.
    package func submit(
        _ request: HTTPRequest, completion: @escaping @Sendable (Result<HTTPResponse, ClusterError>) -> Void
    ) {
        var request = request
        if let longestRequest {
            request.timeoutSeconds = min(request.timeoutSeconds, longestRequest)
            request.connectTimeoutSeconds = min(request.connectTimeoutSeconds, longestRequest)
        }
        if inbox.add(Submission(request: request, completion: completion)) { return }
        completion(.failure(TransportInbox.closedError))
    }

    /// Sends a request and waits for the answer. It blocks the calling thread, so it must not be called from a
    /// completion or from a Swift task.
    package func perform(_ request: HTTPRequest) throws(ClusterError) -> HTTPResponse {
        guard !thread.isCurrent else {
            throw ClusterError(.configuration, "a blocking request was made on the HTTP thread; submit it instead")
        }
        return try begin(request).wait().get()
    }

    /// Sends a request, whose answer is waited for later. Who drops it waits for nothing.
    func begin(_ request: HTTPRequest) -> AnswerBox {
        let box = AnswerBox()
        submit(request) { box.put($0) }
        return box
    }

    /// Gives the buffer of an answer back, so that another answer can use it.
    package func recycle(_ buffer: ByteBuffer) { inbox.recycle(buffer) }

    /// Ends the thread. Requests under way fail with `closed`. It may be called again.
    package func close() {
        guard inbox.close() else { return }
        thread.join()
    }
}

/// Where a blocking caller waits for its answer, once. It must not be a completion or a Swift task.
final class AnswerBox: Sendable {
    private let answer = Mutex<Result<HTTPResponse, ClusterError>?>(nil)
    private let ready = DispatchSemaphore(value: 0)

    func put(_ result: Result<HTTPResponse, ClusterError>) {
        answer.withLock { $0 = result }
        ready.signal()
    }

    func wait() -> Result<HTTPResponse, ClusterError> {
        ready.wait()
        return answer.withLock { $0 } ?? .failure(TransportInbox.closedError)
    }
}
