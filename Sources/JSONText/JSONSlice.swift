/// The kind of a value.
public enum JSONKind: UInt8, Sendable {
    /// There is no such value.
    case absent
    case null, boolean, number, string, array, object
}

/// The place of a value in a text, as a range of bytes. The range of a string includes its quotes.
public struct JSONSlice: Equatable, Sendable {
    public var kind: JSONKind
    /// Whether the value is a string that is known to have no escape. Then the bytes between the quotes are its
    /// content.
    public var isPlain: Bool
    public var start: Int
    public var end: Int

    @inlinable public init(kind: JSONKind, start: Int, end: Int, isPlain: Bool = false) {
        self.kind = kind
        self.start = start
        self.end = end
        self.isPlain = isPlain
    }

    /// No value.
    public static let absent = JSONSlice(kind: .absent, start: 0, end: 0)

    @inlinable public var isAbsent: Bool { kind == .absent }

    /// The bytes of the value. `text` must be the text in which it was found.
    @inlinable public func bytes(of text: Bytes) -> Bytes {
        guard let base = text.baseAddress, start >= 0, end <= text.count, start <= end else {
            return Bytes(start: nil, count: 0)
        }
        return Bytes(start: base + start, count: end - start)
    }
}
