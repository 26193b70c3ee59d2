import CLibcurl
import JSONText
import Synchronization

/// A request with its completion, and the nodes on which it has failed.
struct Submission: Sendable {
    var request: HTTPRequest
    var completion: @Sendable (Result<HTTPResponse, ClusterError>) -> Void
    var tried: Set<Int> = []
}

/// The waiting requests and the free buffers. Callers and the transport's thread share them.
///
/// `@unchecked Sendable`: other threads use the multi handle only for `curl_multi_wakeup`, which curl allows from any
/// thread. They do so under the lock, and not after `finished`.
final class TransportInbox: @unchecked Sendable {
    private struct State {
        var waiting: [Submission] = []
        var closed = false
        /// Whether the multi handle is gone.
        var finished = false
    }

    let multi: UnsafeMutableRawPointer
    private let limits: HTTPTransport.Limits
    private let state = Mutex(State())
    private let pool = Mutex<(buffers: [ByteBuffer], bytes: Int)>(([], 0))

    static let closedError = ClusterError(.closed, "the connection to the cluster was closed while a request waited")

    init(multi: UnsafeMutableRawPointer, limits: HTTPTransport.Limits) {
        (self.multi, self.limits) = (multi, limits)
    }

    /// False when the transport is closed.
    func add(_ submission: Submission) -> Bool {
        state.withLock { state in
            guard !state.closed else { return false }
            state.waiting.append(submission)
            // One wake-up is enough for all waiting requests.
            if state.waiting.count == 1 { curl_multi_wakeup(multi) }
            return true
        }
    }

    /// Moves the waiting requests to the end of `into`. False when the transport shall end.
    func take(into: inout [Submission]) -> Bool {
        state.withLock { state in
            into.append(contentsOf: state.waiting)
            state.waiting.removeAll(keepingCapacity: true)
            return !state.closed
        }
    }

    /// True for the first caller, which closes the transport.
    func close() -> Bool {
        state.withLock { state in
            guard !state.closed else { return false }
            state.closed = true
            if !state.finished { curl_multi_wakeup(multi) }
            return true
        }
    }

    /// Frees the multi handle. The transport's thread calls this as its last act.
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
