import Cutover
import Failures
import Foundation
import JSONText
import Planning
import Recipe
import Runtime
import SearchCluster
import Synchronization

/// Searches the new indices as readers will, before they come, and goes on until it is told to stop.
///
/// One search at a time, with a pause behind each: at most 20 searches a second, and two a second once it is warm.
final class Warmer: Sendable {
    struct Search: Sendable {
        var index: String
        var body: JSONValue
        /// For messages.
        var name: String
    }

    private struct Book {
        var warmth = Warmth()
        /// Why the newest search failed; nil: it did not. `isFinal`: it would fail again.
        var failure: (words: String, isFinal: Bool)?
        var isStopped = false
        /// How often every search was made.
        var turns = 0
    }

    /// Milliseconds between two searches.
    private static let pause: Int64 = 50
    private static let pauseWhenWarm: Int64 = 500

    private let reader: ClusterReader
    private let searches: [Search]
    private let book = Mutex(Book())
    private let thread = Mutex<JoinableThread?>(nil)

    init(_ reader: ClusterReader, _ searches: [Search]) { (self.reader, self.searches) = (reader, searches) }

    /// The searches of the recipe, or else one that counts and one that sorts by a date.
    static func searches(_ session: CutoverSession) throws -> [Search] {
        let entries = session.prepared.survey.entries.filter { $0.exists && !$0.isClosed }
        let asked = session.recipe.cutover.warm.searches
        if let stray = asked.compactMap(\.index).first(where: { name in !entries.contains { $0.index == name } }) {
            throw WorkError(.recipe, "cutover.warm: \(stray) is no target index of the recipe that is there")
        }
        return entries.flatMap { entry -> [Search] in
            let own = asked.enumerated().filter { $1.index == nil || $1.index == entry.index }
            guard own.isEmpty else {
                return own.map { Search(index: entry.index, body: $1.body, name: "search \($0 + 1) of cutover.warm") }
            }
            let all = Search(
                index: entry.index, body: ["size": 0, "query": ["match_all": [:]]], name: "a search for everything")
            let dates = entry.present?.searchableFields.filter {
                $0.value == "date" && !$0.key.hasPrefix("crossfade_")
            }
            guard let date = dates?.keys.min() else { return [all] }
            let sort: JSONValue = .array([.object(JSONObject([(date, JSONValue.object(["order": "desc"]))]))])
            let newest: JSONValue = ["size": 10, "query": ["match_all": [:]], "sort": sort]
            return [all, Search(index: entry.index, body: newest, name: "a search for the newest by \(date)")]
        }
    }

    func start() {
        let made = JoinableThread("cf-warm") { [self] in
            while !book.withLock({ $0.isStopped }), !StopSignal.isAsked { turn() }
        }
        thread.withLock { $0 = made }
    }

    func stop() {
        book.withLock { $0.isStopped = true }
        thread.withLock { $0 }?.join()
    }

    /// Every search once.
    private func turn() {
        for search in searches {
            let (isOver, isWarm, count) = book.withLock { ($0.isStopped, $0.warmth.isSettled, $0.warmth.count) }
            guard !isOver, !StopSignal.isAsked else { return }
            let began = MonotonicClock.milliseconds()
            do throws(ClusterError) {
                // Another preference each time, so that all copies of a shard get their turn; and nothing from a cache.
                _ = try reader.search(
                    search.index, body: search.body, parameters: "?request_cache=false&preference=crossfade\(count)")
                let now = MonotonicClock.milliseconds()
                book.withLock {
                    $0.warmth.add(now - began, now: now)
                    $0.failure = nil
                }
            } catch {
                let isFinal = [.badRequest, .forbidden, .notFound].contains(error.code)
                let words = "\(search.name) fails on \(search.index): \(error)"
                book.withLock { $0.failure = (words, isFinal) }
                if isFinal { return stopAfterFailure() }
            }
            Thread.sleep(forTimeInterval: Double(isWarm ? Self.pauseWhenWarm : Self.pause) / 1000)
        }
        book.withLock { $0.turns += 1 }
    }

    private func stopAfterFailure() { book.withLock { $0.isStopped = true } }

    /// Waits until the times have settled.
    /// - Parameter isShort: whether every search once is enough.
    func gate(within: Int64, isShort: Bool) -> Gate {
        guard !searches.isEmpty else { return .passed(.warm, "there is nothing to search") }
        let deadline = MonotonicClock.milliseconds() + within
        while true {
            let now = book.withLock { $0 }
            let isOver = MonotonicClock.milliseconds() >= deadline || StopSignal.isAsked
            if let failure = now.failure, failure.isFinal || isOver {
                return .failed(
                    .warm, failure.words, mend: "readers would meet this, too: mend the search or the mapping")
            }
            if now.warmth.isSettled { return .passed(.warm, now.warmth.words) }
            if isShort, now.turns > 0 { return .passed(.warm, now.warmth.words) }
            guard !isOver else {
                let limit = RecipeDuration.text(within)
                let rounds = now.warmth.rounds.suffix(5).map { "\($0)" }.joined(separator: ", ")
                return .failed(
                    .warm,
                    "searches of the new side have not settled within \(limit): \(now.warmth.words); "
                        + "95 % of each round within \(rounds) ms",
                    mend: "run rollover again, or give it longer: cutover.warm.within")
            }
            Thread.sleep(forTimeInterval: 0.05)
        }
    }
}
