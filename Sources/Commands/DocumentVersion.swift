/// Makes external versions. Every write and delete uses `version_type: external` with such a number, so that all writes
/// of a document can be compared (promise P1 in `docs/architecture.md`).
public enum DocumentVersion {
    /// The offset has the low 44 bits. The bits above hold the epoch, at most 2^18 - 1, which the user raises when the
    /// topic is created anew.
    public static let epochShift: Int64 = 44

    /// `epoch << 44 | offset + 2`. The lowest is above ``floor(epoch:)``.
    public static func offset(_ offset: Int64, epoch: Int64) -> Int64 { epoch << epochShift | (offset &+ 2) }

    /// The version of a copied document that has none of its own. It is below every command of its epoch.
    public static func floor(epoch: Int64) -> Int64 { epoch << epochShift | 1 }

    /// `milliseconds << 20 | the low 20 bits of the offset`. Commands of the same millisecond keep their order.
    public static func timestamp(_ milliseconds: Int64, offset: Int64) -> Int64 {
        milliseconds << 20 | (offset & 0xF_FFFF)
    }
}
