import Basics
import CommandLog
import Commands
import JSONText

/// A dead letter, without the record's value.
package struct DeadLetter: Sendable {
    /// Where the letter lies in the dead-letter topic.
    package struct Place: Hashable, Sendable {
        package var partition: Int32
        package var offset: Int64
    }

    /// Which record or document died. It stays the same however often it dies.
    package enum Origin: Hashable, Sendable {
        /// A record of the command topic in that epoch. After the topic is recreated the same offset is another record.
        case record(topic: String, partition: Int32, offset: Int64, epoch: Int64)
        /// A document of the copy.
        case document(index: String, type: String?, id: [UInt8])

        /// The place of a record of the topic; nil for a copied document.
        package var coordinates: (partition: Int32, offset: Int64)? {
            guard case .record(_, let partition, let offset, _) = self else { return nil }
            return (partition, offset)
        }
    }

    package var place: Place
    package var origin: Origin
    /// Of the latest letter.
    package var reason: String
    package var detail: String
    /// 0 when the record could not be decoded.
    package var version: Int64
    /// `commands.epoch` when it died.
    package var epoch: Int64
    /// Milliseconds since 1970 when the latest letter was written.
    package var time: Int64
    package var key: [UInt8]?
    /// Bytes of key and value.
    package var size: Int
    /// The target ids that the record may be written under by the present recipe. Several: it may be any of them. None:
    /// the recipe cannot tell.
    package var ids: [String] = []
    /// How often it died.
    package var deaths = 1
    /// The final outcome of a later redrive, or a ``Resolution``, and when it was known (milliseconds since 1970); nil:
    /// the letter is unresolved.
    package var resolved: String?
    package var resolvedAt: Int64?
    /// Why it was discarded; nil: it was not.
    package var why: String?

    /// Whether the record could not be decoded when it died, so that its document was unknown.
    package var isUndecoded: Bool { version == 0 && origin.coordinates != nil }

    package var id: String? { ids.count == 1 ? ids[0] : nil }
}

extension DeadLetter.Origin {
    /// nil: the message lacks these headers, so it is no dead letter of Crossfade.
    package init?(_ message: LogMessage) {
        self.init(key: message.key.map(Array.init), header: message.text)
    }

    /// - Parameter header: the text of the last header of a name.
    init?(key: [UInt8]?, header: (String) -> String?) {
        if header(DeadLetterHeader.source) == "copy" {
            guard let key else { return nil }
            self = .document(
                index: header(DeadLetterHeader.index) ?? "", type: header(DeadLetterHeader.type), id: key)
            return
        }
        guard let topic = header(DeadLetterHeader.topic),
            let partition = header(DeadLetterHeader.partition).flatMap({ Int32($0) }),
            let offset = header(DeadLetterHeader.offset).flatMap({ OutsideNumber.offset(text: $0) }),
            partition >= 0
        else { return nil }
        self = .record(topic: topic, partition: partition, offset: offset, epoch: DeadLetterHeader.epoch(header))
    }

    /// The headers by which letters and resolutions name their origin.
    package var headers: [(String, [UInt8]?)] {
        switch self {
        case .record(let topic, let partition, let offset, _):
            [
                (DeadLetterHeader.topic, Array(topic.utf8)),
                (DeadLetterHeader.partition, Array(String(partition).utf8)),
                (DeadLetterHeader.offset, Array(String(offset).utf8)),
            ]
        case .document(let index, let type, _):
            [(DeadLetterHeader.source, Array("copy".utf8)), (DeadLetterHeader.index, Array(index.utf8))]
                + (type.map { [(DeadLetterHeader.type, Array($0.utf8))] } ?? [])
        }
    }
}

extension DeadLetter {
    package init(_ message: LogMessage, origin: Origin) {
        place = Place(partition: message.partition, offset: message.offset)
        self.origin = origin
        reason = message.text(DeadLetterHeader.reason) ?? "unknown"
        detail = message.text(DeadLetterHeader.detail) ?? ""
        version = message.text(DeadLetterHeader.version).flatMap { OutsideNumber.compared(text: $0) } ?? 0
        epoch = DeadLetterHeader.epoch(message.text)
        time =
            message.text(DeadLetterHeader.time).flatMap { OutsideNumber.time(text: $0) }
            ?? OutsideNumber.time(message.timestamp)
        key = message.key.map(Array.init)
        size = message.size
    }

    /// The record's own position as text: `3:1200`, or the source index of a copied document.
    package var originText: String {
        switch origin {
        case .record(_, let partition, let offset, _): "\(partition):\(offset)"
        case .document(let index, _, _): "copy of \(index)"
        }
    }

