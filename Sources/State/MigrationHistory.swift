import Basics
import Foundation
import JSONText
import Runtime
import SearchCluster
import Telemetry

/// One thing that somebody did to a migration.
package struct HistoryEvent: Sendable, Equatable {
    /// What was done. A newer version may know other words.
    package struct What: RawRepresentable, Sendable, Hashable {
        package var rawValue: String
        package init(rawValue: String) { self.rawValue = rawValue }
        package init(_ word: String) { rawValue = word }

        package static let initialised = What("init")
        package static let confirmed = What("confirmed")
        package static let copyBegun = What("copy_begun")
        package static let copyFinished = What("copy_finished")
        package static let copyStopped = What("copy_stopped")
        package static let replayBegun = What("replay_begun")
        package static let replayFinished = What("replay_finished")
        package static let replayStopped = What("replay_stopped")
        package static let followBegun = What("follow_begun")
        package static let followStopped = What("follow_stopped")
        /// It was refused before it began.
        package static let copyRefused = What("copy_refused")
        package static let replayRefused = What("replay_refused")
        package static let followRefused = What("follow_refused")
        package static let verified = What("verified")
        package static let repaired = What("repaired")
        package static let purged = What("purged")
        package static let redriven = What("redriven")
        package static let rolloverBegun = What("rollover_begun")
        package static let rolledOver = What("rolled_over")
        package static let rollbackBegun = What("rollback_begun")
        package static let rolledBack = What("rolled_back")
        package static let notMoved = What("not_moved")
        package static let readersMoved = What("readers_moved")
        package static let readersNotMoved = What("readers_not_moved")
        package static let finishBegun = What("finish_begun")
        package static let finished = What("finished")
        package static let discarded = What("discarded")

        /// Whether work ended that goes on when it is started again.
        package var isStop: Bool { [.followStopped, .replayStopped, .copyStopped].contains(self) || isRefusal }

        package var isRefusal: Bool { [.followRefused, .replayRefused, .copyRefused].contains(self) }

        /// Whether it is the begin or the end of a copy, a replay or a follower.
        fileprivate var isWork: Bool {
            isStop
                || [.copyBegun, .copyFinished, .replayBegun, .replayFinished, .followBegun].contains(self)
        }
    }

    package var what: What
    /// What came of it, or to what it was done, for people.
    package var detail: String
    /// Of the work under which it was done.
    package var fingerprint: String
    /// What a newer version says besides.
    private var others = JSONObject()
    /// Milliseconds since 1970, by the clock of the host. The order of events is that in which they were written.
    package var time: Int64
    package var by: Operator

    package init(
        _ what: What, _ detail: String = "", fingerprint: String, time: Int64 = WallClock.now(), by: Operator = .present
    ) {
        (self.what, self.detail, self.fingerprint, self.time, self.by) = (what, detail, fingerprint, time, by)
    }

    /// Seconds since then; 0 where the clock of its host is ahead.
    package func age(now: Int64) -> Int64 { max(0, now &- time) / 1000 }

    /// Whether it is the coming and going of a follower.
    var isRoutine: Bool { what == .followBegun || what == .followStopped || what == .followRefused }

    /// Whether it tells the same, at another time.
    fileprivate func repeats(_ other: HistoryEvent) -> Bool {
        (what, detail, fingerprint) == (other.what, other.detail, other.fingerprint) && by == other.by
    }

    package var json: JSONValue {
        var members: JSONObject = [
            "time": .string(ISOTime.text(time)), "what": .string(what.rawValue), "user": .string(by.user),
            "host": .string(by.host), "fingerprint": .string(fingerprint), "detail": .string(detail),
        ]
        for (name, value) in others { members[name] = value }
        return .object(members)
    }

    package init?(json: JSONValue) {
        guard let time = json["time"]?.string.flatMap(ISOTime.milliseconds), let what = json["what"]?.string,
            let user = json["user"]?.string, let host = json["host"]?.string,
            let fingerprint = json["fingerprint"]?.string
        else { return nil }
        self.init(
            What(what), json["detail"]?.string ?? "", fingerprint: fingerprint, time: time,
            by: Operator(host: host, user: user))
        others = json.object ?? others
        for name in ["time", "what", "user", "host", "fingerprint", "detail"] { others[name] = nil }
    }
}

/// The last events of a migration, the oldest first.
package struct MigrationHistory: Sendable, Equatable {
    /// The most events that are kept.
    package static let most = 500
    /// The longest detail that is kept, in characters.
    static let longest = 400

    package var events: [HistoryEvent] = []
    /// Events that are not kept any more.
    package var dropped = 0
    /// Events that a newer version has written, and this one does not understand. They are kept, and not shown.
    private var unread: [JSONValue] = []

    package init() {}

    package mutating func add(_ event: HistoryEvent) {
        var event = event
        if event.detail.count > Self.longest { event.detail = event.detail.prefix(Self.longest) + "..." }
        // A supervisor starts what was refused again and again.
        if event.what.isRefusal, let last = events.last, event.repeats(last) { events.removeLast() }
        events.append(event)
        // A follower that is started again and again must not push out what people did.
        var excess = max(0, events.count - Self.most)
        dropped += excess
        events.removeAll { event in
            guard excess > 0, event.isRoutine else { return false }
            excess -= 1
            return true
        }
        events.removeFirst(excess)
    }

    /// How the last copy, replay or follower ended; nil: it goes on, or did all that it was to do.
    ///
    /// - Parameter isLeft: whether work was begun that no process goes on with.
    package func lastStop(isLeft: Bool) -> HistoryEvent? {
        if isLeft { return events.last { $0.what.isStop } }
        return events.last { $0.what.isWork }.flatMap { $0.what.isRefusal ? $0 : nil }
    }

    /// As it is stored: texts, so that nothing of it becomes a field of the state index.
    package var json: JSONValue {
        ["history": .string(JSONValue.array(unread + events.map(\.json)).text()), "dropped": .number(dropped)]
    }

    /// Events that this version does not understand are not among ``events``.
    package init(json: JSONValue) {
        let stored = json["history"]?.string.flatMap { try? JSONValue(parsing: $0) }?.array ?? []
        for told in stored {
            if let event = HistoryEvent(json: told) { events.append(event) } else { unread.append(told) }
        }
        unread = unread.suffix(Self.most)
        dropped = json["dropped"]?.size ?? 0
    }
}

/// The history as a document of its own beside the state, changed by compare-and-set.
package struct HistoryStore: Sendable {
    private static let document = "history"

    private let writer: TargetWriter
    private let index: String
    private let logger: Logger

    package init(_ store: StateStore, target: Cluster, logger: Logger) {
        writer = target.writer
        (index, self.logger) = (store.index, logger)
    }

    package func load() throws -> MigrationHistory {
        MigrationHistory(json: try writer.getDocument(index, Self.document)?.source ?? [:])
    }

    /// Adds an event. Where that fails, the log says so and the work goes on: what was done is done.
    package func record(_ event: HistoryEvent) {
        do {
            try add(event)
        } catch {
            logger.warning(
                "the history could not be written", ["event": event.what.rawValue, "error": "\(error)"])
        }
    }

    private func add(_ event: HistoryEvent) throws {
        for attempt in 1... {
            let stored = try writer.getDocument(index, Self.document)
            var history = MigrationHistory(json: stored?.source ?? [:])
            history.add(event)
            do {
                _ = try writer.putDocument(index, Self.document, history.json, expecting: stored?.token ?? .absent)
                return
            } catch {
                guard error.code == .conflict, attempt < 50 else { throw error }
            }
        }
    }
}
