import Basics
import Cutover
import Failures
import Indexing
import JSONText
import LogGuard
import Parity

/// What a migration remembers, as one document on the target (docs/architecture.md).
package struct MigrationState: Sendable, Equatable {
    package enum Phase: String, Sendable, CaseIterable {
        case created, copying, copied, replaying, following
    }

    /// One unit of resume of the copy.
    package struct Slice: Sendable, Equatable {
        package var entry: Int
        package var index: String
        /// A `SliceSpec` as text, for example `slice 3/16`.
        package var spec: String
        package var done: Bool
        /// Documents the source returned.
        package var returned: Int
        package var outcomes: [String: Int]

        package init(entry: Int, index: String, spec: String, done: Bool, returned: Int, outcomes: [String: Int]) {
            (self.entry, self.index, self.spec, self.done, self.returned) = (entry, index, spec, done, returned)
            self.outcomes = outcomes
        }
    }

    /// The copy under way or the last one.
    package struct Copy: Sendable, Equatable {
        package var round: Int
        package var expected: Int
        package var started: Int64
        package var finished: Int64?
        package var slices: [Slice]
        /// What was written to the source before this time is seen by the copy; nil: that is not known.
        package var refreshed: Int64?
        /// What it reads; nil: everything.
        package var part: Part?
        /// How far the source was written before this copy, or the last one that brought everything up to its begin;
        /// nil: commands tell what comes later, or it is unknown.
        package var sourceWritten: [WriteMark]?
        /// How many documents it had read when the first one came that was there already, in the same or a newer
        /// version; nil: none came.
        package var conflictsFrom: Int?
        /// Why it was stopped: its documents mostly became dead letters. nil: it was not.
        package var stopped: String?
        /// The copy holds the source as it was at this time or later. Slices that were broken off count, too: what they
        /// wrote stays.
        package var snapshot: Int64 { refreshed ?? started }

        package init(
            round: Int, expected: Int, started: Int64, finished: Int64? = nil, slices: [Slice], refreshed: Int64? = nil
        ) {
            (self.round, self.expected, self.started, self.finished) = (round, expected, started, finished)
            (self.slices, self.refreshed) = (slices, refreshed)
        }
    }

    /// The tombstones that were purged so far.
    package struct Purge: Sendable, Equatable {
        /// Milliseconds since 1970.
        package var first: Int64
        package var last: Int64
        package var purged: Int
        /// What a copy or a replay must know of the purge.
        package var record: PurgeRecord

        package init(first: Int64, last: Int64, purged: Int, isAway: Bool = true, underWay: Int64? = nil) {
            (self.first, self.last, self.purged) = (first, last, purged)
            record = PurgeRecord(mustRestore: isAway, underWaySince: underWay)
        }
    }

    /// The replay under way or the last one.
    package struct Replay: Sendable, Equatable {
        package var round: Int
        /// `commands.epoch` when it began. Offsets of another epoch belong to another log.
        package var epoch: Int64
        package var progress: ReplayProgress

        package init(
            round: Int, epoch: Int64, started: Int64, finished: Int64? = nil, start: [Int32: Int64],
            end: [Int32: Int64], position: [Int32: Int64]
        ) {
            (self.round, self.epoch) = (round, epoch)
            progress = ReplayProgress(
                started: started, start: start, end: end, position: position, finished: finished)
        }

        package var started: Int64 { progress.started }
        package var finished: Int64? { progress.finished }
        package var start: [Int32: Int64] { progress.start }
        package var end: [Int32: Int64] { progress.end }
        package var position: [Int32: Int64] { progress.position }
    }

    /// The records by which the log is known again: one applied record per partition that was found again later.
    package struct Log: Sendable, Equatable {
        package var epoch: Int64
        package var fingerprints: [Int32: RecordFingerprint]

        package init(epoch: Int64, fingerprints: [Int32: RecordFingerprint]) {
            (self.epoch, self.fingerprints) = (epoch, fingerprints)
        }
    }

    package var name: String
    package var phase: Phase
    package var fingerprint: String
    /// The parts that the fingerprint covers, so that a later run can say what changed.
    package var work: JSONValue
    /// Milliseconds since 1970.
    package var created: Int64
    /// Target indices that `init` made.
    package var indices: [String]
    /// The offsets of the application's own group when anything was first read.
    package var recorded: [Int32: Int64]?
    /// `commands.epoch` at that time: the offsets belong to that epoch's log.
    package var recordedEpoch: Int64?
    /// When they were asked, in milliseconds since 1970; nil: that is not known.
    package var recordedAt: Int64?
    package var log: Log?
    package var copy: Copy?
    package var replay: Replay?
    package var copyGate = CopyGate.closed
    /// UUIDs of the target indices; empty while `init` is making the index.
    package var uuids: [String: String] = [:]

    /// Whether an index of this UUID is another one than `init` made or took over under that name.
    package func isRemade(_ index: String, uuid: String?) -> Bool {
        guard let uuid, let known = uuids[index], !known.isEmpty else { return false }
        return uuid != known
    }

    /// Target indices that were there before `init`, and that the application writes, too. They are never deleted.
    package var adopted: Set<String> = []
    /// nil: no tombstone was ever purged.
    package var purge: Purge?
    /// The repair under way or the last one.
    package var repair: Repair?
    /// The target index was made again, so it is complete only after another replay.
    package var replayDue = false
    /// What was verified, the newest last.
    package var receipts: [ReceiptEntry] = []
    package var letters = LetterTally()
    package var cutover = CutoverState()
    package var fence = Fence()

    package init(
        name: String, phase: Phase, fingerprint: String, work: JSONValue, created: Int64, indices: [String],
        recorded: [Int32: Int64]? = nil, recordedEpoch: Int64? = nil, log: Log? = nil, copy: Copy? = nil,
        replay: Replay? = nil, copyGate: CopyGate = CopyGate.closed, uuids: [String: String] = [:], purge: Purge? = nil,
        replayDue: Bool = false
    ) {
        (self.name, self.phase, self.fingerprint, self.work, self.created) = (name, phase, fingerprint, work, created)
        (self.indices, self.recorded, self.recordedEpoch, self.log) = (indices, recorded, recordedEpoch, log)
        (self.copy, self.replay, self.copyGate, self.uuids, self.purge) = (copy, replay, copyGate, uuids, purge)
        self.replayDue = replayDue
    }

    /// Keeps those fingerprints that have a higher offset than the kept ones.
    package mutating func keep(_ fingerprints: [Int32: RecordFingerprint], epoch: Int64) {
        let before = log?.epoch == epoch ? log?.fingerprints : nil
        log = Log(epoch: epoch, fingerprints: (before ?? [:]).merging(fingerprints) { $0.offset > $1.offset ? $0 : $1 })
    }

    /// Keeps the offsets of the application's group, unless they are known already. A replay or a follower that began
    /// before the copy relies on the first ones: the copy holds at least what was applied by then.
    package mutating func record(_ application: [Int32: Int64]?, epoch: Int64, at time: Int64) {
        guard recorded == nil, copy == nil else { return }
        recorded = application
        recordedEpoch = epoch
        recordedAt = time
    }

    /// Whether documents may still come from the source.
    package var copyUnfinished: Bool { copy?.finished == nil }

    /// What copies and replays must know of purges.
    package var purges: PurgeRecord { purge?.record ?? PurgeRecord() }

    /// Whether a partial update takes the source's document if the target has none.
    package var sourceIsBase: Bool { purges.sourceIsBase(copyUnfinished: copyUnfinished) }

    /// The target indices are others, or are made again, so copy and replay start over.
    package mutating func startOver(at now: Int64, hasCommands: Bool = true) {
        fence.term = max(now, (fence.term ?? 0) + 1)
        phase = .created
        copy = nil
        replay = nil
        purge = nil
        repair = nil
        copyGate = .closed
        replayDue = hasCommands
    }

    /// Throws while a replay is due. Following would not bring back what the replay has to.
    package func checkReplayed(_ recipeFile: String) throws(WorkError) {
        guard replayDue else { return }
        throw WorkError(
            .refused,
            "migration \(name) must be replayed first: its target index was made again, and nothing of the log is in "
                + "it. Run "
                + "`crossfade replay \(recipeFile)`, then follow"
        )
    }
}

