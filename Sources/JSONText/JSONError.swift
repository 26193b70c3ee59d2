/// Why a text is not JSON, or not JSON that Crossfade passes on, and where.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: UInt8, Sendable {
        case unexpectedEnd, unexpectedByte, badNumber, badString, badEscape, invalidUTF8, loneSurrogate, tooDeep
        case trailingBytes
    }

    public var kind: Kind
    /// Bytes from the start of the text.
    public var offset: Int

    public init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    public var description: String {
        let what =
            switch kind {
            case .unexpectedEnd: "the text ends in the middle of a value"
            case .unexpectedByte: "there is a byte that cannot stand here"
            case .badNumber: "a number is malformed"
            case .badString: "a string has a raw control character"
            case .badEscape: "a string has a malformed escape"
            case .invalidUTF8: "a string is not valid UTF-8"
            case .loneSurrogate: "a string has half of a surrogate pair, which is no character"
            case .tooDeep: "objects and arrays are nested too deep"
            case .trailingBytes: "there is something after the value"
            }
        return "\(what) (at byte \(offset))"
    }
}

/// What kind of value a text is.
public enum JSONKind: UInt8, Sendable {
    /// There is no such value.
    case absent
    case null, boolean, number, string, array, object
}

/// A value's text: a half-open range of bytes, with the quotes of a string.
public struct JSONSlice: Equatable, Sendable {
    public var kind: JSONKind
    /// A string of which it is known that no escape is in it: its content is what lies between the quotes.
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

    /// The value's bytes in `text`, the text it was found in.
    @inlinable public func bytes(of text: Bytes) -> Bytes {
        guard let base = text.baseAddress, start >= 0, end <= text.count, start <= end else {
            return Bytes(start: nil, count: 0)
        }
        return Bytes(start: base + start, count: end - start)
    }
}
