import CLibcurl
import Dispatch
import JSONText
import Synchronization

/// HTTP to the nodes of one cluster: one thread, one curl multi handle, connections kept and handles reused.
///
/// curl itself may send a POST a second time when a kept connection turns out dead before the first byte of an answer
/// (up to five times). For bulk that is harmless, because every write carries an external version; for scroll it is
/// found by counting (see ``ScrollReader``).
public final class HTTPTransport: Sendable {
    public struct Limits: Sendable {
        /// Bytes of one answer, after decompression; a longer one is an error, not memory.
        public var answerBytes: Int = 200 << 20
        /// Buffers kept for reuse.
        public var pooledBuffers: Int = 32
        /// Bytes that a pooled buffer keeps.
        public var pooledBufferBytes: Int = 4 << 20
        /// Bytes of all pooled buffers.
        public var pooledBytes: Int = 16 << 20
        /// A transfer with no byte in either direction for so long is given up. Longer than any server should think.
        public var stallSeconds: Int = 120

        public init() {}
    }

    let inbox: TransportInbox
    private let thread: PlainThread
    /// Node URLs without credentials, as messages name them.
    public let nodes: [String]

    /// Starts the thread; connects to nothing yet. Throws `configuration` for what can never work.
    public init(_ endpoint: ClusterEndpoint, limits: Limits = Limits()) throws(ClusterError) {
        _ = HTTPTransport.curlReady
        let settings = try TransportSettings(endpoint, limits: limits)
        guard let multi = curl_multi_init() else {
            throw ClusterError(.configuration, "curl has no memory for its multi handle; free some and start again")
        }
        let inbox = TransportInbox(multi: multi, limits: limits)
        guard
            let thread = PlainThread(
                name: "cf-http",
                {
                    TransportLoop(settings: settings, inbox: inbox).run()
                })
        else {
            curl_multi_cleanup(multi)
            throw ClusterError(.configuration, "the system gives no thread for the HTTP transport; see ulimit -u")
        }
        self.inbox = inbox
        self.thread = thread
        nodes = settings.shownURLs
    }

    deinit { close() }

    private static let curlReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// Sends a request; `completion` gets the answer whatever its status, or why there is none.
    ///
    /// The completion runs on the transport's thread and must not block it; it may submit. When the transport is
    /// closed already it runs at once, on the caller's thread.
    public func submit(
        _ request: HTTPRequest, completion: @escaping @Sendable (Result<HTTPResponse, ClusterError>) -> Void
    ) {
        if inbox.add(Submission(request: request, completion: completion)) { return }
        completion(.failure(TransportInbox.closedError))
    }

    /// Sends a request and waits. For cold calls and plain threads only: it blocks the calling thread, and must not
    /// be called from a completion.
    public func perform(_ request: HTTPRequest) throws(ClusterError) -> HTTPResponse {
        guard !thread.isCurrent else {
            throw ClusterError(.configuration, "a blocking request was made on the HTTP thread; submit it instead")
        }
        let answer = Mutex<Result<HTTPResponse, ClusterError>?>(nil)
        let box = AnswerBox(answer)
        submit(request) { box.put($0) }
        return try box.wait().get()
    }

    /// Gives an answer's buffer back for the next one.
    public func recycle(_ buffer: ByteBuffer) { inbox.recycle(buffer) }

    /// Ends the thread. Requests under way fail with `closed`. Repeatable.
    public func close() {
        guard inbox.close() else { return }
        thread.join()
    }
}

/// Where a blocking caller waits for its answer.
private final class AnswerBox: Sendable {
    private let answer: Mutex<Result<HTTPResponse, ClusterError>?>
    private let ready = DispatchSemaphore(value: 0)

    init(_ answer: consuming Mutex<Result<HTTPResponse, ClusterError>?>) { self.answer = answer }

    func put(_ result: Result<HTTPResponse, ClusterError>) {
        answer.withLock { $0 = result }
        ready.signal()
    }

    func wait() -> Result<HTTPResponse, ClusterError> {
        ready.wait()
        return answer.withLock { $0 } ?? .failure(TransportInbox.closedError)
    }
}

/// A request with its completion, and the nodes it failed on.
struct Submission: Sendable {
    var request: HTTPRequest
    var completion: @Sendable (Result<HTTPResponse, ClusterError>) -> Void
    var tried: Set<Int> = []
}

/// What callers and the transport's thread share.
///
/// `@unchecked Sendable`: the multi pointer is used by other threads only for `curl_multi_wakeup`, which curl allows
/// from any thread, and only under the lock and before `finished`.
final class TransportInbox: @unchecked Sendable {
    private struct State {
        var waiting: [Submission] = []
        var closed = false
        /// The multi handle is gone.
        var finished = false
    }

    let multi: UnsafeMutableRawPointer
    private let limits: HTTPTransport.Limits
    private let state = Mutex(State())
    private let pool = Mutex<(buffers: [ByteBuffer], bytes: Int)>(([], 0))

    static let closedError = ClusterError(.closed, "the connection to the cluster was closed while a request waited")

    init(multi: UnsafeMutableRawPointer, limits: HTTPTransport.Limits) {
        self.multi = multi
        self.limits = limits
    }

    /// False when closed.
    func add(_ submission: Submission) -> Bool {
        state.withLock { state in
            guard !state.closed else { return false }
            state.waiting.append(submission)
            // One wake-up is enough for all that wait.
            if state.waiting.count == 1 { curl_multi_wakeup(multi) }
            return true
        }
    }

    /// Moves what waits into `into`; false when the transport is to end.
    func take(into: inout [Submission]) -> Bool {
        state.withLock { state in
            into.append(contentsOf: state.waiting)
            state.waiting.removeAll(keepingCapacity: true)
            return !state.closed
        }
    }

    /// True for the one caller that closed it.
    func close() -> Bool {
        state.withLock { state in
            guard !state.closed else { return false }
            state.closed = true
            if !state.finished { curl_multi_wakeup(multi) }
            return true
        }
    }

    /// On the transport's thread, last.
    func finish() {
        state.withLock { state in
            state.closed = true
            state.finished = true
            curl_multi_cleanup(multi)
        }
    }

    func buffer() -> ByteBuffer {
        pool.withLock { pool in
            let buffer = pool.buffers.popLast()
            pool.bytes -= buffer?.capacity ?? 0
            return buffer
        } ?? ByteBuffer(capacity: 16 << 10)
    }

    func recycle(_ buffer: ByteBuffer) {
        buffer.removeAll(keepingAtMost: limits.pooledBufferBytes)
        pool.withLock { pool in
            guard pool.buffers.count < limits.pooledBuffers, pool.bytes + buffer.capacity <= limits.pooledBytes
            else { return }
            pool.buffers.append(buffer)
            pool.bytes += buffer.capacity
        }
    }
}