extension MigrationState {
    /// The state as the document that is stored.
    package var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("form", .number(StoredShape.form)), ("name", .string(name)), ("phase", .string(phase.rawValue)),
            ("fingerprint", .string(fingerprint)),
            // Stored as text, so that what users wrote does not become fields of the state index.
            ("work", .string(work.text())), ("created", .number("\(created)")),
            ("indices", .array(indices.map { .string($0) })),
        ]
        if let recorded { members.append(("recorded", Self.offsets(recorded))) }
        if let recordedEpoch { members.append(("recorded_epoch", .number("\(recordedEpoch)"))) }
        if let recordedAt { members.append(("recorded_at", .number("\(recordedAt)"))) }
        if let log { members.append(("log", .string(log.text))) }
        if let copy { members.append(("copy", .string(copy.json.text()))) }
        if let replay { members.append(("replay", .string(replay.json.text()))) }
        members.append(("copy_gate", .string(copyGate.rawValue)))
        members.append(("replay_due", .bool(replayDue)))
        let uuids = JSONObject(self.uuids.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
        members.append(("uuids", .string(JSONValue.object(uuids).text())))
        if !adopted.isEmpty { members.append(("adopted", .array(adopted.sorted().map { .string($0) }))) }
        if let purge { members.append(("purge", .string(purge.json.text()))) }
        if let repair { members.append(("repair", .string(repair.json.text()))) }
        if fence != Fence() { members.append(("fence", .string(fence.json.text()))) }
        if !receipts.isEmpty {
            members.append(("receipts", .string(JSONValue.array(receipts.map(\.json)).text())))
        }
        if letters != LetterTally() { members.append(("letters", .string(letters.json.text()))) }
        if cutover != CutoverState() { members.append(("cutover", .string(cutover.json.text()))) }
        return .object(JSONObject(members))
    }

    package static func offsets(_ offsets: [Int32: Int64]) -> JSONValue {
        .string(offsets.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ","))
    }

    package static func offsets(_ value: JSONValue?) -> [Int32: Int64]? {
        guard let text = value?.string else { return nil }
        var offsets: [Int32: Int64] = [:]
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: ":")
            guard parts.count == 2, let partition = Int32(parts[0]), let offset = OutsideNumber.count(text: parts[1])
            else { return nil }
            offsets[partition] = offset
        }
        return offsets
    }

    /// nil: the document is not a state that this version understands.
    package init?(json: JSONValue) {
        guard let name = json["name"]?.string, let phase = json["phase"]?.string.flatMap(Phase.init(rawValue:)),
            let fingerprint = json["fingerprint"]?.string, let workText = json["work"]?.string,
            let work = try? JSONValue(parsing: workText), let created = json["created"]?.time,
            let indices = json["indices"]?.array
        else { return nil }
        self.init(
            name: name, phase: phase, fingerprint: fingerprint, work: work, created: created,
            indices: indices.compactMap(\.string), recorded: Self.offsets(json["recorded"]))
        recordedEpoch = json["recorded_epoch"]?.count
        recordedAt = json["recorded_at"]?.time
        log = json["log"]?.string.flatMap(Log.init(text:))
        copy = json["copy"]?.string.flatMap { try? JSONValue(parsing: $0) }.flatMap(Copy.init(json:))
        replay = json["replay"]?.string.flatMap { try? JSONValue(parsing: $0) }.flatMap(Replay.init(json:))
        copyGate = json["copy_gate"]?.string.flatMap(CopyGate.init(rawValue:)) ?? .closed
        replayDue = json["replay_due"]?.bool ?? false
        adopted = Set((json["adopted"]?.array ?? []).compactMap(\.string))
        let known = json["uuids"]?.string.flatMap { try? JSONValue(parsing: $0) }?.object ?? JSONObject()
        for (index, uuid) in known { uuids[index] = uuid.string }
        purge = json["purge"]?.string.flatMap { try? JSONValue(parsing: $0) }.flatMap(Purge.init(json:))
        repair = json["repair"]?.string.flatMap { try? JSONValue(parsing: $0) }.flatMap(Repair.init(json:))
        json["fence"]?.string.flatMap { try? JSONValue(parsing: $0) }.map { fence = Fence(json: $0) }
        let receipts = json["receipts"]?.string.flatMap { try? JSONValue(parsing: $0) }?.array ?? []
        self.receipts = receipts.compactMap(ReceiptEntry.init)
        json["letters"]?.string.flatMap { try? JSONValue(parsing: $0) }.map { letters = LetterTally(json: $0) }
        if let told = json["cutover"]?.string {
            // Without it nobody could say where the readers are.
            guard let known = (try? JSONValue(parsing: told)).flatMap(CutoverState.init) else { return nil }
            cutover = known
        }
    }
}

