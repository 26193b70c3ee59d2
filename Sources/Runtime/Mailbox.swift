import Basics

/// A queue between threads: many put items in, one takes them out. It has no bound of its own: those who put items in
/// ask the pipeline's byte budget first.
///
/// Inlinable, because it is used per batch and per answer, with items of other modules.
///
/// `@unchecked Sendable` because `items` and `closed` are touched only under `condition`.
@usableFromInline package final class Mailbox<Item: Sendable>: @unchecked Sendable {
    @usableFromInline let condition = MonotonicCondition()
    @usableFromInline var items = FIFO<Item>()
    @usableFromInline var closed = false

    package init() {}

    /// Puts an item in. False when the box is closed: then it does not take the item.
    @inlinable @discardableResult package func put(_ item: Item) -> Bool {
        condition.withLock {
            guard !closed else { return false }
            items.append(item)
            condition.signal()
            return true
        }
    }

    /// The next item. Waits for one at most `milliseconds` (nil: until there is one). Returns nil when none came, and
    /// when the box is closed and empty.
    @inlinable package func take(waiting milliseconds: Int?) -> Item? {
        condition.withLock {
            if items.isEmpty, milliseconds != 0 {
                condition.wait(milliseconds: milliseconds) { items.isEmpty && !closed }
            }
            return items.next()
        }
    }

    package var isClosed: Bool { condition.withLock { closed } }

    /// From now on it takes nothing more. What is in it can still be taken out.
    package func close() {
        condition.withLock {
            closed = true
            condition.broadcast()
        }
    }
}
