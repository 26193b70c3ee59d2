import JSONText

/// What a migration remembers, as one document on the target (design 9).
public struct MigrationState: Sendable, Equatable {
    public enum Phase: String, Sendable, CaseIterable {
        case created, copying, copied, replaying, following
    }

    /// One unit of resume of the copy.
    public struct Slice: Sendable, Equatable {
        public var entry: Int
        public var index: String
        /// `SliceSpec` as text; see ``SliceCode``.
        public var spec: String
        public var done: Bool
        /// Documents the source returned.
        public var returned: Int
        public var outcomes: [String: Int]
    }

    /// The copy under way or the last one.
    public struct Copy: Sendable, Equatable {
        public var round: Int
        public var expected: Int
        public var started: Int64
        public var finished: Int64?
        public var slices: [Slice]
    }

    /// Whether the copy's alias takes writes (``CopyAlias``). The words in -ing stand before the change of the alias, the
    /// others after it: what a crash left in between is done again by the next copy.
    public enum CopyGate: String, Sendable { case closed, opening, open, closing }

    /// What was purged so far.
    public struct Purge: Sendable, Equatable {
        /// Milliseconds since 1970.
        public var first: Int64
        public var last: Int64
        public var purged: Int
        /// Tombstones are gone that a copy or a replay would miss; see ``TombstoneReturn``.
        public var isAway = true
        /// Since when a request of a purge may be under way, milliseconds since 1970.
        public var underWay: Int64?
    }

    /// The replay under way or the last one.
    public struct Replay: Sendable, Equatable {
        public var round: Int
        /// `commands.epoch` when it began: offsets of another epoch are another log's.
        public var epoch: Int64
        public var started: Int64
        public var finished: Int64?
        /// Partition to offset: where it began, the frozen end, how far everything is acknowledged.
        public var start: [Int32: Int64]
        public var end: [Int32: Int64]
        public var position: [Int32: Int64]
    }

    /// By which the log is known again: an applied record a partition, found again some time after it was applied.
    public struct Log: Sendable, Equatable {
        public var epoch: Int64
        var witnesses: [Int32: LogWitness]
    }

    public var name: String
    public var phase: Phase
    public var fingerprint: String
    /// The parts under the fingerprint, to say later what changed.
    public var work: JSONValue
    /// Milliseconds since 1970.
    public var created: Int64
    /// Target indices that `init` made.
    public var indices: [String]
    /// Where the application's own group stood when anything was first read.
    public var recorded: [Int32: Int64]?
    /// `commands.epoch` then: these are offsets of that epoch's log.
    public var recordedEpoch: Int64?
    public var log: Log?
    public var copy: Copy?
    public var replay: Replay?
    public var copyGate = CopyGate.closed
    /// UUIDs of the target indices; empty while `init` is making the index.
    public var uuids: [String: String] = [:]
    /// nil before tombstones were purged for the first time.
    public var purge: Purge?
    /// Nothing is whole before the log was replayed once more: the target index was made again.
    public var replayDue = false

    /// Keeps the witnesses that are further than those there are.
    mutating func keep(_ witnesses: [Int32: LogWitness], epoch: Int64) {
        let before = log?.epoch == epoch ? log?.witnesses : nil
        log = Log(epoch: epoch, witnesses: (before ?? [:]).merging(witnesses) { $0.offset > $1.offset ? $0 : $1 })
    }

    /// Keeps where the application's group stands, unless that is known from before: a replay or a follower that began
    /// earlier than the copy counts on the copy holding no more than was applied then.
    mutating func record(_ application: [Int32: Int64]?, epoch: Int64) {
        guard recorded == nil, copy == nil else { return }
        recorded = application
        recordedEpoch = epoch
    }

    /// Whether documents may still come from the source.
    public var copyUnfinished: Bool { copy?.finished == nil }

    /// A target index is made again: nothing of what was done is in it.
    mutating func startOver() {
        phase = .created
        copy = nil
        replay = nil
        purge = nil
        copyGate = .closed
        replayDue = true
    }

    /// Throws while a replay is due: following on would leave what it is due for as it is.
    func checkReplayed(_ recipeFile: String) throws(WorkError) {
        guard replayDue else { return }
        throw WorkError(
            .refused,
            "migration \(name) must be replayed first: its target index was made again, and nothing of the log is in it. Run "
                + "`crossfade replay \(recipeFile)`, then follow"
        )
    }
}

