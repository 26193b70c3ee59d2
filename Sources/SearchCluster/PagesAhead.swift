import Dispatch
import JSONText
import Synchronization

/// The pages of one scroll, asked for before they are needed.
///
/// A server does nothing for a scroll between an answer and the next request. So the next page is asked for as soon as
/// an answer comes to a reader that waits for it, on the transport's thread, or else as soon as the reader takes it.
/// One page is under way, and rarely more than one waits: two do, when the reader is slow to wake up.
final class PagesAhead: Sendable {
    private struct State {
        var answers: [Result<HTTPResponse, ClusterError>] = []
        var isUnderWay = false
        /// Whether the reader waits: then what comes is used at once.
        var isAwaited = false
        var isClosed = false
    }

    /// Sends the request for the page behind the one that has this scroll id.
    private let send: @Sendable (String, @escaping @Sendable (Result<HTTPResponse, ClusterError>) -> Void) -> Void
    private let recycle: @Sendable (ByteBuffer) -> Void
    private let state = Mutex(State())
    private let ready = DispatchSemaphore(value: 0)

    init(
        recycle: @escaping @Sendable (ByteBuffer) -> Void,
        send:
            @escaping @Sendable (
                String, @escaping @Sendable (Result<HTTPResponse, ClusterError>) -> Void
            ) -> Void
    ) {
        (self.recycle, self.send) = (recycle, send)
    }

    /// Asks for the page behind the one that has this scroll id, unless one is under way or waits.
    func ask(_ id: String) {
        let isDue = state.withLock { state in
            guard !state.isUnderWay, state.answers.isEmpty, !state.isClosed else { return false }
            state.isUnderWay = true
            return true
        }
        if isDue { send(id) { self.put($0) } }
    }

    /// The next answer, once. The page behind `id` is asked for if it was not.
    func take(_ id: String) -> Result<HTTPResponse, ClusterError> {
        ask(id)
        let isClosed = state.withLock { state in
            state.isAwaited = true
            return state.isClosed
        }
        guard !isClosed else { return .failure(TransportInbox.closedError) }
        ready.wait()
        let answer = state.withLock { state in
            state.isAwaited = false
            return state.answers.isEmpty ? .failure(TransportInbox.closedError) : state.answers.removeFirst()
        }
        if let next = Self.scrollID(answer) { ask(next) }
        return answer
    }

    /// What waits or comes is dropped.
    func close() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { state.answers = [] }
            return state.answers
        }
        waiting.forEach(drop)
    }

    private func put(_ result: Result<HTTPResponse, ClusterError>) {
        let next = Self.scrollID(result)
        let (isDropped, asks) = state.withLock { state in
            state.isUnderWay = state.isAwaited && state.answers.isEmpty && next != nil && !state.isClosed
            if !state.isClosed { state.answers.append(result) }
            return (state.isClosed, state.isUnderWay)
        }
        if isDropped { return drop(result) }
        // First, so that the server has work while the reader wakes up.
        if asks, let next { send(next) { self.put($0) } }
        ready.signal()
    }

    private func drop(_ result: Result<HTTPResponse, ClusterError>) {
        if case .success(let answer) = result { recycle(answer.body) }
    }

    /// The scroll id with which such an answer begins; nil where it does not, or where the answer may be the last.
    private static func scrollID(_ result: Result<HTTPResponse, ClusterError>) -> String? {
        guard case .success(let answer) = result, answer.status < 300, answer.body.count > leastPage else { return nil }
        let start = "{\"_scroll_id\":\"".utf8
        let bytes = answer.body.bytes
        guard bytes.starts(with: start) else { return nil }
        let rest = bytes.dropFirst(start.count)
        guard let end = rest.firstIndex(of: UInt8(ascii: "\"")) else { return nil }
        let id = rest[rest.startIndex..<end]
        return id.contains(UInt8(ascii: "\\")) ? nil : String(repairing: Bytes(rebasing: id))
    }

    /// An answer without documents is shorter. (The scroll id of an index with many shards is long; then one request
    /// too much is made, whose answer is dropped.)
    private static let leastPage = 2048
}
