/// The members of an object, in their order. Each name occurs once.
public struct JSONObject: Sendable, Equatable, RandomAccessCollection, ExpressibleByDictionaryLiteral {
    public typealias Element = (key: String, value: JSONValue)

    private var members: [Element] = []
    /// The place of each name; nil for small objects, in which a search is fast enough.
    private var index: [Name: Int]?

    /// A name that is told from others by its bytes, as in Elasticsearch: two spellings of one accented letter are two
    /// names. As texts they would be equal, and thousands of spellings of one name would lie in one place of a table.
    private struct Name: Hashable {
        var text: String

        static func == (one: Name, other: Name) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    public init() {}

    /// Of several members with the same name, the last value counts, at the place of the first.
    public init(_ members: some Sequence<(String, JSONValue)>) {
        for (key, value) in members { self[key] = value }
    }

    public init(dictionaryLiteral members: (String, JSONValue)...) { self.init(members) }

    public var startIndex: Int { 0 }
    public var endIndex: Int { members.count }
    public subscript(position: Int) -> Element { members[position] }
    public var keys: [String] { members.map(\.key) }
    public var values: [JSONValue] { members.map(\.value) }

    /// The member with this name. Setting nil removes it. A new name comes to the end.
    public subscript(key: String) -> JSONValue? {
        get { place(of: key).map { members[$0].value } }
        set {
            guard let value = newValue else {
                removeValue(forKey: key)
                return
            }
            if let place = place(of: key) {
                members[place].value = value
            } else {
                members.append((key, value))
                index?[Name(text: key)] = members.count - 1
                if index == nil, members.count > 16 { reindex() }
            }
        }
    }

    @discardableResult public mutating func removeValue(forKey key: String) -> JSONValue? {
        guard let place = place(of: key) else { return nil }
        let value = members.remove(at: place).value
        if index != nil { reindex() }
        return value
    }

    /// Removes the members with these names, in one walk.
    public mutating func removeValues(forKeys keys: [String]) {
        let gone = Set(keys.map(Name.init))
        members.removeAll { gone.contains(Name(text: $0.key)) }
        if index != nil { reindex() }
    }

    private func place(of key: String) -> Int? {
        if let index { return index[Name(text: key)] }
        return members.firstIndex { $0.key.utf8.elementsEqual(key.utf8) }
    }

    private mutating func reindex() {
        index = Dictionary(members.enumerated().map { (Name(text: $1.key), $0) }) { first, _ in first }
    }

    public static func == (one: JSONObject, other: JSONObject) -> Bool {
        one.count == other.count && one.allSatisfy { other[$0.key] == $0.value }
    }
}
