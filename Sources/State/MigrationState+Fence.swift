import Basics
import Failures
import Foundation
import JSONText
import LogGuard
import Runtime

/// What keeps processes of other work out, and what they committed (docs/architecture.md).
extension MigrationState {
    package struct Fence: Sendable, Equatable {
        /// Who confirmed the present work; nil: an earlier version of Crossfade did not write it down.
        package var confirmedBy: Operator?
        /// Milliseconds since 1970.
        package var confirmedAt: Int64?
        /// Since when the target indices are the present ones, as a number that no earlier set of them had: offsets
        /// that were committed under another term are of other indices. nil: an earlier version of Crossfade began.
        package var term: Int64?
        /// By index the form in which it was written; see ``WrittenForm``.
        package var forms: [String: JSONValue] = [:]
        /// The processes that copy, replay and verify, by command.
        package var holders: [String: Holder] = [:]

        package init() {}

        /// The work that another process has taken since `before` was read, by command.
        package func taken(since before: Fence) -> [String: Holder] {
            holders.filter { $0.value.member != MemberReport.own && $0.value != before.holders[$0.key] }
        }
    }

    /// A process that does a piece of work that only one may do.
    package struct Holder: Sendable, Equatable {
        /// Under which it reports as a member.
        package var member: String
        package var process: ProcessMark
        package var by: Operator
        /// Milliseconds since 1970.
        package var since: Int64

        package init(member: String, process: ProcessMark, by: Operator, since: Int64) {
            (self.member, self.process, self.by, self.since) = (member, process, by, since)
        }

        /// This process.
        package static func own(since: Int64) -> Holder {
            Holder(member: MemberReport.own, process: .own, by: .present, since: since)
        }
    }

    /// Other work is confirmed. Where an index of it was not one of the work before, copy and replay start over.
    package mutating func confirm(_ fingerprint: String, work: JSONValue, by: Operator, at now: Int64) {
        let before = WrittenForm.indices(of: self.work)
        for index in before { fence.forms[index] = WrittenForm.of(index, in: self.work) }
        let isOther = !Set(WrittenForm.indices(of: work)).isSubset(of: before)
        (self.fingerprint, self.work) = (fingerprint, work)
        indices = Set(indices + WrittenForm.indices(of: work)).sorted()
        (fence.confirmedBy, fence.confirmedAt) = (by, now)
        if isOther { startOver(at: now) }
    }

    /// Throws when `fingerprint` is not the confirmed work (any more).
    package func check(isStill fingerprint: String) throws(WorkError) {
        guard self.fingerprint != fingerprint else { return }
        throw Refusal.otherWork(
            migration: name, confirmed: self.fingerprint, words: confirmationWords, mine: fingerprint
        ).error()
    }

    /// Who confirmed the present work, and when.
    package var confirmationWords: String {
        guard let by = fence.confirmedBy, let at = fence.confirmedAt else { return "by an earlier version" }
        return "by \(by.words) at \(ISOTime.text(at))"
    }

    // MARK: Offsets

    /// What stands beside an offset that is committed now.
    package var mark: CommitNote.Mark { CommitNote.Mark(fingerprint: fingerprint, term: fence.term) }

    /// Whether an offset with this note was committed by work on the present target indices. An offset without a note
    /// was set by hand, on purpose.
    package func holds(_ note: CommitNote?) -> Bool {
        guard let term = fence.term, let note else { return true }
        return note.mark?.term == term
    }
}

extension MigrationState.Fence {
    package var json: JSONValue {
        var members = JSONObject()
        members["confirmed_by"] = confirmedBy?.json
        members["confirmed_at"] = confirmedAt.map { .number($0) }
        members["term"] = term.map { .number($0) }
        members["forms"] = .object(JSONObject(forms.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
        members["holders"] = .object(JSONObject(holders.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) }))
        return .object(members)
    }

    package init(json: JSONValue) {
        confirmedBy = json["confirmed_by"].flatMap { Operator(json: $0) }
        (confirmedAt, term) = (json["confirmed_at"]?.time, json["term"]?.time)
        for (index, form) in json["forms"]?.object ?? JSONObject() { forms[index] = form }
        for (command, holder) in json["holders"]?.object ?? JSONObject() {
            holders[command] = MigrationState.Holder(json: holder)
        }
    }
}

extension MigrationState.Holder {
    package var json: JSONValue {
        [
            "member": .string(member), "by": by.json, "since": .number(since), "process": process.json,
        ]
    }

    package init?(json: JSONValue) {
        guard let member = json["member"]?.string, let by = json["by"].flatMap({ Operator(json: $0) }),
            let since = json["since"]?.time, let process = json["process"].flatMap({ ProcessMark(json: $0) })
        else { return nil }
        self.init(member: member, process: process, by: by, since: since)
    }
}

extension ProcessMark {
    package var json: JSONValue {
        ["machine": .string(machine), "pid": .number(pid), "began": .string(began)]
    }

    package init?(json: JSONValue) {
        guard let machine = json["machine"]?.string, let pid = json["pid"]?.size, let began = json["began"]?.string
        else { return nil }
        self.init(machine: machine, pid: pid, began: began)
    }
}
