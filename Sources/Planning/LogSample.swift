import CommandLog
import Commands
import Failures
import Indexing
import JSONText
import Recipe
import Runtime
import Telemetry

/// A bounded sample of the command topic, read once for all rails that look at records.
///
/// It holds the newest records of every partition, and the newest of those whose effect the old index has
/// (``LogStretches``). It keeps what the commands name, and a bounded number of their documents.
package struct LogSample: Sendable {
    /// Two records of one id in two partitions.
    package struct Clash: Sendable {
        package var id: String
        package var one: (partition: Int32, offset: Int64)
        package var other: (partition: Int32, offset: Int64)
    }

    /// How many records were looked at.
    package private(set) var read = 0
    /// How many of the newest records were looked at, of those in which ids must keep to one partition.
    package private(set) var newestRead = 0
    /// How many of the records were looked at whose effect the old index has.
    package private(set) var appliedRead = 0
    /// The last command of each id in the applied stretch.
    package private(set) var applied = CommandFold()
    /// The last command of each id in the rest of the sample, whose effect the old index may not have yet.
    package private(set) var recent = CommandFold()
    /// The greatest versions of each id; kept only where copied documents get the source's own.
    package private(set) var versions = VersionFold()
    /// What commands after the applied stretch name: an entry, an id and a routing each; see ``isNamedLater(_:_:)``.
    private var later: Set<String> = []
    /// Ids with records in two partitions, at most ``mostClashes``; the first two places of each.
    package private(set) var clashes: [Clash] = []
    /// Ids of which the recipe accepts that.
    private var split: [String: Clash] = [:]
    private let splitIDs: Set<String>
    private static let mostClashes = 20
    /// Where commands say the type of their document.
    package private(set) var typeFields: TypeFields
    /// Where commands have the routing of their documents.
    package private(set) var routingFields: RoutingFields
    /// Records that would be dead letters, by their reasons, each with the first of them.
    package private(set) var rejects: [String: (count: Int, detail: String, partition: Int32, offset: Int64)] = [:]
    /// The names of the commands among these that the recipe does not know.
    package private(set) var unknown: UnknownCommands
    package private(set) var behindDeletes = PartsBehindDeletes()
    /// Documents of commands, whole and partial ones.
    private(set) var documents = DocumentReservoir()
    /// What the records say about where they belong.
    package private(set) var attribution: AttributionTally

    /// Places of the records that no entry takes; what they delete has moved out of all of them.
    private var unselected: Set<[Int64]> = []
    /// Records that are older than one before them in their partition, and the first of them.
    private var backwards: (count: Int, partition: Int32, offset: Int64)?
    private var lastTimes: [Int32: (offset: Int64, time: Int64)] = [:]

    private let stretches: LogStretches
    private let shape: CommandFormat.Shape
    private let keysAreIDs: Bool
    private let keysAreText: Bool
    private let keepsVersions: Bool

    private init(
        _ stretches: LogStretches, _ format: CommandFormat, _ types: TypeFields, hasSource: Bool, splitIDs: [String]
    ) {
        self.splitIDs = Set(splitIDs)
        (self.stretches, typeFields, shape) = (stretches, types, format.shape)
        routingFields = RoutingFields(hasSource ? format : nil)
        keepsVersions = format.copiedVersion == .source
        attribution = AttributionTally(format)
        unknown = UnknownCommands(format.shape)
        // In format debezium a key that is not as the recipe says is no different from another broken record.
        if case .debezium = format.shape, format.key == .json {
            keysAreIDs = false
        } else {
            keysAreIDs = format.keyIsID
        }
        keysAreText = format.key == .text
    }

    /// Reads for at most `seconds`. If time is up, the sample is smaller.
    package static func take(
        _ recipe: Recipe, survey: Survey, logger: Logger, seconds: Double = 5
    ) throws -> LogSample {
        let stretches = LogStretches(
            watermarks: survey.watermarks, unread: survey.unread(recipe),
            application: survey.applicationUnknown == nil ? survey.application : nil)
        var sample = LogSample(
            stretches, recipe.commands.format, typeFields(recipe, survey), hasSource: survey.source != nil,
            splitIDs: recipe.splitIDs)
        let decoder = CommandDecoder(recipe.commands.format)
        var seen: [String: (Int32, Int64)] = [:]
        let end = MonotonicClock.milliseconds() + Int64(seconds * 1000)
        for pass in stretches.passes {
            try sample.read(pass, recipe, until: end, logger: logger) { sample, message in
                sample.look(message, decoder, &seen)
            }
        }
        return sample
    }

    private static func typeFields(_ recipe: Recipe, _ survey: Survey) -> TypeFields {
        let named = survey.entries.filter { IDTemplate($0.recipe.id).namesType }
        guard case .envelope = recipe.commands.format.shape else { return TypeFields([]) }
        return TypeFields(Set(named.flatMap { $0.source.flatMap(\.types) }))
    }

    private mutating func read(
        _ ranges: [Int32: Range<Int64>], _ recipe: Recipe, until end: Int64, logger: Logger,
        _ look: (inout LogSample, LogMessage) -> Void
    ) throws {
        var left = Set(ranges.keys)
        guard !left.isEmpty else { return }
        let consumer = try LogConsumer(
            settings: recipe.kafkaSettings, topic: recipe.commands.topic,
            mode: .assigned(ranges.mapValues(\.lowerBound)),
            log: logger.kafka)
        defer { consumer.close(seconds: 2) }
        let batch = RecordBatch(capacity: 1024)
        while !left.isEmpty, MonotonicClock.milliseconds() < end {
            try consumer.poll(into: batch, timeoutMs: 100)
            for index in 0..<batch.count {
                let message = batch[index]
                guard let range = ranges[message.partition] else { continue }
                if range.contains(message.offset) { look(&self, message) }
                if message.offset + 1 >= range.upperBound { left.remove(message.partition) }
            }
            for case .endOfPartition(let partition, _) in batch.events { left.remove(partition) }
            batch.releaseAll()
        }
    }

    private mutating func look(
        _ message: LogMessage, _ decoder: CommandDecoder, _ seen: inout [String: (Int32, Int64)]
    ) {
        read += 1
        lookAtTime(message)
        let isApplied = stretches.applied[message.partition]?.contains(message.offset) == true
        if isApplied { appliedRead += 1 }
        let record = Record(
            key: message.key, value: message.value, timestamp: message.timestamp, partition: message.partition,
            offset: message.offset, headers: message.headers)
        let isNewest = stretches.newest[message.partition]?.contains(message.offset) == true
        if isNewest { newestRead += 1 }
        // Parsed once, and only if somebody looks.
        let shape = shape
        lazy var fields = SampledFields(message.value, shape)
        if typeFields.isWanting { typeFields.look(fields) }
        let decoded = decoder.decode(record)
        attribution.add(decoded, decoder, message)
        if decoder.selectsNone { unselected.insert([Int64(message.partition), message.offset]) }
        switch decoded {
        case .operation(let operation):
            let command = SampledCommand(operation, message, withKey: keysAreIDs && !keysAreText)
            if routingFields.isWanting(command) { routingFields.look(command, fields) }
            behindDeletes.add(command)
            if keepsVersions { versions.add(command, isApplied: isApplied) }
            if operation.kind != .delete {
                documents.add(operation.document, id: operation.id, entry: operation.entry)
            }
            if isApplied {
                applied.add(command)
            } else {
                recent.add(command)
                later.insert(Self.name(command))
            }
            if isNewest { watch(operation, message, &seen) }
        case .reject(let reject):
            rejects[reject.reason, default: (0, reject.detail, message.partition, message.offset)].count += 1
            if reject.reason == "unknown_operation" { unknown.add(fields) }
            guard keysAreIDs, ["bad_utf8", "no_id", "bad_key"].contains(reject.reason), let key = message.key,
                !key.isEmpty
            else { return }
            let command = SampledCommand(unread: key, message)
            if isApplied { applied.add(command) } else { recent.add(command) }
        case .skip: break
        }
    }

    /// Whether the command itself says that its document is deleted.
    package func isDelete(_ command: SampledCommand) -> Bool {
        command.kind == .delete && !unselected.contains([Int64(command.partition), command.offset])
    }

    private mutating func lookAtTime(_ message: LogMessage) {
        let last = lastTimes[message.partition]
        // Of two stretches the newer is read first.
        if let last, last.offset < message.offset, message.timestamp < last.time {
            backwards =
                backwards.map { ($0.count + 1, $0.partition, $0.offset) }
                ?? (1, message.partition, message.offset)
        } else {
            lastTimes[message.partition] = (message.offset, message.timestamp)
        }
    }

    private static func name(_ command: SampledCommand) -> String {
        "\(command.entry)/\(command.routing ?? "")/\(command.id)"
    }

    /// Whether a later command gives the document of `command` this routing: then the document has moved since.
    package func isNamedLater(_ command: SampledCommand, routing: String?) -> Bool {
        var other = command
        other.routing = routing
        return later.contains(Self.name(other))
    }

    private mutating func watch(
        _ operation: Operation, _ message: LogMessage, _ seen: inout [String: (Int32, Int64)]
    ) {
        guard clashes.count < Self.mostClashes else { return }
        let (id, name) = (String(repairing: operation.id), "\(operation.entry)/\(String(repairing: operation.id))")
        if let (partition, offset) = seen[name], partition != message.partition {
            let clash = Clash(id: id, one: (partition, offset), other: (message.partition, message.offset))
            if splitIDs.contains(id) {
                split[id] = split[id] ?? clash
            } else if !clashes.contains(where: { $0.id == id }) {
                clashes.append(clash)
            }
        }
        seen[name] = (message.partition, message.offset)
    }

    /// Looks whether one id's commands lie in two partitions, which `version: offset` cannot bear, because offsets
    /// order only the records of one partition (P1 in docs/architecture.md).
    package func onePartitionRail(_ recipe: Recipe) -> Rail {
        let rail = partitionRail(recipe)
        guard rail.verdict == .ok, recipe.commands.format.version == .timestamp, let backwards else { return rail }
        return Rail(
            name: "one_partition", verdict: .warn,
            detail: "\(backwards.count) of \(read) sampled records are older than one before them in their partition "
                + "(the first: partition \(backwards.partition) offset \(backwards.offset)): of two commands of an id, "
                + "the one with the later time stays, although the application applied the other one last. Take "
                + "versions from offset, or from a number of the application")
    }

    private func partitionRail(_ recipe: Recipe) -> Rail {
        guard recipe.commands.format.needsOnePartition else {
            return Rail(
                name: "one_partition", verdict: .ok,
                detail: "versions do not come from offsets, and there are no partial updates")
        }
        guard let clash = clashes.first else { return splitRail }
        var rail = Rail(
            name: "one_partition", verdict: .refused,
            detail: Refusal.idInTwoPartitions(
                clash.id, topic: recipe.commands.topic, orderedByOthers: !recipe.commands.format.hasMerges,
                one: Refusal.Place(clash.one.partition, clash.one.offset),
                other: Refusal.Place(clash.other.partition, clash.other.offset), more: clashes.dropFirst().map(\.id)
            ).text)
        rail.isCovered = false
        return rail
    }

    private var splitRail: Rail {
        guard !split.isEmpty else {
            return Rail(
                name: "one_partition", verdict: .ok,
                detail: "no id in two partitions among the newest \(newestRead) records")
        }
        let ids = split.keys.sorted().prefix(Self.mostClashes).joined(separator: ", ")
        return Rail(
            name: "one_partition", verdict: .refused,
            detail: "\(split.count) of \(splitIDs.count) accepted ids have commands in two partitions among the newest "
                + "\(newestRead) records: \(ids). Of each, the command with the greater version stays")
    }
}

extension SampledCommand {
    fileprivate init(_ operation: Operation, _ message: LogMessage, withKey: Bool) {
        self.init(
            kind: operation.kind, entry: operation.entry, id: String(repairing: operation.id),
            routing: operation.routing.map { String(repairing: $0) }, partition: message.partition,
            offset: message.offset, timestamp: message.timestamp, version: operation.version,
            key: withKey ? message.key.map { Array($0) } : nil)
    }

    fileprivate init(unread key: Bytes, _ message: LogMessage) {
        self.init(
            kind: .index, entry: 0, id: String(repairing: key), routing: nil, partition: message.partition,
            offset: message.offset, timestamp: message.timestamp, unreadKey: Array(key))
    }
}
