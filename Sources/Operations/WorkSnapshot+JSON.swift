import Commands
import Foundation
import JSONText
import Migration
import State

extension WorkSnapshot {
    /// Records and bytes per second. A single snapshot cannot tell them.
    package struct Rate: Sendable, Equatable {
        package var records: Double
        package var bytes: Double

        package init(records: Double, bytes: Double) { (self.records, self.bytes) = (records, bytes) }
    }

    /// The object of `/statusz`. Names are in snake_case, and unknown values are null.
    package func json(rate: Rate?) -> JSONValue {
        var object: JSONObject = [
            "migration": .string(migration), "command": .string(command), "version": .string(version),
            "started": .number(started), "now": .number(now), "phase": .string(phase),
            "fingerprint": .string(fingerprint), "ready": ready.json, "switch": switching.json,
            "source": source?.json ?? .null, "target": target?.json ?? .null,
            "topic": ["name": .string(topic), "partitions": .number(topicPartitions), "group": .string(group)],
            "lag": .known(lag), "lag_seconds": .known(lagSeconds), "read": .number(read),
            "in_flight": .number(inFlight), "outcomes": Self.outcomes(outcomes),
        ]
        object["rate"] = [
            "records_per_second": .known(rate?.records), "bytes_per_second": .known(rate?.bytes),
        ]
        object["partitions"] = .array(partitions.map(\.json))
        object["copy"] = copy?.json ?? .null
        object["replay"] =
            replay.map { ["remaining": .number($0.remaining), "finished": .bool($0.isFinished)] } ?? .null
        object["log"] = log?.json ?? .null
        object["last_stop"] = lastStop?.json ?? .null
        object["readers"] = readers.json
        object["receipt"] = receipt?.shown(fingerprint: fingerprint, now: now) ?? .null
        object["verification"] = verification?.json ?? .null
        object["bulk"] = bulk.json
        object["memory"] = [
            "in_flight_bytes": .number(memory.inFlight), "limit_bytes": .number(memory.limit),
            "resident_bytes": .number(memory.resident),
        ]
        object["dead_letters"] = [
            "topic": .string(deadLetters.topic), "written": .number(deadLetters.written),
            "by_reason": .counts(deadLetters.reasons),
            "unresolved": .known(deadLetters.unresolved.map { Int64($0.values.reduce(0, +)) }),
            "unresolved_by_reason": deadLetters.unresolved.map { .counts($0) } ?? .null,
        ]
        object["members"] = .array(members.map { $0.live(now: now) })
        object["indices"] = .array(indices.map(\.json))
        object["alarms"] = .array(alarms.map(\.json))
        object["waiting"] = waiting.map { .string($0) } ?? .null
        object["next"] = .array(next.map { .string($0) })
        return .object(object)
    }

    static func outcomes(_ counts: [Int]) -> JSONValue {
        .object(JSONObject(zip(Outcome.allCases, counts).map { ($0.name, .number($1)) }))
    }
}

extension WorkSnapshot.Verdict {
    var json: JSONValue { ["ready": .bool(isReady), "reasons": .array(reasons.map { .string($0) })] }
}

extension WorkSnapshot.Log {
    var json: JSONValue {
        ["answers": answers.map { .bool($0) } ?? .null, "trouble": trouble.map { .string($0) } ?? .null]
    }
}

extension WorkSnapshot.Readers {
    var json: JSONValue {
        [
            "position": .string(position), "aliases": .array(aliases.map { .string($0) }),
            "rollback": rollback?.json ?? .null,
            "old_indexer": group.map { ["group": .string($0), "lag": .known(lag)] } ?? .null,
        ]
    }
}

extension WorkSnapshot.Server {
    var json: JSONValue {
        func told(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        return ["product": told(product), "version": told(version), "name": told(name), "url": .string(url)]
    }
}

extension WorkSnapshot.Partition {
    var json: JSONValue {
        [
            "partition": .number(Int(partition)), "owned": .bool(isOwned), "start": .known(start),
            "position": .known(position), "committed": .known(committed), "end": .known(end), "lag": .known(lag),
            "lag_seconds": .known(lagSeconds), "read": .number(read), "in_flight": .number(inFlight),
            "outcomes": WorkSnapshot.outcomes(outcomes),
        ]
    }
}

extension WorkSnapshot.Copy {
    var json: JSONValue {
        [
            "expected": .number(expected), "returned": .number(returned), "slices": .number(slices),
            "slices_done": .number(slicesDone), "finished": .bool(isFinished),
        ]
    }
}

extension WorkSnapshot.Bulk {
    var json: JSONValue {
        [
            "limit": .number(limit), "in_flight": .number(inFlight), "batch_documents": .number(batchDocuments),
            "batch_bytes": .number(batchBytes), "throttled": .number(throttled), "requests": .counts(requests),
            "retries": .counts(retries),
            "latency": [
                "count": .number(latency.count), "sum": .known(latency.sum), "p50": .known(latency.quantile(0.5)),
                "p90": .known(latency.quantile(0.9)), "p99": .known(latency.quantile(0.99)),
                "buckets": .array(
                    latency.cumulative.map { [.known($0.bound), .number($0.count)] }),
            ],
        ]
    }
}

extension WorkSnapshot.Index {
    var json: JSONValue {
        [
            "index": .string(index), "documents": .number(documents), "tombstones": .number(tombstones),
            "fields": .known(fields.map { Int64($0) }),
        ]
    }
}

extension MemberReport {
    /// The member as it appears now, with its age.
    func live(now: Int64) -> JSONValue {
        [
            "member": .string(member), "command": .string(command), "host": .string(host), "pid": .number(pid),
            "started": .number(started), "updated": .number(updated),
            "age_seconds": .known(Double(max(0, now - updated)) / 1000), "stale": .bool(isStale(now: now)),
            "partitions": .array(partitions.filter(\.isOwned).map { .number(Int($0.partition)) }),
            "outcomes": WorkSnapshot.outcomes(outcomes), "waiting": trouble.map { .string($0) } ?? .null,
        ]
    }
}

extension JSONValue {
    /// nil becomes null: the value is unknown.
    static func known(_ number: Int64?) -> JSONValue { number.map { .number($0) } ?? .null }

    /// The number with nine significant digits.
    static func known(_ number: Double?) -> JSONValue {
        guard let number, number.isFinite else { return .null }
        if number == number.rounded(), abs(number) < 1e15 { return .number(Int64(number)) }
        return .number(String(format: "%.9g", number))
    }

    static func counts(_ counts: [String: Int]) -> JSONValue {
        .object(JSONObject(counts.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) }))
    }
}