extension MigrationState {
    /// The document.
    public var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("name", .string(name)), ("phase", .string(phase.rawValue)), ("fingerprint", .string(fingerprint)),
            // As text: parts hold what users wrote, and must not grow the mapping of the state index.
            ("work", .string(work.text())), ("created", .number("\(created)")),
            ("indices", .array(indices.map { .string($0) })),
        ]
        if let recorded { members.append(("recorded", Self.offsets(recorded))) }
        if let recordedEpoch { members.append(("recorded_epoch", .number("\(recordedEpoch)"))) }
        if let log { members.append(("log", .string(log.text))) }
        if let copy { members.append(("copy", .string(copy.json.text()))) }
        if let replay { members.append(("replay", .string(replay.json.text()))) }
        members.append(("copy_gate", .string(copyGate.rawValue)))
        members.append(("replay_due", .bool(replayDue)))
        let uuids = JSONObject(self.uuids.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
        members.append(("uuids", .string(JSONValue.object(uuids).text())))
        if let purge { members.append(("purge", .string(purge.json.text()))) }
        return .object(JSONObject(members))
    }

    static func offsets(_ offsets: [Int32: Int64]) -> JSONValue {
        .string(offsets.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ","))
    }

    static func offsets(_ value: JSONValue?) -> [Int32: Int64]? {
        guard let text = value?.string else { return nil }
        var offsets: [Int32: Int64] = [:]
        for pair in text.split(separator: ",") {
            let parts = pair.split(separator: ":")
            guard parts.count == 2, let partition = Int32(parts[0]), let offset = Int64(parts[1]) else { return nil }
            offsets[partition] = offset
        }
        return offsets
    }

    /// nil when the document is not a state of ours.
    public init?(json: JSONValue) {
        guard let name = json["name"]?.string, let phase = json["phase"]?.string.flatMap(Phase.init(rawValue:)),
            let fingerprint = json["fingerprint"]?.string, let workText = json["work"]?.string,
            let work = try? JSONValue(parsing: workText), let created = json["created"]?.int,
            let indices = json["indices"]?.array
        else { return nil }
        self.init(
            name: name, phase: phase, fingerprint: fingerprint, work: work, created: created,
            indices: indices.compactMap(\.string), recorded: Self.offsets(json["recorded"]))
        recordedEpoch = json["recorded_epoch"]?.int
        log = json["log"]?.string.flatMap(Log.init(text:))
        copy = json["copy"]?.string.flatMap { try? JSONValue(parsing: $0) }.flatMap(Copy.init(json:))
        replay = json["replay"]?.string.flatMap { try? JSONValue(parsing: $0) }.flatMap(Replay.init(json:))
        copyGate = json["copy_gate"]?.string.flatMap(CopyGate.init(rawValue:)) ?? .closed
        replayDue = json["replay_due"]?.bool ?? false
        let known = json["uuids"]?.string.flatMap { try? JSONValue(parsing: $0) }?.object ?? JSONObject()
        for (index, uuid) in known { uuids[index] = uuid.string }
        purge = json["purge"]?.string.flatMap { try? JSONValue(parsing: $0) }.flatMap(Purge.init(json:))
    }
}

extension MigrationState.Purge {
    var json: JSONValue {
        var members: JSONObject = [
            "first": .number("\(first)"), "last": .number("\(last)"), "purged": .number("\(purged)"),
            "away": .bool(isAway),
        ]
        if let underWay { members["under_way"] = .number("\(underWay)") }
        return .object(members)
    }

    init?(json: JSONValue) {
        guard let first = json["first"]?.int, let last = json["last"]?.int, let purged = json["purged"]?.int else {
            return nil
        }
        self.init(
            first: first, last: last, purged: Int(purged), isAway: json["away"]?.bool ?? true,
            underWay: json["under_way"]?.int)
    }
}

extension MigrationState.Log {
    /// `epoch partition=witness ...`.
    var text: String {
        (["\(epoch)"] + witnesses.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value.text)" }).joined(
            separator: " ")
    }

    init?(text: String) {
        let parts = text.split(separator: " ")
        guard let epoch = parts.first.flatMap({ Int64($0) }) else { return nil }
        var witnesses: [Int32: LogWitness] = [:]
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=")
            guard pair.count == 2, let partition = Int32(pair[0]), let witness = LogWitness(text: pair[1])
            else { return nil }
            witnesses[partition] = witness
        }
        self.init(epoch: epoch, witnesses: witnesses)
    }
}

extension MigrationState.Copy {
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("round", .number("\(round)")), ("expected", .number("\(expected)")), ("started", .number("\(started)")),
            ("slices", .array(slices.map(\.json))),
        ]
        if let finished { members.append(("finished", .number("\(finished)"))) }
        return .object(JSONObject(members))
    }

    init?(json: JSONValue) {
        guard let round = json["round"]?.int, let expected = json["expected"]?.int,
            let started = json["started"]?.int, let slices = json["slices"]?.array
        else { return nil }
        self.init(
            round: Int(round), expected: Int(expected), started: started, finished: json["finished"]?.int,
            slices: slices.compactMap(MigrationState.Slice.init(json:)))
    }
}

extension MigrationState.Slice {
    var json: JSONValue {
        .object(
            JSONObject([
                ("entry", .number("\(entry)")), ("index", .string(index)), ("spec", .string(spec)),
                ("done", .bool(done)), ("returned", .number("\(returned)")),
                (
                    "outcomes",
                    .object(JSONObject(outcomes.sorted { $0.key < $1.key }.map { ($0.key, .number("\($0.value)")) }))
                ),
            ]))
    }

    init?(json: JSONValue) {
        guard let entry = json["entry"]?.int, let index = json["index"]?.string, let spec = json["spec"]?.string,
            let done = json["done"]?.bool, let returned = json["returned"]?.int,
            let members = json["outcomes"]?.object
        else { return nil }
        var outcomes: [String: Int] = [:]
        for (key, value) in members { outcomes[key] = Int(value.int ?? 0) }
        self.init(
            entry: Int(entry), index: index, spec: spec, done: done, returned: Int(returned), outcomes: outcomes)
    }
}

extension MigrationState.Replay {
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("round", .number("\(round)")), ("epoch", .number("\(epoch)")), ("started", .number("\(started)")),
            ("start", MigrationState.offsets(start)), ("end", MigrationState.offsets(end)),
            ("position", MigrationState.offsets(position)),
        ]
        if let finished { members.append(("finished", .number("\(finished)"))) }
        return .object(JSONObject(members))
    }

    init?(json: JSONValue) {
        guard let round = json["round"]?.int, let epoch = json["epoch"]?.int, let started = json["started"]?.int,
            let start = MigrationState.offsets(json["start"]), let end = MigrationState.offsets(json["end"]),
            let position = MigrationState.offsets(json["position"])
        else { return nil }
        self.init(
            round: Int(round), epoch: epoch, started: started, finished: json["finished"]?.int, start: start, end: end,
            position: position)
    }
}
