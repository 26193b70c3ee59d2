import Foundation

/// A queue between threads: many put, one takes. Unbounded by itself: what is in it is bounded by the byte budget
/// of the pipeline, which its feeders ask first.
///
/// `@unchecked Sendable` because `items` and `closed` are touched only under `condition`.
final class Mailbox<Item: Sendable>: @unchecked Sendable {
    private let condition = NSCondition()
    private var items: [Item?] = []
    private var head = 0
    private var closed = false

    /// Puts an item; false when the box is closed and the item was not taken.
    @discardableResult func put(_ item: Item) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !closed else { return false }
        items.append(item)
        condition.signal()
        return true
    }

    /// The next item. Waits at most `milliseconds` (nil: until there is one); nil when none came or the box is closed
    /// and empty.
    func take(waiting milliseconds: Int?) -> Item? {
        condition.lock()
        defer { condition.unlock() }
        if head == items.count, milliseconds != 0, !closed {
            if let milliseconds {
                let end = Date().addingTimeInterval(Double(milliseconds) / 1000)
                while head == items.count, !closed, condition.wait(until: end) {}
            } else {
                while head == items.count, !closed { condition.wait() }
            }
        }
        guard head < items.count else { return nil }
        let item = items[head]
        items[head] = nil
        head += 1
        if head == items.count {
            items.removeAll(keepingCapacity: true)
            head = 0
        } else if head >= 512, head * 2 >= items.count {
            items.removeFirst(head)
            head = 0
        }
        return item
    }

    var isClosed: Bool {
        condition.lock()
        defer { condition.unlock() }
        return closed
    }

    /// Nothing more comes in; what is in can still be taken.
    func close() {
        condition.lock()
        closed = true
        condition.broadcast()
        condition.unlock()
    }
}

/// A thread that can be waited for. Hot work runs on such threads, never on Swift concurrency's pool, whose threads
/// must not block.
final class JoinableThread: Sendable {
    private let done = DispatchSemaphore(value: 0)

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let done = done
        let thread = Thread {
            body()
            done.signal()
        }
        thread.name = name
        thread.stackSize = 4 << 20
        thread.start()
    }

    /// Waits until the body has returned; false after `seconds`.
    @discardableResult func join(seconds: Double? = nil) -> Bool {
        let result = done.wait(timeout: seconds.map { .now() + $0 } ?? .distantFuture)
        done.signal()
        return result == .success
    }
}

/// Milliseconds of a clock that never goes back.
enum Monotonic {
    static func milliseconds() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }
}
