import CLibcurl
import Glibc

/// A thread of the operating system, for work that blocks: such work must not run on Swift's thread pool.
struct PlainThread: @unchecked Sendable {
    // `@unchecked Sendable`: `pthread_t` is an integer on Linux, made to be used from other threads.
    private let id: pthread_t

    private final class Work {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }

    /// Nil when the system gives no more threads. `name`: at most 15 bytes, because the kernel takes no more.
    init?(name: String, _ body: @escaping @Sendable () -> Void) {
        let work = Unmanaged.passRetained(Work(name: name, body: body))
        var id = pthread_t()
        let failed = pthread_create(
            &id, nil,
            { context in
                guard let context else { return nil }
                let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
                _ = crossfade_name_thread(work.name)
                work.body()
                return nil
            }, work.toOpaque())
        guard failed == 0 else {
            work.release()
            return nil
        }
        self.id = id
    }

    /// Waits until the thread ends. On the thread itself it does not wait, but detaches the thread.
    func join() {
        if pthread_equal(pthread_self(), id) != 0 {
            _ = pthread_detach(id)
        } else {
            _ = pthread_join(id, nil)
        }
    }

    var isCurrent: Bool { pthread_equal(pthread_self(), id) != 0 }
}

/// Nanoseconds of a clock that never goes back.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
}
