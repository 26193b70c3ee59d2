import Commands
import JSONText

/// One partition of the topic, as a process that reads it reports it.
/// At any moment `read == outcomes + inFlight`.
package struct PartitionReport: Sendable, Equatable {
    package var partition: Int32
    /// The first offset read; nil: none was read.
    package var start: Int64?
    /// The next offset to read.
    package var position: Int64?
    /// Every record before this offset has its final outcome.
    package var committed: Int64?
    /// The end of the log, or of the replay; nil: it could not be asked.
    package var end: Int64?
    package var read = 0
    package var inFlight = 0
    package var outcomes: [Int] = []
    /// Whether the process still reads it.
    package var isOwned = true

    package init(
        partition: Int32, start: Int64? = nil, position: Int64? = nil, committed: Int64? = nil, end: Int64? = nil,
        read: Int = 0, inFlight: Int = 0, outcomes: [Int] = [], isOwned: Bool = true
    ) {
        (self.partition, self.start, self.position, self.committed) = (partition, start, position, committed)
        (self.end, self.read, self.inFlight, self.outcomes, self.isOwned) = (end, read, inFlight, outcomes, isOwned)
    }
}

extension PartitionReport {
    /// Records from `committed` to `end`; nil: one of them is unknown.
    package var lag: Int64? {
        guard let end, let committed else { return nil }
        return max(0, end - committed)
    }

    package var json: JSONValue {
        func number(_ value: Int64?) -> JSONValue { value.map { .number($0) } ?? .null }
        return [
            "partition": .number(Int(partition)), "owned": .bool(isOwned), "start": number(start),
            "position": number(position),
            "committed": number(committed), "end": number(end), "lag": number(lag), "read": .number(read),
            "in_flight": .number(inFlight),
            "outcomes": .object(JSONObject(zip(Outcome.allCases, outcomes).map { ($0.name, .number($1)) })),
        ]
    }

    package init?(json: JSONValue) {
        guard let partition = json["partition"]?.count, let read = json["read"]?.size,
            let inFlight = json["in_flight"]?.size
        else { return nil }
        self.init(
            partition: Int32(clamping: partition), start: json["start"]?.count, position: json["position"]?.count,
            committed: json["committed"]?.count, end: json["end"]?.count, read: read,
            inFlight: inFlight,
            outcomes: Outcome.allCases.map { json["outcomes"]?[$0.name]?.size ?? 0 },
            isOwned: json["owned"]?.bool ?? true)
    }
}
