import JSONText

/// What a deleted document becomes for as long as Crossfade writes (design 6.5): a small document of its own, at the
/// version of the delete. Its form is said here alone.
public enum Tombstone {
    /// The mark: true.
    public static let deleted = "crossfade_deleted"
    /// When it was written, in milliseconds since 1970. Decides only when it may be purged.
    public static let deletedAt = "crossfade_deleted_at"
    /// The fields that no document of the application may have at its top.
    public static let fields = [deleted, deletedAt]

    private static let head: StaticString = "{\"crossfade_deleted\":true,\"crossfade_deleted_at\":"

    /// Appends a tombstone. `time`: milliseconds since 1970.
    public static func append(to body: ByteBuffer, time: Int64) {
        body.append(head)
        body.append(decimal: time)
        body.append(UInt8(ascii: "}"))
    }

    /// Whether the document, as an index gives it back, is a tombstone. No document of the application is: one with
    /// these fields is a reject. Looks at the first bytes alone, because a tombstone is ours to the byte.
    public static func isOne(_ document: Bytes) -> Bool {
        let length = head.utf8CodeUnitCount
        guard document.count > length, let text = document.baseAddress else { return false }
        return JSONScanner.same(text, head.utf8Start, length)
    }
}
