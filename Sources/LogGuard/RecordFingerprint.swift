import Basics
import CXXHash
import CommandLog
import JSONText

/// The fingerprint of an applied record, by which its log is known again. When a topic is recreated, or an unclean
/// election removes records, another record has the same offset. (librdkafka 2.0.2 can ask neither for a topic's id nor
/// for a leader's epoch.)
package struct RecordFingerprint: Sendable, Equatable {
    package var offset: Int64
    /// Milliseconds since 1970; -1 when the record has none.
    package var timestamp: Int64
    /// XXH3 of value and key.
    package var digest: UInt64

    package init(offset: Int64, timestamp: Int64, digest: UInt64) {
        (self.offset, self.timestamp, self.digest) = (offset, timestamp, digest)
    }

    package init(_ message: LogMessage) {
        let (key, value) = (message.key, message.value)
        var seed = key.map { XXH3_64bits($0.baseAddress, $0.count) } ?? 1
        if value == nil { seed = ~seed }
        self.init(
            offset: message.offset, timestamp: message.timestamp,
            digest: XXH3_64bits_withSeed(value?.baseAddress, value?.count ?? 0, seed))
    }

    /// `offset:timestamp:digest`.
    package var text: String { "\(offset):\(timestamp):\(String(digest, radix: 16))" }

    package init?(text: some StringProtocol) {
        let parts = text.split(separator: ":")
        guard parts.count == 3, let offset = OutsideNumber.offset(text: parts[0]),
            let timestamp = OutsideNumber.time(text: parts[1]),
            let digest = UInt64(parts[2], radix: 16)
        else { return nil }
        self.init(offset: offset, timestamp: timestamp, digest: digest)
    }

    /// For messages: `offset 12 (written 2026-11-01T00:00:00Z)`.
    package var words: String {
        guard timestamp >= 0 else { return "offset \(offset)" }
        return "offset \(offset) (written \(ISOTime.text(timestamp)))"
    }
}

/// The note that is committed with an offset: its epoch, the last record before it, an anchor, a time, and whose it is.
///
/// The anchor is needed when a topic is recreated and the new log is soon longer than the old one was. Then records of
/// the new log are read until the log monitor notices, and the last record is already one of the new log. The anchor is
/// a record of the old log.
package struct CommitNote: Sendable, Equatable {
    /// Of which work the offset is.
    package struct Mark: Sendable, Equatable {
        /// The confirmed work.
        package var fingerprint: String
        /// Which set of target indices it was written to; nil: the state says nothing of it.
        package var term: Int64?

        package init(fingerprint: String, term: Int64?) { (self.fingerprint, self.term) = (fingerprint, term) }

        /// `fingerprint` or `fingerprint/term`.
        var text: String { fingerprint + (term.map { "/\($0)" } ?? "") }

        init(text: some StringProtocol) {
            let parts = text.split(separator: "/", maxSplits: 1)
            self.init(
                fingerprint: parts.first.map { String($0) } ?? "",
                term: parts.count > 1 ? OutsideNumber.time(text: parts[1]) : nil)
        }
    }

    package var epoch: Int64
    package let fingerprint: RecordFingerprint?
    /// nil: it is the last record itself.
    package let anchor: RecordFingerprint?
    /// Compaction cannot have met a delete from the offset on before this time (see `UnreadDeletes`), in milliseconds
    /// since 1970; nil: that is not known. Older versions wrote when they committed, or nothing.
    package let time: Int64?
    /// nil: an earlier version of Crossfade committed it.
    package let mark: Mark?

    package var text: String {
        (["crossfade", String(epoch)] + fingerprints.map(\.text) + (time.map { ["@\($0)"] } ?? [])
            + (mark.map { ["#\($0.text)"] } ?? [])).joined(separator: " ")
    }

    /// The last record first.
    package var fingerprints: [RecordFingerprint] { [fingerprint, anchor].compactMap { $0 } }

    package init(
        epoch: Int64, fingerprint: RecordFingerprint?, anchor: RecordFingerprint? = nil, time: Int64? = nil,
        mark: Mark? = nil
    ) {
        (self.epoch, self.fingerprint, self.time, self.mark) = (epoch, fingerprint, time, mark)
        self.anchor = anchor == fingerprint ? nil : anchor
    }

    /// nil: the note is not Crossfade's.
    package init?(text: String?) {
        let parts = (text ?? "").split(separator: " ")
        guard parts.count >= 2, parts[0] == "crossfade", let epoch = OutsideNumber.count(text: parts[1])
        else { return nil }
        let rest = parts.dropFirst(2)
        let known = rest.filter { $0.first != "@" && $0.first != "#" }.prefix(2).map { RecordFingerprint(text: $0) }
        self.init(
            epoch: epoch, fingerprint: known.first ?? nil, anchor: known.count > 1 ? known[1] : nil,
            time: rest.first { $0.first == "@" }.flatMap { OutsideNumber.time(text: $0.dropFirst()) },
            mark: rest.first { $0.first == "#" }.map { Mark(text: $0.dropFirst()) })
    }
}
