import JSONText

/// How fast documents that were read one by one have settled: how many were still open, over time.
package struct Rechecks: Sendable, Equatable {
    package struct Round: Sendable, Equatable {
        /// Milliseconds since it began.
        package var at: Int64
        package var open: Int

        package init(at: Int64, open: Int) { (self.at, self.open) = (at, open) }
    }

    /// The most rounds that are kept. Of more, every second one goes.
    package static let most = 100

    /// How many documents were read one by one.
    package private(set) var candidates = 0
    package private(set) var rounds: [Round] = []
    private var began: Int64 = 0
    /// Of so many rounds one is kept.
    private var step = 1
    private var skipped = 0

    package init() {}

    /// `now`: milliseconds of any clock that never goes back.
    package init(candidates: Int, began now: Int64) { (self.candidates, began) = (candidates, now) }

    /// A round has ended.
    package mutating func add(judged: Int, now: Int64) {
        let round = Round(at: max(0, now - began), open: max(0, candidates - judged))
        skipped += 1
        // The one at which everything is settled is kept in any case.
        guard skipped >= step || round.open == 0 else { return }
        skipped = 0
        rounds.append(round)
        guard rounds.count > Self.most else { return }
        rounds = rounds.enumerated().filter { $0.offset % 2 == 1 }.map(\.element)
        step *= 2
    }

    /// `1204 documents were read one by one; still open: 1204, 30 after 1 s, 0 after 3 s`; nil: there were none.
    package var words: String? {
        guard candidates > 0 else { return nil }
        var shown: [Round] = []
        for round in rounds where round.open != shown.last?.open ?? candidates { shown.append(round) }
        if shown.count > 6 {
            let last = shown.count - 1
            shown = (0...5).map { shown[$0 * last / 5] }
        }
        let steps = shown.map { "\($0.open) after \(Self.seconds($0.at))" }
        return "\(candidates) documents were read one by one; still open: "
            + (["\(candidates) at first"] + steps).joined(separator: ", ")
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        let tenths = (milliseconds &+ 50) / 100
        return tenths < 100 ? "\(tenths / 10).\(tenths % 10) s" : "\(tenths / 10) s"
    }

    package var json: JSONValue {
        [
            "candidates": .number(candidates),
            "rounds": .array(rounds.map { ["after_ms": .number($0.at), "open": .number($0.open)] }),
        ]
    }

    package init(json: JSONValue) {
        func whole(_ json: JSONValue?) -> Int { json?.size ?? 0 }
        candidates = whole(json["candidates"])
        for round in (json["rounds"]?.array ?? []).prefix(Self.most) {
            rounds.append(Round(at: round["after_ms"]?.count ?? 0, open: whole(round["open"])))
        }
    }

    package static func == (one: Rechecks, other: Rechecks) -> Bool {
        one.candidates == other.candidates && one.rounds == other.rounds
    }
}
