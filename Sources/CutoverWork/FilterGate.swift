import CommandLog
import Cutover
import Foundation
import JSONText
import Recipe
import Runtime
import SearchCluster

/// An alias for readers with what it shows of the old indices, and what it will show of the new ones.
struct FilteredAlias: Sendable {
    let alias: String
    var old: [(index: String, filter: JSONValue?)] = []
    var new: [(index: String, filter: JSONValue?)] = []

    init(_ alias: String) { self.alias = alias }
}

/// Counts what an alias shows on both sides.
struct FilterGate {
    let session: CutoverSession

    /// How long counts may differ because one side is behind the other, in milliseconds.
    static let patience: Int64 = 10_000

    func gates(_ aliases: AliasLook) throws -> [Gate] {
        guard !aliases.filtered.isEmpty else { return [.passed(.filter, "no alias has a filter")] }
        let source = session.isOneCluster ? session.target : session.prepared.survey.source
        guard let source else {
            return [.passed(.filter, "the old side cannot be asked, so what its aliases show was not counted")]
        }
        return try aliases.filtered.map { try judge($0, source.reader) }
    }

    private func judge(_ alias: FilteredAlias, _ source: ClusterReader) throws -> Gate {
        let deadline = MonotonicClock.milliseconds() + Self.patience
        let begun = try written()
        while true {
            let old = try count(alias.old, source)
            let new = try count(alias.new, session.target.reader)
            let meanwhile = max(0, try written() - begun)
            let words =
                "\(alias.alias) shows \(old) documents of the old side, and its filter on the new side \(new); "
                + "\(meanwhile) commands came meanwhile"
            if abs(old - new) <= meanwhile { return .passed(.filter, words) }
            guard MonotonicClock.milliseconds() < deadline, !StopSignal.isAsked else {
                return .failed(
                    .filter, words,
                    mend: "ask both sides for the filter by hand, and say the right one in cutover.filters: "
                        + "{ \(alias.alias): ... }")
            }
            Thread.sleep(forTimeInterval: 0.5)
        }
    }

    private func count(_ places: [(index: String, filter: JSONValue?)], _ reader: ClusterReader) throws -> Int64 {
        try places.reduce(0) { sum, place in
            // Written so, a filter of 1.x is a query, too.
            let query = place.filter.map { JSONValue.object(["constant_score": ["filter": $0]]) }
            return sum + (try reader.count(place.index, query: query))
        }
    }

    /// Where the log ends, all partitions together.
    private func written() throws -> Int64 {
        guard session.recipe.hasCommands, let admin = try session.recipe.logAdmin(session.logger) else { return 0 }
        defer { admin.close() }
        let marks = try admin.watermarks(
            session.recipe.commands.topic, partitions: session.prepared.survey.topic.partitions)
        return marks.values.reduce(0) { $0 + $1.high }
    }
}
