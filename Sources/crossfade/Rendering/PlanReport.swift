import Commands
import Foundation
import JSONText
import Planning
import Schema
import SearchCluster
import Transform
import Telemetry
import Recipe

/// The output of `plan`: everything that was found, every rail with its verdict, and the fingerprint.
extension Preflight {
    var json: JSONValue {
        var object: JSONObject = [
            "migration": .string(recipe.name),
            "fingerprint": .string(fingerprint),
            "initialised": .bool(survey.state != nil),
            "clusters": [
                "source": survey.source.map(Self.cluster) ?? .null, "target": Self.cluster(survey.target),
                "source_unknown": survey.sourceUnknown.map { .string($0) } ?? .null,
            ],
            "topic": !recipe.hasCommands
                ? .null
                : [
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
            "adopted": .array(adopted.map { .string($0) }),
            "rails": .array(
                rails.map {
                    [
                        "name": .string($0.name), "verdict": .string($0.verdict.rawValue),
                        "detail": .string($0.detail), "accepted": $0.accepted.map { .string($0) } ?? .null,
                    ]
                }),
            "accepted": .array(
                accepted.map {
                    var object = AcceptanceReport.json($0.acceptance).object ?? JSONObject()
                    object["needed"] = .bool($0.isNeeded)
                    return .object(object)
                }),
        ]
        object["changes"] = .array(changes.map { .string($0) })
        object["passes"] = .bool(refusals.isEmpty)
        return .object(object)
    }

    /// The differences between what was confirmed and what the recipe and the servers say now; empty before `init`.
    private var changes: [String] {
        guard let state = survey.state, state.fingerprint != fingerprint else { return [] }
        return differences(from: state)
    }

    /// Records between the start and the end of the log.
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
        let substituted = SubstitutedValues(recipe)
        return [
            "from": .array(entry.scope.names.map { .string($0) }), "to": .string(entry.index),
            "new": .array(entry.scope.fresh.map { .string($0) }),
            "aliases": .array(entry.recipe.aliases.map { .string($0) }),
            "documents": survey.sourceUnknown == nil ? .number(entry.documents) : .null,
            "exists": .bool(entry.exists), "fields": .number(TargetMapping.fieldCount(entry.mapping)),
            "mapping": substituted.masked(.object(entry.mapping)),
            "settings": substituted.masked(entry.settings ?? .null),
            "transform": .array(steps(entry).map { .string($0) }),
        ]
    }

    /// The steps in words. A value that came from `${NAME}` is shown as that.
    private func steps(_ entry: Survey.Entry) -> [String] {
        let place = recipe.indices.firstIndex { $0.from == entry.recipe.from && $0.to == entry.recipe.to }
        let written = place.flatMap { RecipeText.canonical(recipe)["indices"]?[$0]?["transform"]?.array } ?? []
        return entry.recipe.transform.enumerated().map { number, step in
            guard case .set(let field, _, let ifMissing) = step, written.indices.contains(number),
                let value = written[number]["set"]?["value"]
            else { return step.summary }
            return TransformStep.set(field: field, json: value.text(), ifMissing: ifMissing).summary
        }
    }

    var text: String {
        var lines = ["migration \(recipe.name)", ""]
        let none = survey.hasSource ? "could not be looked at" : "none: only the topic feeds the target"
        lines.append("source   \(survey.source?.name ?? none)")
        lines.append("target   \(survey.target.name)")
        lines.append(
            recipe.hasCommands
                ? "topic    \(recipe.commands.topic), \(survey.topic.partitions.count) partitions, \(records) records "
                    + "to read"
                : "topic    none: only copies feed the target"
        )
        for entry in survey.entries {
            lines.append("")
            let counts = Dictionary(entry.source.map { ($0.name, $0.liveCount) }) { one, _ in one }
            let from = entry.scope.names.map { name in
                counts[name].map { "\(name) (\($0) documents)" } ?? "\(name) (not looked at)"
            }.joined(separator: ", ")
            lines.append("index    \(from.isEmpty ? "(topic only)" : from) -> \(entry.index)")
            if adopted.contains(entry.index) {
                lines.append("         is there already with \(entry.held) documents, and is taken as it is")
            }
            if !entry.recipe.aliases.isEmpty {
                let names = entry.recipe.aliases.joined(separator: ", ")
                lines.append("         readers' alias: \(names), not touched before the rollover")
            }
            lines += steps(entry).map { "         " + $0 }
            let fields = TargetMapping.fieldCount(entry.mapping)
            lines.append("         mapping: \(fields) fields\(entry.mappingFromSource ? ", the source's" : "")")
        }
        lines.append("")
        for rail in rails {
            let mark = rail.verdict == .ok ? "ok     " : rail.verdict == .warn ? "warn   " : "REFUSED"
            lines.append("\(mark)  \(rail.name): \(rail.detail)")
        }
        for (acceptance, isNeeded) in accepted where !isNeeded {
            lines.append("unused   the recipe accepts \(acceptance.rail), which refuses nothing at present")
        }
        lines.append("")
        if survey.state != nil {
            lines.append(
                "already initialised" + (changes.isEmpty ? "" : "; the work has changed since it was confirmed:"))
            lines += changes.map { "         " + $0 }
        }
        lines.append("fingerprint \(fingerprint)")
        if refusals.isEmpty, survey.state?.fingerprint != fingerprint {
            let adopt = survey.adopts ? " --adopt" : ""
            lines.append("next: crossfade init \(recipe.typed) --confirm \(fingerprint)\(adopt)")
        }
        return VisibleText.joined(lines)
    }
}

extension TransformStep {
    /// One line for people.
    var summary: String {
        switch self {
        case .keyToValue(let step): "keyToValue \(step.field)"
        case .rename(let from, let to): "rename \(from) to \(to)"
        case .remove(let paths): "remove \(paths.map(\.description).joined(separator: ", "))"
        case .keep(let paths): "keep only \(paths.map(\.description).joined(separator: ", "))"
        case .set(let field, let json, let ifMissing): "set \(field) to \(json)\(ifMissing ? " where missing" : "")"
        case .copy(let from, let to): "copy \(from) to \(to)"
        case .change(let field, let change): change.words(field)
        }
    }
}
