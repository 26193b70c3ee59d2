import CommandLog
import Foundation
import LogGuard
import Recipe
import Runtime
import State
import Telemetry

/// An answer of the brokers, or why they cannot or may not give it. Brokers that cannot be reached are an error
/// instead.
package enum Told<Value> {
    case known(Value)
    case unknown(String)

    package static func by(_ question: () throws(LogError) -> Value) throws(LogError) -> Told {
        do throws(LogError) {
            return .known(try question())
        } catch {
            guard error.isUnanswerable else { throw error }
            return .unknown("\(error)")
        }
    }

    package var value: Value? { if case .known(let value) = self { value } else { nil } }
    package var why: String? { if case .unknown(let why) = self { why } else { nil } }
}

/// The offset per partition at which a replay or `follow` begins.
package struct ReplayStart {
    package var offsets: [Int32: Int64]
    /// Partitions for which the brokers did not tell the offset of the wanted time, and why. They are read from the
    /// beginning.
    package var unknown: (partitions: [Int32], why: String)?

    package init(offsets: [Int32: Int64]) { self.offsets = offsets }

    package init(_ recipe: Recipe, _ survey: Survey, admin: LogAdmin, logger: Logger) throws {
        let lows = survey.watermarks.mapValues(\.low)
        switch recipe.replay {
        case .beginning: offsets = lows
        case .recorded:
            // A partition without a committed offset of the application is read from its beginning.
            let recorded = (survey.recorded(recipe) ?? [:]).filter { lows[$0.key] != nil }
            let probe = LogProbe(settings: recipe.kafkaSettings, topic: recipe.commands.topic, logger: logger)
            let last = try Told.by { () throws(LogError) in
                try probe.last(before: recorded, marks: survey.watermarks)
            }
            let recordedAt = survey.state?.recorded == nil ? WallClock.now() : survey.state?.recordedAt ?? .max
            let times = (last.value ?? [:]).filter { $0.value.timestamp >= 0 }
                .mapValues { min($0.timestamp, recordedAt) - recipe.recordedMargin }
            let told = try Told.by { () throws(LogError) in
                try admin.offsets(recipe.commands.topic, forTimestamps: times)
            }
            self = Self.recorded(recorded, told, marks: survey.watermarks)
        case .offsets(let asked): offsets = lows.merging(asked.filter { lows[$0.key] != nil }) { _, asked in asked }
        case .timestamp(let time):
            let told = try Told.by { () throws(LogError) in
                try admin.offsets(recipe.commands.topic, partitions: survey.topic.partitions, forTimestamp: time)
            }
            let probe = LogProbe(settings: recipe.kafkaSettings, topic: recipe.commands.topic, logger: logger)
            self = try Self.at(time, told, marks: survey.watermarks) { offsets throws(LogError) in
                try probe.timestamps(at: offsets)
            }
        }
    }

    /// Begins earlier than recorded: at the records of the time before, where the brokers know them. An application
    /// may commit an offset before it has written everything before it. `found`: the offset of that time, by partition.
    package static func recorded(
        _ recorded: [Int32: Int64], _ found: Told<[Int32: Int64?]>, marks: [Int32: (low: Int64, high: Int64)]
    ) -> ReplayStart {
        var start = ReplayStart(offsets: marks.mapValues(\.low))
        var unknown: [Int32] = []
        for (partition, offset) in recorded {
            guard let low = marks[partition]?.low else { continue }
            if offset <= low {
                start.offsets[partition] = offset
            } else if let early = found.value?[partition] ?? nil {
                start.offsets[partition] = min(offset, max(low, early))
            } else {
                // There is a record of that time or later, so brokers that name none cannot search by time.
                unknown.append(partition)
            }
        }
        if !unknown.isEmpty {
            start.unknown = (unknown.sorted(), found.why ?? "the brokers named no record of the time before it")
        }
        return start
    }

    /// `timestamps`: reads when the records at those offsets were written.
    package static func at(
        _ time: Int64, _ told: Told<[Int32: Int64?]>, marks: [Int32: (low: Int64, high: Int64)],
        timestamps: ([Int32: Int64]) throws(LogError) -> [Int32: Int64]
    ) throws(LogError) -> ReplayStart {
        var start = ReplayStart(offsets: marks.mapValues(\.low))
        guard let found = told.value else {
            start.unknown = (marks.keys.sorted(), told.why ?? "")
            return start
        }
        // A partition without a record of that time or later is read from its end. We believe that there is none only
        // if the last record is older: a broker that cannot search by time gives the same answer.
        let without = marks.filter { (found[$0.key] ?? nil) == nil }
        let last = try timestamps(without.filter { $0.value.high > $0.value.low }.mapValues { $0.high - 1 })
        var wrong: [Int32] = []
        for (partition, mark) in marks {
            if let offset = found[partition] ?? nil {
                start.offsets[partition] = offset
            } else if let written = last[partition], written >= time {
                wrong.append(partition)
            } else {
                start.offsets[partition] = mark.high
            }
        }
        if !wrong.isEmpty {
            start.unknown = (
                wrong.sorted(),
                "the brokers named no record of that time or later, but the last one there is younger"
            )
        }
        return start
    }
}
