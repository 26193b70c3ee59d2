import JSONText

/// How the application writes its commands (design 4, `commands`), with everything the decoder needs.
public struct CommandFormat: Sendable {
    public enum Shape: Sendable {
        /// The record's value is the document, its key the id, null a delete.
        case document
        case envelope(Envelope)
        /// Debezium change events, with or without the schema wrapper. `id`: the key struct's fields that make the id,
        /// joined by `:`; nil: the key struct's only field.
        case debezium(id: [String]?)
    }

    public struct Envelope: Sendable {
        public var id: IDSource
        /// Where the operation's name is.
        public var operation: JSONPath
        public var index: [String]
        public var merge: [String]
        public var delete: [String]
        public var ignore: [String]
        /// The part that is the document; nil: the whole value.
        public var document: JSONPath?

        public init(
            id: IDSource, operation: JSONPath, index: [String], merge: [String], delete: [String], ignore: [String],
            document: JSONPath?
        ) {
            self.id = id
            self.operation = operation
            self.index = index
            self.merge = merge
            self.delete = delete
            self.ignore = ignore
            self.document = document
        }
    }

    public enum IDSource: Sendable, Equatable {
        case field(JSONPath)
        case key
        case header(String)

        /// Where it is in the value; nil: elsewhere.
        var path: JSONPath? {
            guard case .field(let path) = self else { return nil }
            return path
        }
    }

    /// Where versions come from (design 6.1).
    public enum VersionSource: Sendable, Equatable {
        case offset
        case timestamp
        case field(JSONPath)
        case header(String)
    }

    /// Which commands belong to an entry of `indices`.
    public struct Selector: Sendable, Equatable {
        public var field: JSONPath
        /// The text of the scalar: a string's content, a number's or boolean's JSON text.
        public var equals: String

        public init(field: JSONPath, equals: String) {
            self.field = field
            self.equals = equals
        }
    }

    public var shape: Shape
    /// The recipe's word for the shape.
    public var shapeName: String {
        switch shape {
        case .document: "document"
        case .envelope: "envelope"
        case .debezium: "debezium"
        }
    }
    /// Path of the routing value from the record value's root (for debezium: from the row).
    public var routing: JSONPath?
    /// For the field, the path from the record value's root (for debezium: from the row, for document: the document).
    public var version: VersionSource
    public var epoch: Int64
    /// One an entry of `indices`, in its order; nil selects everything.
    public var selectors: [Selector?]

    public init(
        shape: Shape, routing: JSONPath? = nil, version: VersionSource = .offset, epoch: Int64 = 0,
        selectors: [Selector?] = [nil]
    ) {
        self.shape = shape
        self.routing = routing
        self.version = version
        self.epoch = epoch
        self.selectors = selectors
    }
}