extension MigrationState.Purge {
    package var json: JSONValue {
        var members: JSONObject = [
            "first": .number("\(first)"), "last": .number("\(last)"), "purged": .number("\(purged)"),
            "away": .bool(record.mustRestore),
        ]
        if let underWay = record.underWaySince { members["under_way"] = .number("\(underWay)") }
        return .object(members)
    }

    package init?(json: JSONValue) {
        guard let first = json["first"]?.time, let last = json["last"]?.time, let purged = json["purged"]?.size else {
            return nil
        }
        self.init(
            first: first, last: last, purged: purged, isAway: json["away"]?.bool ?? true,
            underWay: json["under_way"]?.time)
    }
}

extension MigrationState.Log {
    /// `epoch partition=fingerprint ...`.
    package var text: String {
        (["\(epoch)"] + fingerprints.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }).joined(
            separator: " ")
    }

    package init?(text: String) {
        let parts = text.split(separator: " ")
        guard let epoch = parts.first.flatMap({ OutsideNumber.count(text: $0) }) else { return nil }
        var fingerprints: [Int32: RecordFingerprint] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=")
            guard pair.count == 2, let partition = Int32(pair[0]), let fingerprint = RecordFingerprint(text: pair[1])
            else { return nil }
            fingerprints[partition] = fingerprint
        }
        self.init(epoch: epoch, fingerprints: fingerprints)
    }
}

extension MigrationState.Replay {
    package var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("round", .number("\(round)")), ("epoch", .number("\(epoch)")), ("started", .number("\(started)")),
            ("start", MigrationState.offsets(start)), ("end", MigrationState.offsets(end)),
            ("position", MigrationState.offsets(position)),
        ]
        if let finished { members.append(("finished", .number("\(finished)"))) }
        return .object(JSONObject(members))
    }

    package init?(json: JSONValue) {
        guard let round = json["round"]?.size, let epoch = json["epoch"]?.count, let started = json["started"]?.time,
            let start = MigrationState.offsets(json["start"]), let end = MigrationState.offsets(json["end"]),
            let position = MigrationState.offsets(json["position"])
        else { return nil }
        self.init(
            round: round, epoch: epoch, started: started, finished: json["finished"]?.time, start: start, end: end,
            position: position)
    }
}
