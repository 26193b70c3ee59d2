import CLibmicrohttpd
import Glibc
import Synchronization

/// The body of a response that is written piece by piece, by any thread, while its client reads.
///
/// While there is nothing to send, the connection is set aside and costs nothing. A client that goes away is noticed at
/// the next write: who has nothing to say for long writes a heartbeat.
public final class HTTPStream: Sendable {
    /// The connection that reads. It is used under the stream's lock only, between `attach` and `detach`, and the library
    /// closes its socket after `detach` alone.
    private struct Reader: @unchecked Sendable {
        // A pointer into the library, whose functions for it may be called from any thread.
        let connection: OpaquePointer
        var isSuspended = false
    }

    private struct State {
        var waiting: [UInt8] = []
        /// How many of `waiting` are sent already.
        var sent = 0
        var isFinished = false
        var isAbandoned = false
        var reader: Reader?
    }

    private let state = Mutex(State())
    private let limit: Int

    /// A client that is more than `limit` bytes behind is cut off. One piece alone may be longer.
    public init(limit: Int = 1 << 20) { self.limit = limit }

    /// Whether what is written may still be read.
    public var isOpen: Bool { state.withLock { !$0.isFinished && !$0.isAbandoned } }

    /// False when nobody reads any more: the client went away, or was too slow.
    @discardableResult public func write(_ bytes: [UInt8]) -> Bool {
        state.withLock { state in
            guard !state.isFinished, !state.isAbandoned else { return false }
            let behind = state.waiting.count - state.sent
            if behind > 0, behind + bytes.count > limit {
                Self.abandon(&state)
                return false
            }
            if state.sent == state.waiting.count {
                state.waiting.removeAll(keepingCapacity: true)
                state.sent = 0
            }
            state.waiting += bytes
            Self.resume(&state)
            return true
        }
    }

    /// Ends the response after what was written.
    public func finish() {
        state.withLock { state in
            state.isFinished = true
            Self.resume(&state)
        }
    }

    /// Cuts the client off at once.
    public func abandon() { state.withLock { Self.abandon(&$0) } }

    private static func abandon(_ state: inout State) {
        state.isAbandoned = true
        state.waiting = []
        state.sent = 0
        guard let reader = state.reader else { return }
        // One that does not read would hold its socket until it does.
        shutdown(crossfade_http_socket(reader.connection), Int32(SHUT_RDWR))
        resume(&state)
    }

    private static func resume(_ state: inout State) {
        guard let reader = state.reader, reader.isSuspended else { return }
        state.reader?.isSuspended = false
        MHD_resume_connection(reader.connection)
    }

    /// False when another connection reads it already: a stream is the body of one response.
    func attach(_ connection: OpaquePointer) -> Bool {
        // Only passes the pointer on.
        nonisolated(unsafe) let connection = connection
        return state.withLock { state in
            guard state.reader == nil else { return false }
            state.reader = Reader(connection: connection)
            return true
        }
    }

    /// The connection is done with the response, whether all of it was sent or not.
    func detach() {
        state.withLock { state in
            state.reader = nil
            state.isAbandoned = true
            state.waiting = []
            state.sent = 0
        }
    }

    /// On the server's thread: fills `buffer` with what waits; 0 after setting the connection aside.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        // The caller's own buffer, which nobody else sees before this returns.
        nonisolated(unsafe) let buffer = buffer
        return state.withLock { state in
            if state.isAbandoned { return crossfade_http_broken_stream() }
            let count = min(buffer.count, state.waiting.count - state.sent)
            if count > 0 {
                state.waiting.withUnsafeBytes { bytes in
                    buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[state.sent..<state.sent + count]))
                }
                state.sent += count
                return count
            }
            if state.isFinished { return crossfade_http_end_of_stream() }
            guard let reader = state.reader else { return crossfade_http_broken_stream() }
            MHD_suspend_connection(reader.connection)
            state.reader?.isSuspended = true
            return 0
        }
    }
}
