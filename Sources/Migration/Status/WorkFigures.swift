import Commands
import Foundation
import Indexing
import JSONText
import Pipeline
import State

extension PartitionReport {
    package init(_ counts: PartitionCounts, end: Int64?) {
        self.init(
            partition: counts.partition, start: counts.start, position: counts.position, committed: counts.committed,
            end: end, read: counts.read, inFlight: counts.inFlight,
            outcomes: Outcome.allCases.map { counts.outcomes[$0] }, isOwned: counts.owned)
    }
}

extension Summary {
    /// What a pipeline over the topic came to; `ends`: where each partition's log ends.
    package mutating func take(_ pipeline: Pipeline, ends: [Int32: Int64]) {
        reasons = pipeline.deadLetters.reasons
        partitions = pipeline.ledger.partitions().map { PartitionReport($0, end: ends[$0.partition]) }
        inFlight = partitions.reduce(0) { $0 + $1.inFlight }
        read += inFlight
        concurrency = pipeline.sink.load
        alarms = pipeline.ledger.alarms
    }
}

extension Ledger {
    /// What cannot be right in the outcomes so far.
    package var alarms: [Alarm] {
        let deaths = deaths
        return [Alarm(alarm), Alarm(deaths.alarm, isRaised: deaths.isRaised)].compactMap { $0 }
    }
}
