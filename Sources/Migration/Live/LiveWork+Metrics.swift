import CommandLog
import Commands
import DeadLetters
import Failures
import Parity
import Pipeline
import Recipe
import SearchCluster
import Telemetry

extension LiveWork {
    /// All metrics of a scrape: counters of events, the present figures, and the process.
    package func families() -> [MetricFamily] {
        let snapshot = snapshot()
        return events.families + Self.reading(snapshot) + Self.flow(snapshot) + Self.target(snapshot)
            + Self.verdicts(snapshot) + [build(snapshot)] + ProcessFigures.families
    }

    /// All metrics in Prometheus's text format, version 0.0.4.
    package func metrics() -> String { PrometheusText.write(families()) }

    private func build(_ snapshot: WorkSnapshot) -> MetricFamily {
        .one(
            "crossfade_build_info", "Versions of Crossfade and of what it stands on.", .whole(1),
            [
                ("version", snapshot.version.isEmpty ? "unknown" : snapshot.version),
                ("librdkafka", KafkaSettings.version), ("libcurl", HTTPTransport.libraryVersion),
            ])
    }

    /// Unknown values are left out.
    private static func reading(_ snapshot: WorkSnapshot) -> [MetricFamily] {
        guard snapshot.command != "copy" else { return [] }
        let owned = snapshot.partitions.filter(\.isOwned)
        func each(
            _ name: String, _ help: String, _ value: (WorkSnapshot.Partition) -> MetricFamily.Value?
        ) -> MetricFamily {
            var family = MetricFamily(name, .gauge, help)
            for part in owned {
                guard let value = value(part) else { continue }
                family.add(value, [("topic", snapshot.topic), ("partition", String(part.partition))])
            }
            return family
        }
        return [
            each("crossfade_kafka_consumer_lag", "Records between the last with an outcome and the end.") {
                $0.lag.map { .whole($0) }
            },
            each("crossfade_kafka_consumer_lag_seconds", "How old the oldest of these can be.") {
                $0.lagSeconds.map { .real($0) }
            },
            each("crossfade_kafka_position_offset", "The next offset to read.") { $0.position.map { .whole($0) } },
            each("crossfade_kafka_committed_offset", "Every record before this offset has its outcome.") {
                $0.committed.map { .whole($0) }
            },
            each("crossfade_kafka_last_stable_offset", "Where the log ends, or the replay.") {
                $0.end.map { .whole($0) }
            },
            .one(
                "crossfade_kafka_assigned_partitions", "Partitions that this process reads.", .whole(Int64(owned.count))
            ),
            .one(
                "crossfade_kafka_paused_partitions",
                "Partitions that are not read because as much is in flight as may be.",
                .whole(snapshot.isFull ? Int64(owned.count) : 0)),
            .one(
                "crossfade_oldest_unacked_age_seconds",
                "How long the last outcome that lets offsets be kept is ago, while records wait for theirs.",
                snapshot.oldestUnsettled.map { .real($0) }),
            .one(
                "crossfade_caught_up", "1 while every record of these partitions has its outcome.",
                snapshot.lag.map { .whole($0 == 0 ? 1 : 0) }),
            .one(
                "crossfade_replay_remaining_records", "Records of the replay without an outcome.",
                snapshot.replay.map { .whole($0.remaining) }),
        ]
    }

    private static func flow(_ snapshot: WorkSnapshot) -> [MetricFamily] {
        var records = MetricFamily("crossfade_records_total", .counter, "Records and documents by their final outcome.")
        for (outcome, count) in zip(Outcome.allCases, snapshot.outcomes) {
            records.add(.whole(Int64(count)), [("outcome", outcome.name)])
        }
        var letters = MetricFamily("crossfade_dlq_records_total", .counter, "Dead letters by reason.")
        let known = DeadLetterReasons.known.map(\.code)
        let other = snapshot.deadLetters.reasons.keys.filter { !known.contains($0) }.sorted()
        for reason in known + other {
            letters.add(.whole(Int64(snapshot.deadLetters.reasons[reason] ?? 0)), [("reason", reason)])
        }
        return [
            records, letters,
            .one(
                "crossfade_inflight_records", "Records read and without an outcome.", .whole(Int64(snapshot.inFlight))),
            .one(
                "crossfade_inflight_bytes", "Bytes between reading and acknowledgement.",
                .whole(Int64(snapshot.memory.inFlight))),
            .one(
                "crossfade_buffer_bytes", "Bytes of records that wait for a worker.",
                .whole(Int64(snapshot.memory.queued))),
            .one("crossfade_memory_limit_bytes", "limits.memory of the recipe.", .whole(Int64(snapshot.memory.limit))),
            .one(
                "crossfade_copy_expected_documents", "Documents in the source when the copy began.",
                snapshot.copy.map { .whole(Int64($0.expected)) }),
            .one(
                "crossfade_copy_returned_documents", "Documents that the source has returned, of all runs of the copy.",
                snapshot.copy.map { .whole(Int64($0.returned)) }),
            .one("crossfade_copy_slices", "Parts of the copy.", snapshot.copy.map { .whole(Int64($0.slices)) }),
            .one(
                "crossfade_copy_slices_done", "Parts that are copied.",
                snapshot.copy.map { .whole(Int64($0.slicesDone)) }),
        ]
    }

