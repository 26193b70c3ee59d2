import CXXHash
import CommandLog
import Foundation

/// A record that was applied, by which its log is known again: when a topic is recreated, or an unclean election takes
/// records back, another record has its offset. (librdkafka 2.0.2 can ask neither for a topic's id nor for the epoch of
/// a leader.)
package struct RecordFingerprint: Sendable, Equatable {
    package var offset: Int64
    /// Milliseconds since 1970; -1 when the record has none.
    package var timestamp: Int64
    /// XXH3 of value and key.
    package var digest: UInt64

    package init(offset: Int64, timestamp: Int64, digest: UInt64) {
        self.offset = offset
        self.timestamp = timestamp
        self.digest = digest
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
        guard parts.count == 3, let offset = Int64(parts[0]), let timestamp = Int64(parts[1]),
            let digest = UInt64(parts[2], radix: 16)
        else { return nil }
        self.init(offset: offset, timestamp: timestamp, digest: digest)
    }

    /// For messages: `offset 12 (written 2026-11-01T00:00:00Z)`.
    package var words: String {
        guard timestamp >= 0 else { return "offset \(offset)" }
        let time = ISO8601DateFormatter().string(from: Date(timeIntervalSince1970: Double(timestamp) / 1000))
        return "offset \(offset) (written \(time))"
    }
}

/// What is committed beside an offset: the epoch it belongs to, the last record before it, and an anchor.
///
/// When a topic is made again and the new log is soon longer than the old one was, the reading goes on in it until a look at
/// the records finds out: by then the last record is the new log's. The anchor is of the log that was read before.
package struct CommitNote: Sendable, Equatable {
    package var epoch: Int64
    package let witness: RecordFingerprint?
    /// nil when it is the last record itself.
    package let anchor: RecordFingerprint?

    package var text: String {
        (["crossfade", String(epoch)] + witnesses.map(\.text)).joined(separator: " ")
    }

    /// The last record first.
    package var witnesses: [RecordFingerprint] { [witness, anchor].compactMap { $0 } }

    package init(epoch: Int64, witness: RecordFingerprint?, anchor: RecordFingerprint? = nil) {
        self.epoch = epoch
        self.witness = witness
        self.anchor = anchor == witness ? nil : anchor
    }

    /// nil when it is not ours.
    package init?(text: String?) {
        let parts = (text ?? "").split(separator: " ")
        guard parts.count >= 2, parts[0] == "crossfade", let epoch = Int64(parts[1]) else { return nil }
        let known = parts.dropFirst(2).prefix(2).map { RecordFingerprint(text: $0) }
        self.init(epoch: epoch, witness: known.first ?? nil, anchor: known.count > 1 ? known[1] : nil)
    }
}

/// The last record of every run of a partition that is not settled yet, and of the settled prefix.
package struct FingerprintTrail: Sendable {
    private var open: [RecordFingerprint] = []
    private var head = 0
    /// The last record that was read below what was last settled.
    package private(set) var settled: RecordFingerprint?

    /// `known`: a record before the start that was found in the log just now.
    package init(known: RecordFingerprint? = nil) { settled = known }

    /// A run was read whose last record this is.
    package mutating func read(_ witness: RecordFingerprint) { open.append(witness) }

    /// Everything before `offset` has its final outcome.
    package mutating func settle(upTo offset: Int64) {
        while head < open.count, open[head].offset < offset {
            settled = open[head]
            head += 1
        }
        if head > 256, head * 2 > open.count {
            open.removeFirst(head)
            head = 0
        }
    }
}
