import Foundation

/// Room for a number of bytes: who finds it full waits. Something larger than the whole room goes in when it is empty.
///
/// `@unchecked Sendable` because `used` is touched only under `condition`.
final class ByteRoom: @unchecked Sendable {
    private let condition = NSCondition()
    private let size: Int
    private var used = 0

    init(_ size: Int) { self.size = size }

    /// Takes `bytes`; waits while there is no room, unless `failure` is set.
    func enter(_ bytes: Int, unless failure: FirstFailure) {
        condition.lock()
        while used > 0, used + bytes > size, !failure.isSet {
            _ = condition.wait(until: Date().addingTimeInterval(0.5))
        }
        used += bytes
        condition.unlock()
    }

    func leave(_ bytes: Int) {
        condition.lock()
        used -= bytes
        condition.broadcast()
        condition.unlock()
    }
}
