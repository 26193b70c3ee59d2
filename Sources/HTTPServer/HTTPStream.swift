import CLibmicrohttpd
import Glibc
import Synchronization

/// A response body that any thread writes piece by piece while the client reads.
///
/// While there is nothing to send, the connection is suspended and costs nothing. A client that has gone away is
/// noticed at the next write, so a writer that is silent for long should write a heartbeat.
public final class HTTPStream: Sendable {
    /// The connection that sends this stream. It is used only under the stream's lock, between `attach` and `detach`.
    /// The library closes its socket only after `detach`.
    private struct Reader: @unchecked Sendable {
        // A pointer of the library. Its functions for this pointer may be called from any thread.
        let connection: OpaquePointer
        var isSuspended = false
    }

    private struct State {
        var waiting: [UInt8] = []
        /// How many bytes of `waiting` have been sent.
        var sent = 0
        var isFinished = false
        var isAbandoned = false
        var reader: Reader?
    }

    private let state = Mutex(State())
    private let limit: Int

    /// `limit`: a client that is more than this many bytes behind is cut off. A single piece may be longer.
    public init(limit: Int = 1 << 20) { self.limit = limit }

    /// Whether a client may still read what is written.
    public var isOpen: Bool { state.withLock { !$0.isFinished && !$0.isAbandoned } }

    /// Adds a piece. False when the client has gone away or was too slow.
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

    /// Ends the response after everything that was written so far.
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
        // A client that does not read would otherwise hold the socket for as long as it likes.
        shutdown(crossfade_http_socket(reader.connection), Int32(SHUT_RDWR))
        resume(&state)
    }

    private static func resume(_ state: inout State) {
        guard let reader = state.reader, reader.isSuspended else { return }
        state.reader?.isSuspended = false
        MHD_resume_connection(reader.connection)
    }

    /// False when the stream already has a connection: a stream is the body of one response only.
    func attach(_ connection: OpaquePointer) -> Bool {
        // Only carries the pointer into the lock's closure.
        nonisolated(unsafe) let connection = connection
        return state.withLock { state in
            guard state.reader == nil else { return false }
            state.reader = Reader(connection: connection)
            return true
        }
    }

    /// The connection has finished the response, completely or not.
    func detach() {
        state.withLock { state in
            state.reader = nil
            state.isAbandoned = true
            state.waiting = []
            state.sent = 0
        }
    }

    /// Called by the server's thread: fills `buffer` with waiting bytes. Suspends the connection and returns 0 when
    /// there are none.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        // The buffer belongs to the caller, and no other thread uses it before this returns.
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
