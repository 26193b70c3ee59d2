import Commands
import Foundation
import Indexing
import JSONText

/// How hard the target is being worked.
public struct Concurrency: Sendable, Equatable {
    /// Bulk requests that may be under way, and that are.
    public var limit: Int
    public var inFlight: Int
    /// Size of a full batch.
    public var batchDocuments: Int
    public var batchBytes: Int
    /// Answers in which the target said that it has too much to do.
    public var throttled: Int

    init(_ load: BulkSink.Load) {
        limit = load.limit
        inFlight = load.inFlight
        batchDocuments = load.batchDocuments
        batchBytes = load.batchBytes
        throttled = load.throttled
    }

    init?(json: JSONValue) {
        func number(_ name: String) -> Int? { json[name]?.int.map { Int(clamping: $0) } }
        guard let limit = number("limit"), let inFlight = number("in_flight"),
            let documents = number("batch_documents"), let bytes = number("batch_bytes"),
            let throttled = number("throttled")
        else { return nil }
        (self.limit, self.inFlight, self.throttled) = (limit, inFlight, throttled)
        (batchDocuments, batchBytes) = (documents, bytes)
    }

    public var json: JSONValue {
        [
            "limit": .number(limit), "in_flight": .number(inFlight), "batch_documents": .number(batchDocuments),
            "batch_bytes": .number(batchBytes), "throttled": .number(throttled),
        ]
    }

    var text: String {
        "bulk requests: \(inFlight) of at most \(limit), batches of \(batchDocuments) documents or \(batchBytes) bytes, "
            + "throttled \(throttled) times"
    }
}

/// Something that cannot be right and that a human should look at.
public struct Alarm: Sendable, Equatable {
    public var name: String
    public var text: String

    public var json: JSONValue { ["name": .string(name), "text": .string(text)] }

    init(name: String, text: String) {
        self.name = name
        self.text = text
    }

    init?(json: JSONValue) {
        guard let name = json["name"]?.string, let text = json["text"]?.string else { return nil }
        self.init(name: name, text: text)
    }

    /// The alarm about stale writes that nobody can have made before; nil when it was never raised.
    init?(_ stale: StaleAlarm) {
        guard let worst = stale.worst else { return nil }
        self.init(
            name: "stale_rate",
            text: "\(worst.stale) of \(worst.outcomes) commands that are new in the log came out stale"
                + "\(stale.isRaised ? "" : " (it has passed)"): the target holds newer versions than this log gives. Was it "
                + "restored from a snapshot, was the topic made again without raising commands.epoch, or does somebody "
                + "else write there?")
    }
}

extension Summary.Partition {
    init(_ counts: PartitionCounts, end: Int64?) {
        self.init(
            partition: counts.partition, start: counts.start, position: counts.position, committed: counts.committed,
            end: end, read: counts.read, inFlight: counts.inFlight,
            outcomes: Outcome.allCases.map { counts.outcomes[$0] }, isOwned: counts.owned)
    }

    /// Records between what has its outcome and the end; nil when either is unknown.
    public var lag: Int64? {
        guard let end, let committed else { return nil }
        return max(0, end - committed)
    }

    public var json: JSONValue {
        func number(_ value: Int64?) -> JSONValue { value.map { .number($0) } ?? .null }
        return [
            "partition": .number(Int(partition)), "owned": .bool(isOwned), "start": number(start),
            "position": number(position),
            "committed": number(committed), "end": number(end), "lag": number(lag), "read": .number(read),
            "in_flight": .number(inFlight),
            "outcomes": .object(JSONObject(zip(Outcome.allCases, outcomes).map { ($0.name, .number($1)) })),
        ]
    }

    init?(json: JSONValue) {
        guard let partition = json["partition"]?.int, let read = json["read"]?.int,
            let inFlight = json["in_flight"]?.int
        else { return nil }
        self.init(
            partition: Int32(clamping: partition), start: json["start"]?.int, position: json["position"]?.int,
            committed: json["committed"]?.int, end: json["end"]?.int, read: Int(clamping: read),
            inFlight: Int(clamping: inFlight),
            outcomes: Outcome.allCases.map { Int(clamping: json["outcomes"]?[$0.name]?.int ?? 0) },
            isOwned: json["owned"]?.bool ?? true)
    }

    var text: String {
        func shown(_ value: Int64?) -> String { value.map { "\($0)" } ?? "-" }
        let parts = zip(Outcome.allCases, outcomes).filter { $1 > 0 }.map { "\($0.name) \($1)" }
        return "partition \(partition): \(shown(start)) to \(shown(committed)), end \(shown(end)), read \(read), "
            + "in flight \(inFlight)" + (parts.isEmpty ? "" : ": " + parts.joined(separator: ", "))
    }
}

extension Summary {
    /// What a pipeline over the topic came to; `ends`: where each partition's log ends.
    mutating func take(_ pipeline: Pipeline, ends: [Int32: Int64]) {
        reasons = pipeline.deadLetters.reasons
        partitions = pipeline.ledger.partitions().map { Partition($0, end: ends[$0.partition]) }
        inFlight = partitions.reduce(0) { $0 + $1.inFlight }
        read += inFlight
        concurrency = Concurrency(pipeline.sink.load)
        if let alarm = Alarm(pipeline.ledger.alarm) { alarms = [alarm] }
    }
}
