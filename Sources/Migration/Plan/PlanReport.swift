import Commands
import Foundation
import JSONText
import SearchCluster
import Transform

/// What `plan` shows: everything that was looked at, every rail with its verdict, the fingerprint of it all.
extension Preparation {
    public var json: JSONValue {
        var object: JSONObject = [
            "migration": .string(recipe.name),
            "fingerprint": .string(fingerprint),
            "initialised": .bool(survey.state != nil),
            "clusters": [
                "source": survey.source.map(Self.cluster) ?? .null, "target": Self.cluster(survey.target),
            ],
            "topic": [
                "name": .string(recipe.commands.topic), "partitions": .number(survey.topic.partitions.count),
                "records": .number(records), "group": .string(recipe.commands.group),
                "offsets": .array(
                    survey.watermarks.sorted { $0.key < $1.key }.map {
                        [
                            "partition": .number(Int($0.key)), "first": .number($0.value.low),
                            "end": .number($0.value.high), "start": .number(start[$0.key] ?? $0.value.low),
                        ]
                    }),
            ],
            "indices": .array(survey.entries.map(index)),
            "rails": .array(
                rails.map {
                    ["name": .string($0.name), "verdict": .string($0.verdict.rawValue), "detail": .string($0.detail)]
                }),
        ]
        object["passes"] = .bool(refusals.isEmpty)
        return .object(object)
    }

    /// Records between start and end of the log.
    private var records: Int64 {
        survey.watermarks.reduce(0) { $0 + max(0, $1.value.high - (start[$1.key] ?? $1.value.low)) }
    }

    private static func cluster(_ cluster: Cluster) -> JSONValue {
        [
            "product": .string(cluster.server.product.rawValue),
            "version": .string(cluster.server.version.description), "name": .string(cluster.server.clusterName),
            "uuid": cluster.server.clusterUUID.map { .string($0) } ?? .null,
            "url": .string(cluster.endpoint.urls.first ?? ""),
        ]
    }

    private func index(_ entry: Survey.Entry) -> JSONValue {
        [
            "from": .array(entry.source.map { .string($0.name) }), "to": .string(entry.index),
            "alias": entry.recipe.alias.map { .string($0) } ?? .null, "documents": .number(entry.documents),
            "exists": .bool(entry.exists), "fields": .number(TargetMapping.fieldCount(entry.mapping)),
            "mapping": .object(entry.mapping), "settings": entry.settings ?? .null,
            "transform": .array(entry.recipe.transform.map { .string($0.summary) }),
        ]
    }

    public var text: String {
        var lines = ["migration \(recipe.name)", ""]
        lines.append("source   \(survey.source?.name ?? "none: only the topic feeds the target")")
        lines.append("target   \(survey.target.name)")
        lines.append(
            "topic    \(recipe.commands.topic), \(survey.topic.partitions.count) partitions, \(records) records to read"
        )
        for entry in survey.entries {
            lines.append("")
            let from = entry.source.map { "\($0.name) (\($0.liveCount) documents)" }.joined(separator: ", ")
            lines.append("index    \(from.isEmpty ? "(topic only)" : from) -> \(entry.index)")
            if let alias = entry.recipe.alias {
                lines.append("         readers' alias: \(alias), not touched before the rollover")
            }
            for step in entry.recipe.transform { lines.append("         \(step.summary)") }
            let fields = TargetMapping.fieldCount(entry.mapping)
            lines.append("         mapping: \(fields) fields\(entry.mappingFromSource ? ", the source's" : "")")
        }
        lines.append("")
        for rail in rails {
            let mark = rail.verdict == .ok ? "ok     " : rail.verdict == .warn ? "warn   " : "REFUSED"
            lines.append("\(mark)  \(rail.name): \(rail.detail)")
        }
        lines.append("")
        if let state = survey.state {
            let same = state.fingerprint == fingerprint
            lines.append(
                "already initialised, phase \(state.phase.rawValue)" + (same ? "" : "; the work has changed since"))
        }
        lines.append("fingerprint \(fingerprint)")
        if refusals.isEmpty, survey.state == nil {
            lines.append("next: crossfade init \(recipe.typed) --confirm \(fingerprint)")
        }
        return lines.joined(separator: "\n")
    }
}

extension TransformStep {
    /// One line for a human.
    var summary: String {
        switch self {
        case .keyToValue(let step): "keyToValue \(step.field)"
        case .rename(let from, let to): "rename \(from) to \(to)"
        case .remove(let paths): "remove \(paths.map(\.description).joined(separator: ", "))"
        case .keep(let paths): "keep only \(paths.map(\.description).joined(separator: ", "))"
        case .set(let field, let json, let ifMissing): "set \(field) to \(json)\(ifMissing ? " where missing" : "")"
        case .copy(let from, let to): "copy \(from) to \(to)"
        case .cast(let field, let to): "cast \(field) to \(to.rawValue)"
        case .lowercase(let field): "lowercase \(field)"
        case .split(let field, let separator): "split \(field) at \"\(separator)\""
        case .join(let field, let separator): "join \(field) with \"\(separator)\""
        }
    }
}

/// What `status` shows.
extension Status {
    public var json: JSONValue {
        let survey = prepared.survey
        var object: JSONObject = [
            "migration": .string(prepared.recipe.name),
            "phase": .string(survey.state?.phase.rawValue ?? "planned"),
            "fingerprint": survey.state.map { .string($0.fingerprint) } ?? .null,
            "confirmed": .bool(survey.state?.fingerprint == prepared.fingerprint),
            "lag": lag.map { .number($0) } ?? .null,
            "partitions": .array(
                partitions.map {
                    [
                        "partition": .number(Int($0.partition)),
                        "committed": $0.committed.map { .number($0) } ?? .null, "end": .number($0.end),
                        "lag": $0.lag.map { .number($0) } ?? .null, "read": .number($0.read),
                        "in_flight": .number($0.inFlight),
                        "outcomes": .object(
                            JSONObject(zip(Outcome.allCases, $0.outcomes).map { ($0.name, .number($1)) })),
                    ]
                }),
            "members": .array(
                members.map { report in
                    var member = report.json.object ?? JSONObject()
                    member["age_seconds"] = .number(max(0, now - report.updated) / 1000)
                    member["stale"] = .bool(report.isStale(now: now))
                    return .object(member)
                }),
            "alarms": .array(alarms.map(\.json)),
        ]
        if let copy = survey.state?.copy {
            object["copy"] = [
                "finished": .bool(copy.finished != nil), "expected": .number(copy.expected),
                "slices": .number(copy.slices.count), "slices_done": .number(copy.slices.count { $0.done }),
                "returned": .number(copy.slices.reduce(0) { $0 + $1.returned }),
            ]
        }
        object["indices"] = .array(
            survey.entries.map {
                [
                    "index": .string($0.index), "exists": .bool($0.exists), "documents": .number($0.held),
                    "tombstones": .number($0.tombstones),
                ]
            })
        object["replay_due"] = .bool(survey.state?.replayDue == true)
        if let replay = survey.state?.replay {
            object["replay"] = [
                "finished": .bool(replay.finished != nil),
                "remaining": .number(replay.end.reduce(0) { $0 + max(0, $1.value - (replay.position[$1.key] ?? 0)) }),
            ]
        }
        return .object(object)
    }

