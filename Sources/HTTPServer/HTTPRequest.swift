/// A request that was read whole.
public struct HTTPRequest: Sendable {
    /// In capitals, as it came: `GET`, `HEAD`, `POST`, `PUT`, `DELETE`.
    public var method: String
    /// The path as it came, still percent-encoded and without the query.
    public var path: String
    /// The query's names and values, decoded, in their order; a name without `=` has nil.
    public var query: [(name: String, value: String?)]
    /// Header lines as they came.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(
        method: String, path: String, query: [(name: String, value: String?)] = [],
        headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// The first value of a query parameter; an empty text when it stands there without `=`.
    public func parameter(_ name: String) -> String? {
        query.first { $0.name == name }.map { $0.value ?? "" }
    }

    /// The first header of that name, in whatever case.
    public func header(_ name: String) -> String? {
        headers.first { Self.isSame($0.name, name) }?.value
    }

    private static func isSame(_ one: String, _ other: String) -> Bool {
        guard one.utf8.count == other.utf8.count else { return false }
        return zip(one.utf8, other.utf8).allSatisfy { lower($0) == lower($1) }
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
