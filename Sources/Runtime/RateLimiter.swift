import Foundation
import Synchronization

/// Keeps several threads together at one rate.
package final class RateLimiter: Sendable {
    private let schedule: Mutex<RateSchedule>

    package init(documentsPerSecond: Int?, bytesPerSecond: Int?) {
        schedule = Mutex(
            RateSchedule(
                documentsPerSecond: documentsPerSecond, bytesPerSecond: bytesPerSecond,
                now: MonotonicClock.milliseconds()))
    }

    /// Waits until this work may begin, or the user asks for a stop.
    package func wait(documents: Int, bytes: Int) {
        let start = schedule.withLock {
            $0.start(documents: documents, bytes: bytes, now: MonotonicClock.milliseconds())
        }
        guard let start else { return }
        while MonotonicClock.milliseconds() < start, !StopSignal.isAsked { Thread.sleep(forTimeInterval: 0.01) }
    }
}
