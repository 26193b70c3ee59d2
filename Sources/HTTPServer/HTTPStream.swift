import Synchronization

/// The body of a response that is written piece by piece, by any thread, while its client reads.
public final class HTTPStream: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        var isFinished = false
        var isAbandoned = false
        var wake: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())
    private let limit: Int

    /// A client that is more than `limit` bytes behind is cut off.
    public init(limit: Int = 1 << 20) { self.limit = limit }

    /// False when nobody reads any more: the client went away, or was too slow.
    @discardableResult public func write(_ bytes: [UInt8]) -> Bool {
        let (goesOn, wake) = state.withLock { state in
            guard !state.isFinished, !state.isAbandoned else { return (false, nil as (@Sendable () -> Void)?) }
            if state.waiting.count + bytes.count > limit {
                state.isAbandoned = true
            } else {
                state.waiting += bytes
            }
            return (!state.isAbandoned, state.wake)
        }
        wake?()
        return goesOn
    }

    /// Ends the response after what was written.
    public func finish() {
        state.withLock { state in
            state.isFinished = true
            return state.wake
        }?()
    }
}