    private static func target(_ snapshot: WorkSnapshot) -> [MetricFamily] {
        func each(
            _ name: String, _ help: String, _ value: (WorkSnapshot.Index) -> Int?
        ) -> MetricFamily {
            var family = MetricFamily(name, .gauge, help)
            for index in snapshot.indices {
                if let value = value(index) { family.add(.whole(Int64(value)), [("index", index.index)]) }
            }
            return family
        }
        let bulk = snapshot.bulk
        return [
            .one("crossfade_inflight_requests", "Bulk requests under way.", .whole(Int64(bulk.inFlight))),
            .one("crossfade_concurrency_limit", "Bulk requests that may be under way.", .whole(Int64(bulk.limit))),
            .one("crossfade_batch_documents", "Operations in a full batch.", .whole(Int64(bulk.batchDocuments))),
            .one("crossfade_batch_bytes", "Bytes of a full batch.", .whole(Int64(bulk.batchBytes))),
            .one(
                "crossfade_bulk_throttled_total", "Answers that said the target has too much to do.",
                .whole(Int64(bulk.throttled)), kind: .counter),
            each("crossfade_index_documents", "Documents of a target index, without tombstones.") { $0.documents },
            each("crossfade_index_tombstones", "Tombstones in a target index.") { $0.tombstones },
            each("crossfade_index_fields", "Fields in a target index's mapping.") { $0.fields },
        ]
    }

    private static func verdicts(_ snapshot: WorkSnapshot) -> [MetricFamily] {
        func flag(_ name: String, _ help: String, _ value: Bool) -> MetricFamily {
            .one(name, help, .whole(value ? 1 : 0))
        }
        var work = MetricFamily("crossfade_work_info", .gauge, "What this process does.")
        work.add(
            .whole(1),
            [
                ("migration", snapshot.migration), ("command", snapshot.command), ("phase", snapshot.phase),
                ("topic", snapshot.topic), ("group", snapshot.group),
            ])
        var receipt = MetricFamily("crossfade_receipt_verdict", .gauge, "1 for what the newest receipt says.")
        for verdict in Verdict.allCases {
            receipt.add(.whole(verdict == snapshot.receipt?.verdict ? 1 : 0), [("verdict", verdict.rawValue)])
        }
        let running = snapshot.members.filter { !$0.isStale(now: snapshot.now) }.count
        return [
            work,
            flag("crossfade_ready", "1 while this process does its work.", snapshot.ready.isReady),
            flag(
                "crossfade_switch_ready", "1 while nothing is known that speaks against moving readers.",
                snapshot.switching.isReady),
            receipt,
            .one(
                "crossfade_receipt_age_seconds", "How long ago the oldest part of the newest receipt was read.",
                snapshot.receipt.map { .whole($0.age(now: snapshot.now)) }),
            flag("crossfade_waiting", "1 while something keeps the work from going on.", snapshot.waiting != nil),
            .one("crossfade_alarms", "Alarms at present.", .whole(Int64(snapshot.alarms.count))),
            .one(
                "crossfade_members", "Processes that work on this migration.",
                snapshot.members.isEmpty ? nil : .whole(Int64(running))),
        ]
    }
}

extension MetricFamily {
    /// A family with one value; nil: the value is unknown, and the family stays empty.
    package static func one(
        _ name: String, _ help: String, _ value: Value?, _ labels: [(name: String, value: String)] = [],
        kind: Kind = .gauge
    ) -> MetricFamily {
        var family = MetricFamily(name, kind, help)
        if let value { family.add(value, labels) }
        return family
    }
}
