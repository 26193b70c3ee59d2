import CommandLog
import JSONText

/// The headers that say why a record is a dead letter and where it was (design 6.7).
enum LetterHeader {
    static let prefix = "crossfade."
    static let reason = "crossfade.reason"
    static let detail = "crossfade.detail"
    /// The external version its write would have had; 0 when the record could not be decoded.
    static let version = "crossfade.version"
    /// When the letter was written, milliseconds since 1970.
    static let time = "crossfade.time"
    /// Name of the migration: two may share a command topic, and so its dead letters.
    static let migration = "crossfade.migration"
    /// `commands.epoch` under which the record was read.
    static let epoch = "crossfade.epoch"
    static let topic = "crossfade.topic"
    static let partition = "crossfade.partition"
    static let offset = "crossfade.offset"
    /// The record's own, milliseconds since 1970.
    static let timestamp = "crossfade.timestamp"
    /// `copy` for a document of the source; records of the topic have none.
    static let source = "crossfade.source"
    static let index = "crossfade.index"
    static let type = "crossfade.type"
    static let routing = "crossfade.routing"
    static let parent = "crossfade.parent"
    /// The final outcome of a redrive: this is no letter, but the resolution of one.
    static let resolved = "crossfade.resolved"

    static func epoch(_ message: LogMessage) -> Int64 { message.text(epoch).flatMap { Int64($0) } ?? 0 }
}

extension LogMessage {
    /// The text of the last header of that name; nil when there is none.
    func text(_ name: String) -> String? { headers?.value(of: name).map { String(repairing: $0) } }

    /// Every header in its order, copied.
    func copiedHeaders() -> [(String, [UInt8]?)] {
        var found: [(String, [UInt8]?)] = []
        headers?.forEachHeader { name, value in found.append((String(repairing: name), value.map(Array.init))) }
        return found
    }

    /// The time of the record: of the one that a dead letter holds, where letters are read.
    func time(redriven: Bool) -> Int64 {
        redriven ? text(LetterHeader.timestamp).flatMap { Int64($0) } ?? -1 : timestamp
    }
}
