import Glibc
import JSONText

/// A field of a mapping, with the fields in it. Not thread-safe: it belongs to an index and its lock.
final class FieldNode {
    /// The handling of unmapped fields.
    enum Dynamic: String { case yes = "true", no = "false", strict, runtime }

    enum Kind {
        case object
        case nested
        /// `enabled: false`: the field is kept in the source and never indexed.
        case disabled
        case leaf(LeafCheck)
    }

    let name: String
    /// The full path, with dots.
    let path: String
    let kind: Kind
    /// The mapping parameters, without `properties` and `fields`.
    let parameters: JSONObject
    /// Multi-fields.
    var fields: [FieldNode] = []
    private(set) var children: [FieldNode] = []
    let dynamic: Dynamic?
    /// The last object in which this field was seen. It detects a name that appears twice in one object.
    var stamp: UInt64 = 0

    private let bytes: UnsafeMutablePointer<UInt8>
    private let length: Int
    /// The positions of children, by the hash of their names; -1 is none.
    private var table: [Int32] = [-1, -1, -1, -1]
    /// The position of the next child if keys come in the same order as last time, as machines write them.
    private var expected = 0

    init(name: String, path: String, kind: Kind, parameters: JSONObject, dynamic: Dynamic? = nil) {
        self.name = name
        self.path = path
        self.kind = kind
        self.parameters = parameters
        self.dynamic = dynamic
        length = name.utf8.count
        bytes = .allocate(capacity: max(length, 1))
        for (place, byte) in name.utf8.enumerated() { bytes[place] = byte }
    }

    deinit { bytes.deallocate() }

    var isObject: Bool {
        switch kind {
        case .object, .nested, .disabled: true
        case .leaf: false
        }
    }

    /// The type name in a mapping.
    var typeName: String {
        switch kind {
        case .nested: "nested"
        case .object, .disabled: "object"
        case .leaf: parameters["type"]?.string ?? "object"
        }
    }

    func add(_ child: FieldNode) {
        children.append(child)
        if children.count * 2 > table.count {
            table = Array(repeating: -1, count: table.count * 2)
            for number in children.indices { place(number) }
        } else {
            place(children.count - 1)
        }
    }

    private func place(_ number: Int) {
        var slot = Self.hash(children[number].bytes, children[number].length) & (table.count - 1)
        while table[slot] >= 0 { slot = (slot + 1) & (table.count - 1) }
        table[slot] = Int32(truncatingIfNeeded: number)
    }

    func child(_ key: UnsafePointer<UInt8>, _ count: Int) -> FieldNode? {
        if expected < children.count {
            let next = children[expected]
            if next.length == count, memcmp(next.bytes, key, count) == 0 {
                expected += 1
                return next
            }
        }
        var slot = Self.hash(key, count) & (table.count - 1)
        while table[slot] >= 0 {
            let number = Int(table[slot])
            let found = children[number]
            if found.length == count, memcmp(found.bytes, key, count) == 0 {
                expected = number + 1
                return found
            }
            slot = (slot + 1) & (table.count - 1)
        }
        return nil
    }

    func child(_ name: String) -> FieldNode? { children.first { $0.name.utf8.elementsEqual(name.utf8) } }

    /// Starts a new object: the first key is expected next.
    func begin() { expected = 0 }

    private static func hash(_ key: UnsafePointer<UInt8>, _ count: Int) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for place in 0..<count { hash = (hash ^ UInt64(key[place])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: hash &>> 1)
    }

    /// The number of fields in and below this one, without itself. `index.mapping.total_fields.limit` limits it.
    var fieldCount: Int {
        var count = fields.count
        for child in children { count += 1 + child.fieldCount }
        return count
    }

    /// The mapping in the server's form. `isRoot`: without the type `object`.
    func json(isRoot: Bool = false) -> JSONObject {
        var object = JSONObject()
        if case .nested = kind { object["type"] = "nested" }
        if case .object = kind, !isRoot, children.isEmpty { object["type"] = "object" }
        if let dynamic { object["dynamic"] = .string(dynamic.rawValue) }
        if case .disabled = kind {
            object["type"] = "object"
            object["enabled"] = false
        }
        for (name, value) in parameters where object[name] == nil { object[name] = value }
        if !children.isEmpty {
            var properties = JSONObject()
            for child in children.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
                properties[child.name] = .object(child.json())
            }
            object["properties"] = .object(properties)
        }
        if !fields.isEmpty {
            var multi = JSONObject()
            for field in fields { multi[field.name] = .object(field.json()) }
            object["fields"] = .object(multi)
        }
        return object
    }
}

/// The kind of values that a leaf field accepts.
enum LeafCheck {
    /// Any value. The node only stores these types: geometries, ranges, flattened objects and others.
    case anything
    case text
    /// Longer values are not indexed. Nil: a value longer than the longest Lucene term is refused.
    case keyword(ignoreAbove: Int?)
    case integer(ClosedRange<Int64>)
    case number
    case boolean
    /// `isStandard`: the formats include full ISO 8601.
    case date(DateFormats, isStandard: Bool)
    case address
    /// `index: false` and similar: only objects are refused.
    case unindexed
}
