/// A complete request.
public struct HTTPRequest: Sendable {
    /// The method in capitals, as the client sent it: `GET`, `HEAD`, `POST`, `PUT`, `DELETE`.
    public var method: String
    /// The path as the client sent it: still percent-encoded, without the query.
    public var path: String
    /// Names and values of the query, decoded, in their order. A name without `=` has the value nil.
    public var query: [(name: String, value: String?)]
    /// Header lines as the client sent them.
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]

    public init(
        method: String, path: String, query: [(name: String, value: String?)] = [],
        headers: [(name: String, value: String)] = [], body: [UInt8] = []
    ) {
        (self.method, self.path, self.query, self.headers, self.body) = (method, path, query, headers, body)
    }

    /// The first value of a query parameter. It is empty when the parameter has no `=`.
    public func parameter(_ name: String) -> String? {
        query.first { $0.name == name }.map { $0.value ?? "" }
    }

    /// The first header of that name. The case of the name does not matter.
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
