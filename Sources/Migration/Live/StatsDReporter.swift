import Commands
import Foundation
import JSONText
import Runtime
import Telemetry

/// Sends figures of running work to a StatsD server once a second: documents by index and type of outcome, documents in
/// all, and at the end the time it took. The names are those of the script of the incidents' migration
/// (docs/operations.md), so dashboards made for that script go on working.
///
/// `@unchecked Sendable` because `stopped` is touched only under `condition`, and the rest only by the thread.
package final class StatsDReporter: @unchecked Sendable {
    private let live: LiveWork
    private let sender: StatsDSender
    private let address: String
    private let condition = MonotonicCondition()
    private var stopped = false
    private var thread: JoinableThread?
    private var told = StatsDDifferences()
    private var isHeard = true

    /// - Parameters:
    ///   - live: the work. It need not have begun.
    ///   - address: `HOST:PORT`, with an IPv6 address in brackets. nil is returned for anything else.
    package init?(_ live: LiveWork, address: String) {
        guard let colon = address.lastIndex(of: ":"),
            let port = OutsideNumber.size(text: address[address.index(after: colon)...]),
            (1...65535).contains(port)
        else { return nil }
        let host = address[..<colon].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
        guard !host.isEmpty else { return nil }
        (self.live, self.address) = (live, address)
        sender = StatsDSender(host: host, port: port)
    }

    package func start() {
        thread = JoinableThread("cf-statsd") { [self] in
            while !pause() { tell(isLast: false) }
            tell(isLast: true)
            sender.close()
        }
    }

    /// Sends the rest, with the time that the work took.
    package func stop() {
        condition.lock()
        stopped = true
        condition.signal()
        condition.unlock()
        thread?.join(seconds: 5)
    }

    /// Waits a second. Returns true, at once, when it is to stop.
    private func pause() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if !stopped { condition.wait(milliseconds: 1000) }
        return stopped
    }

    private func tell(isLast: Bool) {
        let lines = told.lines(live.documents, milliseconds: isLast ? live.age : nil)
        let isSent = sender.send(lines)
        guard isSent != isHeard else { return }
        isHeard = isSent
        live.events.statsdIsHeard(isSent, address: address)
    }
}

/// The StatsD figures of one target index.
package struct IndexedDocuments: Sendable, Equatable {
    /// nil: the figures of records that belong to no index, because they could not be decoded.
    package var index: String?
    package var succeeded = 0
    package var failed = 0
    /// Documents that the copy has to bring; nil: the work is no copy.
    package var expected: Int?
}

/// Turns totals into StatsD counters, which are sent as increments.
package struct StatsDDifferences {
    private var before: [String: (succeeded: Int, failed: Int)] = [:]

    /// `milliseconds`: how long the work took, at its end.
    package mutating func lines(_ documents: [IndexedDocuments], milliseconds: Int?) -> [String] {
        var lines: [String] = []
        for one in documents {
            let index = one.index ?? "none"
            let last = before[index] ?? (0, 0)
            before[index] = (one.succeeded, one.failed)
            func count(_ type: String, _ growth: Int) {
                guard growth > 0 else { return }
                let name = StatsD.name("elastic_migration_document_count", [("index", index), ("type", type)])
                lines.append(StatsD.counter(name, growth))
            }
            count("success", one.succeeded - last.succeeded)
            count("failure", one.failed - last.failed)
            if let expected = one.expected {
                let name = StatsD.name(
                    "elastic_migration_document_total_count", [("index", index), ("type", "success")])
                lines.append(StatsD.gauge(name, expected))
            }
            if let milliseconds, one.index != nil {
                let name = StatsD.name("elastic_migration_time_ms", [("index", index)])
                lines.append(StatsD.timer(name, milliseconds: milliseconds))
            }
        }
        return lines
    }
}

extension LiveWork {
    /// Milliseconds since the work was made.
    package var age: Int { Int(clamping: max(0, WallClock.now() - started)) }

    /// Documents by target index and outcome.
    package var documents: [IndexedDocuments] {
        let entries = prepared.survey.entries
        var found = zip(entries, events.indices).map { entry, counted in
            IndexedDocuments(
                index: entry.index, succeeded: counted.succeeded, failed: counted.failed,
                expected: command == "copy" ? entry.documents : nil)
        }
        let dead = snapshot(isLooking: false).outcomes[Outcome.deadLettered.rawValue]
        found.append(IndexedDocuments(failed: max(0, dead - found.reduce(0) { $0 + $1.failed })))
        return found
    }
}
