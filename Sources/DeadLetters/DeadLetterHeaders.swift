import Basics
import CommandLog
import JSONText

/// The headers that say why a record is a dead letter and where it was (P7 in docs/architecture.md).
package enum DeadLetterHeader {
    package static let prefix = "crossfade."
    package static let reason = "crossfade.reason"
    package static let detail = "crossfade.detail"
    /// The external version that the write would have had; 0: the record could not be decoded.
    package static let version = "crossfade.version"
    /// When the letter was written, milliseconds since 1970.
    package static let time = "crossfade.time"
    /// The migration's name, because two migrations may share a command topic and so its dead letters.
    package static let migration = "crossfade.migration"
    /// `commands.epoch` under which the record was read.
    package static let epoch = "crossfade.epoch"
    package static let topic = "crossfade.topic"
    package static let partition = "crossfade.partition"
    package static let offset = "crossfade.offset"
    /// The timestamp of the record itself, milliseconds since 1970.
    package static let timestamp = "crossfade.timestamp"
    /// `copy` for a document of the source. Records of the topic have no such header.
    package static let source = "crossfade.source"
    package static let index = "crossfade.index"
    package static let type = "crossfade.type"
    package static let routing = "crossfade.routing"
    package static let parent = "crossfade.parent"
    /// The `_version` of a copied document on the source.
    package static let sourceVersion = "crossfade.source_version"
    /// The final outcome of a redrive. A message with this header is not a letter, but resolves one.
    package static let resolved = "crossfade.resolved"
    /// Why somebody has discarded a letter.
    package static let why = "crossfade.why"

    static func epoch(_ header: (String) -> String?) -> Int64 {
        header(epoch).flatMap { OutsideNumber.count(text: $0) } ?? 0
    }
}

extension LogMessage {
    /// The text of the last header of that name; nil: there is none.
    package func text(_ name: String) -> String? { headers?.value(of: name).map { String(repairing: $0) } }

    /// Copies of all headers, in their order.
    package func copiedHeaders() -> [(String, [UInt8]?)] {
        var found: [(String, [UInt8]?)] = []
        headers?.forEachHeader { name, value in found.append((String(repairing: name), value.map(Array.init))) }
        return found
    }

    /// The record's timestamp. `redriven`: the message is a dead letter, and the timestamp is that of the record in it.
    package func time(redriven: Bool) -> Int64 {
        redriven ? text(DeadLetterHeader.timestamp).flatMap { OutsideNumber.time(text: $0) } ?? -1 : timestamp
    }
}
