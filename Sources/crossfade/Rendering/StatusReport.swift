import Commands
import CutoverWork
import Foundation
import JSONText
import Migration
import State
import Telemetry

/// The output of `status`.
extension Status {
    var json: JSONValue {
        let survey = prepared.survey
        var object: JSONObject = [
            "migration": .string(prepared.recipe.name), "phase": .string(standing.phaseName),
            "traces": Self.texts(standing.traces.all), "state_gone": .bool(standing.isStateGone),
            "recorded_phase": survey.state.map { .string($0.phase.rawValue) } ?? .null,
            "fingerprint": survey.state.map { .string($0.fingerprint) } ?? .null,
            "confirmed": .bool(survey.state?.fingerprint == prepared.fingerprint),
            "switch": [
                "ready": .bool(standing.isReadyToSwitch), "reasons": Self.texts(standing.reasonsAgainstSwitch),
            ],
            "attention": Self.texts(standing.attention), "next": Self.texts(next),
            "lag": lag.map { .number($0) } ?? .null,
            "lag_seconds": standing.lagSeconds.map { .number(String(format: "%.1f", $0)) } ?? .null,
            "partitions": .array(partitions.map(Self.json)),
            "members": .array(
                members.map { report in
                    var member = report.json.object ?? JSONObject()
                    member["age_seconds"] = .number(report.age(now: now))
                    member["stale"] = .bool(report.isStale(now: now))
                    return .object(member)
                }),
            "alarms": .array(alarms.map(\.json)),
            "dead_letters": prepared.recipe.hasCommands ? lettersJSON : .null,
        ]
        if survey.hasSource {
            object["source"] = [
                "answers": .bool(survey.source != nil), "trouble": survey.sourceUnknown.map { .string($0) } ?? .null,
                "new_indices": Self.texts(survey.freshIndices),
            ]
        }
        if prepared.recipe.hasCommands {
            object["log"] = [
                "answers": .bool(survey.logUnknown == nil),
                "trouble": survey.logUnknown.map { .string("\($0)") } ?? .null,
            ]
        }
        if let copy = survey.state?.copy {
            object["copy"] = [
                "finished": .bool(copy.finished != nil), "expected": .number(copy.expected),
                "slices": .number(copy.slices.count), "slices_done": .number(copy.slices.count { $0.done }),
                "returned": .number(copy.totals.returned),
                "stopped": standing.copyStopped.map { .string($0) } ?? .null,
            ]
        }
        object["indices"] = .array(
            survey.entries.map {
                let isKnown = $0.exists && !$0.isClosed && $0.isCounted
                return [
                    "index": .string($0.index), "exists": .bool($0.exists), "closed": .bool($0.isClosed),
                    "documents": isKnown ? .number($0.held) : .null,
                    "tombstones": isKnown ? .number($0.tombstones) : .null,
                ]
            })
        if let group = prepared.recipe.commands.applicationGroup {
            object["application_group"] = [
                "name": .string(group), "trouble": applicationTrouble.map { .string($0) } ?? .null,
                "lag": applicationLag.map { .number($0) } ?? .null,
                "has_members": survey.applicationHasMembers.map { .bool($0) } ?? .null,
            ]
        }
        object["receipt"] =
            survey.state.flatMap { state in state.newestReceipt?.shown(fingerprint: state.fingerprint, now: now) }
            ?? .null
        object["cutover"] = cutoverJSON
        object["last_stop"] = lastStop?.json ?? .null
        object["unknown"] = Self.texts(survey.untold)
        object["accepted"] = AcceptanceReport.json(prepared.recipe.accept)
        object["replay_due"] = .bool(standing.replayDue)
        if let replay = survey.state?.replay {
            object["replay"] = [
                "finished": .bool(replay.finished != nil), "remaining": .number(Self.remaining(replay)),
            ]
        }
        return .object(object)
    }

    /// How many records the application's own group has still to apply; nil: it is not known, or no group is named.
    private var applicationLag: Int64? {
        guard let committed = prepared.survey.application else { return nil }
        return prepared.survey.ends.reduce(Int64?.some(0)) { sum, end in
            guard let sum, let offset = committed[end.key], offset <= end.value else { return nil }
            return sum &+ max(0, end.value &- offset)
        }
    }

    /// The message about an application group without committed offsets, in the words of `plan`; nil: no such group.
    private var applicationTrouble: String? {
        guard let group = prepared.recipe.commands.applicationGroup, prepared.survey.logUnknown == nil else {
            return nil
        }
        for (partition, end) in prepared.survey.ends.sorted(by: { $0.key < $1.key }) {
            guard let offset = prepared.survey.application?[partition], offset > end else { continue }
            return Status.beyondEnd(group, partition, offset, end: end)
        }
        return prepared.survey.reachUnknown(prepared.recipe)
    }

