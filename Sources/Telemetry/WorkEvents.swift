import Synchronization

/// The events of the work. Each has one method, which writes the log line, if there is one, and moves the figures.
///
/// No method is called per record: the ledger counts the outcomes of records, and a scrape reads them from there. The
/// figures are relaxed atomics, so that an event costs its caller only a few additions. Every counter begins at 0, with
/// all values of its label.
package final class WorkEvents: Sendable {
    package let logger: Logger

    /// - Parameter indices: the names of the target indices. Their places here are the numbers that later calls use.
    package init(_ logger: Logger, indices: [String] = []) {
        self.logger = logger
        let name = "crossfade_index_operations_total"
        let help = "Operations with an outcome by target index: taken or stale, or refused for good."
        operations = indices.map { index in
            CounterFamily(name, help, label: "outcome", ["success", "failure"], fixed: [("index", index)])
        }
    }

    // MARK: Bulk requests

    private let requests = CounterFamily(
        "crossfade_bulk_requests_total", "Bulk requests by HTTP status; none: no answer came.", label: "code",
        ["200", "400", "401", "403", "404", "413", "429", "500", "502", "503", "504", "none", "other"])
    private let latency = Histogram(
        "crossfade_bulk_request_duration_seconds", "From sending a bulk request to the end of its answer.",
        [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60], scale: 1e9)
    private let sizes = Histogram(
        "crossfade_bulk_request_size_bytes", "Bytes of answered bulk requests' bodies.",
        [1e3, 1e4, 1e5, 2.5e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7, 1e8])
    private let items = CounterFamily(
        "crossfade_bulk_items_total", "Operations in answered bulk requests: with an outcome, or to be sent again.",
        label: "outcome", ["concluded", "retry"])
    private let retries = CounterFamily(
        "crossfade_bulk_retries_total", "Bulk requests repeated, whole or in part, by reason.", label: "reason",
        Retry.allCases.map(\.rawValue))
    private let waits = CounterFamily(
        "crossfade_waits_total",
        "How often writes to the target, reads of the bases of partial updates, or reads of the copy, began to wait.",
        label: "for", ["target", "reads", "source"])

    /// Why operations are sent again.
    package enum Retry: String, Sendable, CaseIterable {
        /// The target has too much to do: status 429 or 5xx of the request, 429 of an item.
        case throttled
        /// There was no answer.
        case connection
        /// The answer could not be used, e.g. because items were missing.
        case malformed
        /// The index is blocked, or a shard or the index is not there at the moment.
        case unavailable
        /// The request was refused as a whole, and is sent again in halves.
        case split
    }

    /// The target answered a bulk request. This is not logged, because there may be hundreds per second.
    package func bulkAnswered(status: Int, seconds: Double, bytes: Int) {
        requests.add(String(status))
        latency.observe(seconds)
        sizes.observe(Double(bytes))
    }

    /// A bulk request got no answer.
    package func bulkUnanswered() { requests.add("none") }

    private let operations: [CounterFamily]

    /// The answer to a bulk request was read. `index`: the number of the target index. `concluded`: operations that
    /// have their outcome. `refused`: those of them that the target will never take. `again`: operations to be sent
    /// again.
    package func bulkSettled(index: Int, concluded: Int, refused: Int, again: Int) {
        items.add("concluded", concluded)
        items.add("retry", again)
        guard operations.indices.contains(index) else { return }
        operations[index].add("success", concluded - refused)
        operations[index].add("failure", refused)
    }

    /// A bulk request, or a part of it, is sent again.
    package func bulkRepeated(_ reason: Retry) { retries.add(reason.rawValue) }

    package func targetRefusesAll(because reason: String) {
        waits.add("target")
        logger.warning("the target does not take writes; waiting and repeating", ["because": reason])
    }

    package func targetRefusesSome(because reason: String) {
        waits.add("target")
        logger.warning("the target does not take some writes; waiting and repeating", ["because": reason])
    }

    package func targetTakesWrites() { logger.info("the target takes writes again") }

    package func readsFail(from side: String, because reason: String) {
        waits.add("reads")
        logger.warning(
            "the documents that partial updates change cannot be read; waiting and repeating",
            ["from": side, "because": reason])
    }

    package func readsSucceed(from side: String) {
        logger.info("the documents that partial updates change can be read again", ["from": side])
    }

    /// The source does not give a page of the copy. `slice`: of which.
    package func sourceIsAway(_ slice: String, because reason: String) {
        waits.add("source")
        logger.warning(
            "the source does not give the documents of the copy; waiting, and reading the slice again",
            ["slice": slice, "because": reason])
    }

    package func sourceIsBack() { logger.info("the source gives the documents of the copy again") }

    /// A slice is read in another way from here on.
    package func sliceReadOtherwise(_ slice: String, _ how: String, because reason: String) {
        logger.warning("a slice of the copy is read again", ["slice": slice, "how": how, "because": reason])
    }

    // MARK: Reading

    private let records = Counter("crossfade_kafka_records_consumed_total", "Records taken from the command topic.")
    private let recordBytes = Counter(
        "crossfade_kafka_consumed_bytes_total", "Bytes of these records' keys and values.")
    private let documents = Counter("crossfade_copy_documents_read_total", "Documents that the source has returned.")
    private let documentBytes = Counter("crossfade_copy_read_bytes_total", "Bytes of these documents.")
    private let backpressure = Counter(
        "crossfade_backpressure_seconds_total",
        "Time in which nothing was read because as much was in flight as may be.",
        scale: 1000)

    /// A run of records was taken from the log.
    package func recordsTaken(_ count: Int, bytes: Int) {
        records.add(count)
        recordBytes.add(bytes)
    }

    /// The source gave a page of the copy.
    package func pageTaken(documents count: Int, bytes: Int) {
        documents.add(count)
        documentBytes.add(bytes)
    }

    /// Reading waited so long, because no more records or documents may be in memory at once.
    package func readingWaited(milliseconds: Int) { backpressure.add(milliseconds) }

    /// The figures for StatsD cannot be sent (false), or can be sent again (true).
    package func statsdIsHeard(_ isHeard: Bool, address: String) {
        if isHeard {
            logger.info("figures are sent to StatsD again", ["address": address])
        } else {
            logger.warning(
                "figures for StatsD go nowhere: the name is not known now, or the network is away", ["address": address]
            )
        }
    }

    // MARK: The group

    private let rebalances = CounterFamily(
        "crossfade_kafka_rebalances_total", "Times that partitions were assigned, revoked or lost.", label: "type",
        ["assigned", "revoked", "lost"])
    private let commits = CounterFamily(
        "crossfade_commits_total", "Times that settled offsets were kept, or could not be.", label: "outcome",
        ["ok", "failed"])
    private let lastCommit = Moment(
        "crossfade_last_commit_timestamp_seconds", "When settled offsets were last kept, seconds since 1970.")
    private let stops = Counter("crossfade_process_stops_total", "Times that this process did not run for too long.")

    /// Whether the group has told this member its partitions. A member may get none: a group with more members than
    /// partitions has some that stand by.
    package var hasAssignment: Bool { isAssigned.load(ordering: .relaxed) }
    private let isAssigned = Atomic<Bool>(false)

    package func partitionsAssigned(_ partitions: [Int32]) {
        isAssigned.store(true, ordering: .relaxed)
        rebalances.add("assigned")
        logger.info("partitions assigned", ["partitions": partitions.sorted()])
    }

    package func partitionsRevoked(_ partitions: [Int32], lost: Bool, drained: Bool) {
        isAssigned.store(false, ordering: .relaxed)
        rebalances.add(lost ? "lost" : "revoked")
        logger.info(
            "partitions revoked",
            ["partitions": partitions.sorted(), "lost": lost, "drained": drained])
    }

    /// Offsets of settled records were committed to the group, or written to the state of a replay. `now`: milliseconds
    /// since 1970.
    package func offsetsKept(now: Int64) {
        commits.add("ok")
        lastCommit.set(now)
    }

    /// Such offsets could not be written this time.
    package func offsetsNotKept() { commits.add("failed") }

    package func commitFailed(_ error: String) {
        commits.add("failed")
        logger.warning("a commit failed; its offsets are committed again", ["error": error])
    }

    package func processWasStopped(milliseconds: Int64, sessionTimeout: Int) {
        stops.add()
        logger.warning(
            "this process was stopped for a while; asking the group whether its partitions are still its own",
            ["milliseconds": milliseconds, "session_timeout": sessionTimeout])
    }

    // MARK: The rest

    private let purged = Counter("crossfade_tombstones_purged_total", "Tombstones purged from the target.")
    private let alarms = CounterFamily(
        "crossfade_alarms_total", "Alarms raised.", label: "name", ["stale_rate", "death_rate", "other"])

    package func tombstonesPurged(_ count: Int, younger: Int, deadLetter: Int, newer: Int) {
        purged.add(count)
        logger.info(
            "purged tombstones",
            [
                "purged": count, "younger": younger, "dead_letter": deadLetter,
                "newer": newer,
            ])
    }

    package func alarmRaised(_ name: String, _ text: String) {
        alarms.add(name)
        logger.error("ALARM", ["name": name, "text": text])
    }

    // MARK: Figures

    /// The bytes of all records and documents that were taken.
    package var bytesTaken: Int { recordBytes.total + documentBytes.total }

    /// The bulk requests by status, without statuses that did not occur.
    package var bulkRequests: [String: Int] { requests.present }
    /// The repeated bulk requests by reason, without reasons that did not occur.
    package var bulkRetries: [String: Int] { retries.present }
    package var bulkLatency: HistogramFigures { latency.present }

    /// The operations of each target index, by its number.
    package var indices: [(succeeded: Int, failed: Int)] {
        operations.map { ($0.totals.first?.count ?? 0, $0.totals.last?.count ?? 0) }
    }

    /// All figures, for a scrape.
    package var families: [MetricFamily] {
        let metrics: [any Metric] = [
            requests, latency, sizes, items, retries, waits, records, recordBytes, documents, documentBytes,
            backpressure,
            rebalances, commits, lastCommit, stops, purged, alarms,
        ]
        var all = metrics.map(\.family)
        if var first = operations.first?.family {
            for other in operations.dropFirst() { first.samples += other.family.samples }
            all.append(first)
        }
        return all
    }
}
