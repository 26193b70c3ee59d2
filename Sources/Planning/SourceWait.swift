import Failures
import Foundation
import Indexing
import Runtime
import SearchCluster
import Telemetry

/// Waits for a source that is away before the copy can read it. It was there when the work was confirmed, so it is
/// likely to come back; after two minutes it is said to be away. (While the copy reads, it waits without limit:
/// ``SliceRestart``.)
package struct SourceWait: Sendable {
    /// Milliseconds.
    package static let limit: Int64 = 120_000

    package enum Step: Sendable, Equatable {
        case askAgain(afterMilliseconds: Int)
        case giveUp
    }

    private var since: Int64?
    private var backoff = Backoff(base: 500, cap: 5000)

    package init() {}

    /// Whether it is the first trouble.
    package var isFirst: Bool { since == nil }

    /// A question failed. `now`: milliseconds of a clock that never goes back.
    package mutating func failed(
        _ error: ClusterError, now: Int64, using random: inout some RandomNumberGenerator
    ) -> Step {
        guard error.retriable else { return .giveUp }
        let began = since ?? now
        since = began
        guard now - began < Self.limit else { return .giveUp }
        return .askAgain(afterMilliseconds: backoff.next(using: &random))
    }

    /// Asks until there is an answer, or an error that stays. Throws the last error.
    package static func ask<Answer>(_ logger: Logger, _ question: () throws -> Answer) throws -> Answer {
        var wait = SourceWait()
        var random = SystemRandomNumberGenerator()
        while true {
            do {
                let answer = try question()
                if !wait.isFirst { logger.info("the source answers again") }
                return answer
            } catch let error as ClusterError {
                let isFirst = wait.isFirst
                let step = wait.failed(error, now: MonotonicClock.milliseconds(), using: &random)
                guard case .askAgain(let milliseconds) = step else { throw error }
                if isFirst {
                    logger.warning(
                        "the source is away; waiting for it before the copy begins",
                        ["at_most_seconds": limit / 1000, "error": "\(error)"])
                }
                let end = MonotonicClock.milliseconds() + Int64(milliseconds)
                while MonotonicClock.milliseconds() < end {
                    guard !StopSignal.isAsked else {
                        throw WorkError(.interrupted, "interrupted while the source was away; nothing was copied")
                    }
                    Thread.sleep(forTimeInterval: 0.02)
                }
            }
        }
    }
}
