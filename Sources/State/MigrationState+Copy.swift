import Indexing
import JSONText
import Parity

extension MigrationState.Copy {
    /// What a copy reads that does not read everything.
    package struct Part: Sendable, Equatable {
        /// As a person would type it: `modified_at>=2026-11-01`.
        package var words: String
        /// In the source's language.
        package var query: JSONValue
        /// The copies before hold the source as it was at this time, but for deletes.
        package var before: Int64
        /// It begins where the copies before end, so that with it they hold the source as it was when it began.
        package var isChained: Bool

        package init(words: String, query: JSONValue, before: Int64, isChained: Bool) {
            (self.words, self.query, self.before, self.isChained) = (words, query, before, isChained)
        }
    }

    /// Until when all copies together hold the source, but for deletes; nil: none was ever finished.
    package var covered: Int64? {
        guard finished != nil else { return part?.before }
        return part.map { $0.isChained ? snapshot : $0.before } ?? snapshot
    }

    /// What became of the documents, over all runs of this copy.
    package struct Totals: Sendable, Equatable {
        package var returned = 0
        /// Documents that were not there.
        package var created = 0
        /// Documents that were there in an older version.
        package var updated = 0
        /// Documents that were there in the same or a newer version, and stay as they were.
        package var conflicts = 0

        package init() {}

        /// Those with another outcome: dead letters, or gone meanwhile.
        package var others: Int { returned - created - updated - conflicts }
    }

    package var totals: Totals {
        slices.reduce(into: Totals()) { totals, slice in
            let (indexed, created) = (slice.outcomes["indexed"] ?? 0, slice.outcomes["created"] ?? 0)
            totals.returned = OutsideNumber.sum([totals.returned, slice.returned])
            totals.created = OutsideNumber.sum([totals.created, created])
            totals.updated = OutsideNumber.sum([totals.updated, indexed - created])
            totals.conflicts = OutsideNumber.sum([totals.conflicts, slice.outcomes["stale"] ?? 0])
        }
    }

    package var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("round", .number("\(round)")), ("expected", .number("\(expected)")), ("started", .number("\(started)")),
            ("slices", .array(slices.map(\.json))),
        ]
        if let finished { members.append(("finished", .number("\(finished)"))) }
        if let refreshed { members.append(("refreshed", .number("\(refreshed)"))) }
        if let sourceWritten { members.append(("source_written", WriteMark.json(sourceWritten))) }
        if let stopped { members.append(("stopped", .string(stopped))) }
        if let conflictsFrom { members.append(("conflicts_from", .number("\(conflictsFrom)"))) }
        if let part {
            members.append(
                (
                    "part",
                    [
                        "words": .string(part.words), "query": part.query, "before": .number("\(part.before)"),
                        "chained": .bool(part.isChained),
                    ]
                ))
        }
        return .object(JSONObject(members))
    }

    package init?(json: JSONValue) {
        guard let round = json["round"]?.size, let expected = json["expected"]?.size,
            let started = json["started"]?.time, let slices = json["slices"]?.array
        else { return nil }
        self.init(
            round: round, expected: expected, started: started, finished: json["finished"]?.time,
            slices: slices.compactMap(MigrationState.Slice.init(json:)), refreshed: json["refreshed"]?.time)
        stopped = json["stopped"]?.string
        sourceWritten = WriteMark.all(json["source_written"])
        conflictsFrom = json["conflicts_from"]?.size
        guard let told = json["part"] else { return }
        // Without its query it would read everything, and count as whole.
        guard let words = told["words"]?.string, let query = told["query"], let before = told["before"]?.time else {
            return nil
        }
        part = Part(words: words, query: query, before: before, isChained: told["chained"]?.bool ?? false)
    }
}

extension MigrationState.Slice {
    package var json: JSONValue {
        .object(
            JSONObject([
                ("entry", .number("\(entry)")), ("index", .string(index)), ("spec", .string(spec)),
                ("done", .bool(done)), ("returned", .number("\(returned)")),
                (
                    "outcomes",
                    .object(JSONObject(outcomes.sorted { $0.key < $1.key }.map { ($0.key, .number("\($0.value)")) }))
                ),
            ]))
    }

    package init?(json: JSONValue) {
        guard let entry = json["entry"]?.size, let index = json["index"]?.string, let spec = json["spec"]?.string,
            let done = json["done"]?.bool, let returned = json["returned"]?.size,
            let members = json["outcomes"]?.object
        else { return nil }
        var outcomes: [String: Int] = [:]
        for (key, value) in members { outcomes[key] = value.size ?? 0 }
        self.init(
            entry: entry, index: index, spec: spec, done: done, returned: returned, outcomes: outcomes)
    }
}
