import Synchronization

/// Keeps the first failure of several threads. Later failures are its consequences and are dropped.
package final class FailureLatch<Failure: Error>: Sendable {
    private let error = Mutex<Failure?>(nil)
    private let flag = Atomic<Bool>(false)

    package init() {}

    package var isSet: Bool { flag.load(ordering: .acquiring) }

    package var value: Failure? { error.withLock { $0 } }

    package func set(_ failure: Failure) {
        error.withLock { if $0 == nil { $0 = failure } }
        flag.store(true, ordering: .releasing)
    }
}