    public var text: String {
        let survey = prepared.survey
        var lines = ["migration \(prepared.recipe.name): \(survey.state?.phase.rawValue ?? "planned, not initialised")"]
        if let copy = survey.state?.copy {
            let done = copy.slices.count { $0.done }
            lines.append(
                "copy     \(copy.finished == nil ? "unfinished" : "done"), \(done) of \(copy.slices.count) slices, "
                    + "\(copy.slices.reduce(0) { $0 + $1.returned }) of \(copy.expected) documents")
        }
        for entry in survey.entries where entry.exists {
            lines.append("index    \(entry.index): \(entry.held) documents, \(entry.tombstones) tombstones")
        }
        if survey.state?.replayDue == true { lines.append("replay   due: what follows is refused until it is done") }
        if let replay = survey.state?.replay {
            let left = replay.end.reduce(0) { $0 + max(0, $1.value - (replay.position[$1.key] ?? 0)) }
            lines.append(
                "replay   \(replay.finished == nil ? "unfinished" : "done"), \(left) records to its frozen end")
        }
        let nothing = "group \(prepared.recipe.commands.group) has committed nothing"
        lines.append(
            "lag      \(lag.map { "\($0)" } ?? "unknown: \(survey.committedUnknown ?? nothing)")"
        )
        for part in partitions {
            let committed = part.committed.map { "\($0)" } ?? "-"
            lines.append("         partition \(part.partition): committed \(committed), end \(part.end)")
        }
        for report in members {
            let age = "\(max(0, now - report.updated) / 1000) s ago"
            let counts = zip(Outcome.allCases, report.outcomes).filter { $1 > 0 }.map { "\($0.name) \($1)" }
            lines.append(
                "\(report.command.padding(toLength: 8, withPad: " ", startingAt: 0)) \(report.host) process \(report.pid), "
                    + (report.isStale(now: now) ? "STALE: last heard \(age)" : "heard \(age)")
                    + ", read \(report.read), in flight \(report.inFlight)"
                    + (counts.isEmpty ? "" : ": " + counts.joined(separator: ", ")))
            if let concurrency = report.concurrency { lines.append("         \(concurrency.text)") }
            if let waiting = report.trouble { lines.append("         WAITING: \(waiting)") }
        }
        lines += alarms.map { "ALARM    \($0.name): \($0.text)" }
        if let state = survey.state, state.fingerprint != prepared.fingerprint {
            lines.append("the work has changed since it was confirmed: see `crossfade plan`")
        }
        return lines.joined(separator: "\n")
    }
}