    package var json: JSONValue {
        var object: JSONObject = [
            "source": .string(origin.coordinates == nil ? "copy" : "topic")
        ]
        switch origin {
        case .record(let topic, let partition, let offset, _):
            object["topic"] = .string(topic)
            object["partition"] = .number(Int(partition))
            object["offset"] = .number(offset)
        case .document(let index, let type, _):
            object["index"] = .string(index)
            if let type { object["type"] = .string(type) }
        }
        object["version"] = .number(version)
        object["epoch"] = .number(epoch)
        object["reason"] = .string(reason)
        object["detail"] = .string(DeadLetterText.withoutValue(detail))
        object["time"] = .string(DeadLetterTime.text(time))
        object["key"] = key.map { DeadLetterText.json($0) } ?? .null
        object["id"] = id.map { .string($0) } ?? .null
        object["deaths"] = .number(deaths)
        object["resolved"] = resolved.map { .string($0) } ?? .null
        object["why"] = why.map { .string($0) } ?? .null
        object["letter"] = ["partition": .number(Int(place.partition)), "offset": .number(place.offset)]
        return .object(object)
    }
}

/// Selects letters to show or to redrive.
package struct DeadLetterFilter: Sendable {
    /// Only these reasons; empty: all.
    package var reasons: Set<String> = []
    /// Only records of this partition of the command topic.
    package var partition: Int32?
    /// Milliseconds since 1970; both inclusive.
    package var since: Int64?
    package var until: Int64?
    /// One record of the command topic.
    package var offset: (partition: Int32, offset: Int64)?
    /// Key or target id.
    package var id: String?
    /// At most so many, the oldest first.
    package var limit: Int?
    /// Also letters that are resolved.
    package var all = false

    package init() {}

    /// Whether it chooses every unresolved letter.
    package var isEmpty: Bool {
        reasons.isEmpty && partition == nil && since == nil && until == nil && offset == nil && id == nil
            && limit == nil
    }

    package func takes(_ letter: DeadLetter) -> Bool {
        if !all, letter.resolved != nil { return false }
        if !reasons.isEmpty, !reasons.contains(letter.reason) { return false }
        let at = letter.origin.coordinates
        if let partition, at?.partition != partition { return false }
        if let offset, at?.partition != offset.partition || at?.offset != offset.offset { return false }
        if let since, letter.time < since { return false }
        if let until, letter.time > until { return false }
        if let id, letter.id != id, letter.key.map({ String(decoding: $0, as: UTF8.self) }) != id { return false }
        return true
    }

    /// The letters that pass the filter, in the order in which they were written.
    package func select(_ letters: [DeadLetter]) -> [DeadLetter] {
        let taken = letters.filter(takes).sorted { one, other in
            (one.time, one.place.partition, one.place.offset) < (other.time, other.place.partition, other.place.offset)
        }
        return limit.map { Array(taken.prefix($0)) } ?? taken
    }
}

/// Finds the latest letter of each origin, and whether a resolution came after it. Partitions may be read in any order,
/// but the records of one partition must come in theirs.
package struct DeadLetterBook {
    private struct Entry {
        package var letter: DeadLetter?
        package var resolution: Resolution?
    }

    private struct Resolution {
        var place: DeadLetter.Place
        var time: Int64
        var outcome: String
        var why: String?
        /// For which reason of death it holds, however often the record dies; nil: only until the next death.
        var reason: String?
    }

    private var entries: [DeadLetter.Origin: Entry] = [:]

    package mutating func add(_ letter: DeadLetter) {
        let known = entries[letter.origin]?.letter
        guard let known else {
            entries[letter.origin, default: Entry()].letter = letter
            return
        }
        var latest = Self.isLater((letter.place, letter.time), than: (known.place, known.time)) ? letter : known
        latest.deaths = known.deaths + 1
        entries[letter.origin]?.letter = latest
    }

    package mutating func resolve(
        _ origin: DeadLetter.Origin, _ place: DeadLetter.Place, time: Int64, outcome: String, why: String? = nil,
        reason: String? = nil
    ) {
        if let known = entries[origin]?.resolution,
            !Self.isLater((place, time), than: (known.place, known.time))
        {
            return
        }
        entries[origin, default: Entry()].resolution = Resolution(
            place: place, time: time, outcome: outcome, why: why, reason: reason)
    }

    /// Within a partition the offset decides, between partitions the time.
    private static func isLater(
        _ one: (place: DeadLetter.Place, time: Int64), than other: (place: DeadLetter.Place, time: Int64)
    ) -> Bool {
        if one.place.partition == other.place.partition { return one.place.offset > other.place.offset }
        return one.time >= other.time
    }

    /// The latest letter of each origin. A letter without a later resolution is unresolved, unless it was discarded for
    /// the reason for which its record died again.
    package var letters: [DeadLetter] {
        entries.values.compactMap { entry in
            guard var letter = entry.letter else { return nil }
            if let resolution = entry.resolution,
                resolution.reason == letter.reason
                    || Self.isLater((resolution.place, resolution.time), than: (letter.place, letter.time))
            {
                letter.resolved = resolution.outcome
                letter.resolvedAt = resolution.time
                letter.why = resolution.why
            }
            return letter
        }
    }
}
