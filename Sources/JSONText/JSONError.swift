/// The reason and the place why a text is not JSON, or is JSON that Crossfade does not pass on.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    public enum Kind: UInt8, Sendable {
        case unexpectedEnd, unexpectedByte, badNumber, badString, badEscape, invalidUTF8, tooDeep
        case trailingBytes, tooManyValues
    }

    public var kind: Kind
    /// The place, in bytes from the start of the text.
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
            case .tooDeep:
                "objects and arrays are nested more than \(JSONScanner.maxDepth) levels deep (fixed limit json_depth)"
            case .trailingBytes: "there is something after the value"
            case .tooManyValues: "there are more than \(JSONValue.mostValues) values (fixed limit json_values)"
            }
        return "\(what) (at byte \(offset))"
    }
}
