import Failures
import Foundation
import Indexing
import Runtime
import SearchCluster
import Telemetry

/// Makes visible to searches what was written to the source before this moment, so that the copy reads it.
///
/// The application's offsets must have been asked before. What it had applied by then is written, but a search shows it
/// only after the next refresh.
package struct SourceRefresh {
    let reader: ClusterReader
    let logger: Logger
    /// Whether the recipe accepts that not everything is visible.
    let accepts: Bool
    /// How long a source that cannot refresh now is asked again.
    private static let patience: Int64 = 60_000

    package init(reader: ClusterReader, logger: Logger, accepts: Bool) {
        (self.reader, self.logger, self.accepts) = (reader, logger, accepts)
    }

    /// Returns the names of the indices that show what they showed before, which the recipe accepts.
    @discardableResult package func run(_ indices: [IndexInfo]) throws -> [String] {
        var stale: [String] = []
        var waiting: [(index: IndexInfo, wait: RefreshWait)] = []
        for index in indices {
            guard case .refused(let why) = try refresh(index.name) else { continue }
            guard let interval = reader.refreshInterval(index) else {
                let refusal = Refusal.sourceNeverRefreshed(index: index.name, why: why)
                guard accepts else { throw refusal.error() }
                logger.warning("accepted by the recipe", ["rail": refusal.name, "what": refusal.text])
                stale.append(index.name)
                continue
            }
            let counts = try? reader.refreshCounts(index.name)
            let wait = RefreshWait(interval: interval, now: MonotonicClock.milliseconds(), counts: counts)
            logger.warning(
                "the source may not be refreshed by us; waiting until it was",
                ["index": index.name, "refresh_interval_ms": "\(interval)", "why": why])
            reader.wake(index.name, (counts ?? [:]).keys)
            waiting.append((index, wait))
        }
        for (index, wait) in waiting { try look(index.name, until: wait) }
        return stale
    }

    private func refresh(_ index: String) throws -> Refreshed {
        let end = MonotonicClock.milliseconds() + Self.patience
        while true {
            do throws(ClusterError) {
                return try reader.refresh(index)
            } catch {
                guard error.retriable, MonotonicClock.milliseconds() < end else { throw error }
                logger.warning("the source cannot be refreshed now; asking again", ["error": "\(error)"])
            }
            try pause(0.5)
        }
    }

    private func look(_ index: String, until wait: RefreshWait) throws {
        var looks = Recurring(every: 1000, first: 0)
        var counts: [ShardCopy: Int64]?
        while !wait.isOver(now: MonotonicClock.milliseconds(), counts: counts) {
            try pause(0.05)
            guard looks.isDue(MonotonicClock.milliseconds()) else { continue }
            counts = try? reader.refreshCounts(index)
            reader.wake(index, (counts ?? [:]).keys)
        }
    }

    private func pause(_ seconds: Double) throws {
        guard !StopSignal.isAsked else {
            throw WorkError(.interrupted, "interrupted while the source was refreshed; nothing was copied")
        }
        Thread.sleep(forTimeInterval: seconds)
    }
}