    private static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }

    private static func json(_ part: Partition) -> JSONValue {
        [
            "partition": .number(Int(part.partition)), "committed": part.committed.map { .number($0) } ?? .null,
            "end": .number(part.end), "lag": part.lag.map { .number($0) } ?? .null,
            "beyond_end": .bool(part.isBeyondEnd), "member": part.holder.map { .string($0.member) } ?? .null,
            "read": .number(part.read),
            "in_flight": .number(part.inFlight),
            "outcomes": .object(JSONObject(zip(Outcome.allCases, part.outcomes).map { ($0.name, .number($1)) })),
        ]
    }

    private var lettersJSON: JSONValue {
        let topic = JSONValue.string(prepared.recipe.deadLetterTopic)
        guard let found = standing.deadLetters else {
            return ["topic": topic, "unresolved": .null, "by_reason": .null, "gone": .null]
        }
        let reasons = JSONObject(found.sorted { $0.key < $1.key }.map { ($0.key, .number($0.value)) })
        return [
            "topic": topic, "unresolved": .number(found.values.reduce(0, +)), "by_reason": .object(reasons),
            "gone": .number(OutsideNumber.sum(Array(letters.left.values) + [letters.gone])),
        ]
    }

    private static func remaining(_ replay: MigrationState.Replay) -> Int64 {
        replay.end.reduce(0) { $0 + max(0, $1.value - (replay.position[$1.key] ?? 0)) }
    }

    private var next: [String] {
        standing.next(recipe: prepared.recipe.typed, fingerprint: prepared.fingerprint)
    }

    // MARK: For people

    var text: String {
        let survey = prepared.survey
        var lines = ["migration \(prepared.recipe.name): \(standing.phaseText)"]
        let against = standing.reasonsAgainstSwitch
        let isOver = survey.state?.cutover.position == .rolledOver
        let ready = isOver ? "the readers are on the new side" : "yes"
        lines.append("ready to switch: " + (against.isEmpty ? ready : "no, because " + against.joined(separator: "; ")))
        if survey.state == nil, let hint = ArchiveFile.hint(prepared.recipe.name) { lines.append("perhaps \(hint)") }
        lines += cutoverLines
        if let copy = prepared.survey.state?.copy {
            let done = copy.slices.count { $0.done }
            lines.append(
                "copy     \(copy.finished == nil ? "unfinished" : "done"), \(done) of \(copy.slices.count) slices, "
                    + "\(copy.totals.returned) of \(copy.expected) documents")
        }
        lines += indexLines
        if survey.state != nil {
            if let trouble = survey.sourceUnknown {
                let need = survey.state?.copyUnfinished == false ? ". Only another copy would need it" : ""
                lines.append("source   could not be looked at: \(trouble)\(need)")
            }
            lines += survey.sourceNews(prepared.recipe).map { "source   " + $0 }
        }
        if standing.replayDue { lines.append("replay   due: what follows is refused until it is done") }
        if let replay = prepared.survey.state?.replay {
            lines.append(
                "replay   "
                    + (replay.finished == nil ? "unfinished, \(Self.remaining(replay)) records to its end" : "done"))
        }
        if prepared.recipe.hasCommands { lines += lagLines }
        if let trouble = applicationTrouble { lines.append("writer   " + trouble) }
        lines += writerLines
        if prepared.recipe.hasCommands { lines += lettersLines }
        if let state = survey.state, let receipt = state.newestReceipt {
            lines.append("verified " + verifiedText(receipt, isOfThisWork: receipt.fingerprint == state.fingerprint))
        }
        if let stop = lastStop {
            lines.append(
                "stopped  \(Summary.duration(Double(stop.age(now: now)))) ago, \(stop.what.rawValue) on "
                    + "\(stop.by.host): \(stop.detail)")
        }
        lines += members.flatMap(memberLines)
        lines += alarms.map { "ALARM    \($0.name): \($0.text)" }
        if !standing.isConfirmed {
            lines.append("changed  the recipe says other work than was confirmed: see `crossfade plan`")
        }
        lines += survey.untold.map { "unknown  \($0)" }
        lines += AcceptanceReport.lines(prepared.recipe.accept)
        lines += standing.attention.enumerated().map { ($0.offset == 0 ? "look at  " : "         ") + $0.element }
        lines += next.map { "next: \($0)" }
        return VisibleText.joined(lines)
    }

    private var writerLines: [String] {
        guard let group = prepared.recipe.commands.applicationGroup else { return [] }
        let lag = applicationLag.map { ["lag \($0)"] } ?? []
        let members = prepared.survey.applicationHasMembers == false ? ["no members at present"] : []
        let told = (lag + members).joined(separator: ", ")
        return told.isEmpty ? [] : ["writer   group \(group): \(told)"]
    }

    private var indexLines: [String] {
        guard prepared.survey.state != nil else { return [] }
        return prepared.survey.entries.map { entry in
            if !entry.exists {
                return
                    "INDEX    \(entry.index) IS GONE: somebody deleted it. Nothing that it held is anywhere else on "
                    + "the target"
            }
            if entry.isClosed { return "INDEX    \(entry.index) IS CLOSED: what it holds cannot be seen. Open it" }
            if !entry.isCounted { return "index    \(entry.index): its documents may not be counted" }
            return "index    \(entry.index): \(entry.held) documents, \(entry.tombstones) tombstones"
        }
    }

    private var lagLines: [String] {
        if let trouble = prepared.survey.logUnknown {
            return ["lag      unknown: the command topic could not be looked at: \(trouble)"]
        }
        let group = prepared.recipe.commands.group
        let isBeyond = partitions.contains(where: \.isBeyondEnd)
        let why =
            isBeyond ? "the log ends before what group \(group) has committed" : "group \(group) has committed nothing"
        var text = "unknown: \(prepared.survey.committedUnknown ?? why)"
        if let lag {
            text = "\(lag)"
            if lag > 0 {
                text +=
                    standing.lagSeconds.map { ", not more than \(Int($0.rounded(.up))) s behind" } ?? " records behind"
            }
        }
        return ["lag      " + text]
            + partitions.map { part in
                let committed = part.committed.map { "\($0)" } ?? "-"
                let holder = part.holder.map { ", held by \($0.host) process \($0.pid)" } ?? ", held by nobody"
                return "         partition \(part.partition): committed \(committed)"
                    + (part.isBeyondEnd ? ", BEYOND THE END" : "") + ", end \(part.end)\(holder)"
            }
    }

    private var lettersLines: [String] {
        ["letters  " + lettersText] + letters.lost.map { "         " + $0 }
    }

    private var lettersText: String {
        let topic = prepared.recipe.deadLetterTopic
        guard let found = standing.deadLetters else { return "unknown: \(letters.unknown ?? "-")" }
        let count = found.values.reduce(0, +)
        guard count > 0 else { return "no unresolved dead letters in \(topic)" }
        let why = found.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
        return "\(count) unresolved dead letters in \(topic): \(why)"
    }

    private func verifiedText(_ receipt: ReceiptEntry, isOfThisWork: Bool) -> String {
        let other = isOfThisWork ? "" : ", OF OTHER WORK than is confirmed now"
        let upTo = receipt.verifiedUpTo.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }
        return "\(receipt.verdict.rawValue)\(other), \(Summary.duration(Double(receipt.age(now: now)))) ago: "
            + "\(receipt.totals.compared) documents compared, \(receipt.totals.wrong) wrong, "
            + "\(receipt.totals.settling) settling; receipt \(receipt.id), up to "
            + (upTo.isEmpty ? "unknown" : upTo.joined(separator: " "))
    }

    private static func text(_ stage: StageReport) -> String {
        let parts = stage.parts.map { part in
            "\(part.name) \(part.done)" + (part.total.map { " of \($0)" } ?? "")
                + (part.rate.map { ", \(Int($0))/s" } ?? "")
        }
        let left = stage.secondsLeft.map { ["about \(Summary.duration($0)) left"] } ?? []
        return "\(stage.stage): " + (parts + left).joined(separator: "; ")
    }

    private func memberLines(_ report: MemberReport) -> [String] {
        let age = "\(report.age(now: now)) s ago"
        let counts = zip(Outcome.allCases, report.outcomes).filter { $1 > 0 }.map { "\($0.name) \($1)" }
        var lines = [
            "\(report.command.padding(toLength: 8, withPad: " ", startingAt: 0)) \(report.host) process \(report.pid), "
                + (report.isStale(now: now) ? "STALE: last heard \(age)" : "heard \(age)")
                + (["copy", "verify"].contains(report.command)
                    ? "" : ", read \(report.read), in flight \(report.inFlight)")
                + (counts.isEmpty ? "" : ": " + counts.joined(separator: ", "))
        ]
        if let concurrency = report.concurrency { lines.append("         \(concurrency.text)") }
        if let stage = report.stage, !report.isStale(now: now) { lines.append("         " + Self.text(stage)) }
        if let waiting = report.trouble { lines.append("         WAITING: \(waiting)") }
        return lines
    }
}
