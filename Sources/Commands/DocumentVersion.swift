import JSONText

/// Makes external versions. Every write and delete uses `version_type: external` with such a number, so that all writes
/// of a document can be compared (promise P1 in `docs/architecture.md`).
public enum DocumentVersion {
    /// The offset has the low 44 bits. The bits above hold the epoch, at most 2^18 - 1, which the user raises when the
    /// topic is created anew.
    public static let epochShift: Int64 = 44

    /// `epoch << 44 | offset + 2`. The lowest is above ``floor(epoch:)``.
    public static func offset(_ offset: Int64, epoch: Int64) -> Int64 { epoch << epochShift | (offset &+ 2) }

    /// The offset that made this version; nil: none of this epoch did.
    public static func offset(named version: Int64, epoch: Int64) -> Int64? {
        guard version >> epochShift == epoch else { return nil }
        let offset = version & (1 << epochShift - 1) - 2
        return offset >= 0 ? offset : nil
    }

    /// The version that the target holds, as the reason of a conflict says it: `current version [152]`, on old servers
    /// `current [152]`; nil: it does not. An id may have such words, so the last ones count.
    public static func current(inReason reason: String) -> Int64? {
        let reason = Array(reason.utf8)
        for start in reason.indices.reversed() where reason[start] == UInt8(ascii: "c") {
            var rest = reason[start...]
            guard take("current", &rest) else { continue }
            _ = take(" version", &rest)
            guard take(" [", &rest), let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            return OutsideNumber.compared(text: String(decoding: rest[..<end], as: UTF8.self))
        }
        return nil
    }

    private static func take(_ words: StaticString, _ rest: inout ArraySlice<UInt8>) -> Bool {
        let words = UnsafeBufferPointer(start: words.utf8Start, count: words.utf8CodeUnitCount)
        guard rest.starts(with: words) else { return false }
        rest = rest.dropFirst(words.count)
        return true
    }

    /// The version of a copied document, where versions are offsets. It is below every command of its epoch.
    public static func floor(epoch: Int64) -> Int64 { epoch << epochShift | 1 }

    /// The version of a copied document that has none of its own. It is below every command.
    ///
    /// `field`, `header`: the application counts by itself and knows nothing of epochs. 0 is the lowest external
    /// version that servers take, so that even a command with version 1 wins. `timestamp`: that of one millisecond
    /// after 1970 is 2^20, which is above every epoch.
    ///
    /// Without commands nothing else writes, and it is the number of the copy.
    public static func floor(_ format: CommandFormat) -> Int64 {
        if let round = format.round, format.copiedVersion == .floor { return round }
        switch format.version {
        case .offset: return floor(epoch: format.epoch)
        case .timestamp: return min(max(format.epoch, 0) + 1, 1 << 20 - 1)
        case .field, .header: return lowest
        }
    }

    /// The lowest version that an application can give; servers take no lower one.
    public static let lowest: Int64 = 0

    /// `milliseconds << 20 | the low 20 bits of the offset`. Commands of the same millisecond keep their order.
    public static func timestamp(_ milliseconds: Int64, offset: Int64) -> Int64 {
        milliseconds << 20 | (offset & 0xF_FFFF)
    }

    /// Why a text is no version.
    static func complaint(_ text: String) -> String { "\(text) is not a whole number from 0 to 2^63 - 1" }
}
