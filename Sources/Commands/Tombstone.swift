import JSONText

/// The document that a delete writes: a small document with the version of the delete. It stays until a purge, so that
/// an older write that comes late cannot bring the deleted document back (promise P5 in `docs/architecture.md`). Only
/// this file knows its form.
public enum Tombstone {
    /// The field that marks a tombstone; its value is true.
    public static let deleted = "crossfade_deleted"
    /// The field with the time at which it was written, in milliseconds since 1970. Only the purge uses it.
    public static let deletedAt = "crossfade_deleted_at"
    /// The fields of a tombstone. No document of the application may have one of them at its top level.
    public static let fields = [deleted, deletedAt]

    private static let head: StaticString = "{\"crossfade_deleted\":true,\"crossfade_deleted_at\":"

    /// Appends a tombstone. `time`: milliseconds since 1970.
    public static func append(to body: ByteBuffer, time: Int64) {
        body.append(head)
        body.append(decimal: time)
        body.append(UInt8(ascii: "}"))
    }

    /// Whether a document, as an index gives it back, is a tombstone. It compares only the first bytes, because
    /// Crossfade writes every tombstone with exactly these. A document of the application that has these fields is
    /// rejected.
    public static func isOne(_ document: Bytes) -> Bool {
        let length = head.utf8CodeUnitCount
        guard document.count > length, let text = document.baseAddress else { return false }
        return JSONScanner.same(text, head.utf8Start, length)
    }
}
