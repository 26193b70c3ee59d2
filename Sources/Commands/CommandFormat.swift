import JSONText

/// How the application writes its commands: the section `commands` of the recipe, and what the decoder needs of
/// `indices`.
public struct CommandFormat: Sendable {
    public enum Shape: Sendable {
        /// The value of the record is the document, its key is the id, and null is a delete.
        case document
        case envelope(Envelope)
        /// Change events of Debezium, with or without the schema. `id`: the fields of the key that make the id, joined
        /// by `:`; nil: the only field of the key.
        case debezium(id: [String]?)
    }

    public struct Envelope: Sendable {
        public var id: IDSource
        /// The field with the name of the operation.
        public var operation: JSONPath
        public var index: [String]
        public var merge: [String]
        public var delete: [String]
        public var ignore: [String]
        /// The field with the document; nil: the whole value is the document.
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
        case template(CommandIDTemplate)

        /// The field of the value with the id; nil: the id is not in the value.
        var path: JSONPath? {
            guard case .field(let path) = self else { return nil }
            return path
        }
    }

    /// Whether ``key`` says how the id is written.
    public var hasKey: Bool {
        guard case .envelope(let envelope) = shape else { return true }
        switch envelope.id {
        case .key, .header: return true
        case .field: return false
        case .template(let template):
            return template.parts.contains { part in
                switch part {
                case .key, .header: true
                case .text, .field: false
                }
            }
        }
    }

    /// Whether the record's key is the id.
    public var keyIsID: Bool {
        switch shape {
        case .document: keyTemplate == nil
        case .envelope(let envelope): envelope.id == .key
        case .debezium: keyTemplate == nil
        }
    }

    /// The source of the external versions (promise P1 in `docs/architecture.md`).
    public enum VersionSource: Sendable, Equatable {
        case offset
        case timestamp
        case field(JSONPath)
        case header(String)
    }

    /// Where a copied document has its version.
    public enum CopiedVersion: String, Sendable, CaseIterable {
        /// Nowhere: every command is newer.
        case floor
        /// In its version field, where commands have theirs, too.
        case field
        /// It is the source's own `_version`.
        case source
    }

    /// Which commands belong to an entry of `indices`.
    public struct Selector: Sendable, Equatable {
        public var field: JSONPath
        /// The content of a string, or the JSON text of a number or boolean.
        public var equals: String

        public init(field: JSONPath, equals: String) {
            self.field = field
            self.equals = equals
        }
    }

    public var shape: Shape
    /// How the record's key or header says the id, where it does.
    public var key: KeyEncoding
    /// The name of the shape in the recipe.
    public var shapeName: String {
        switch shape {
        case .document: "document"
        case .envelope: "envelope"
        case .debezium: "debezium"
        }
    }
    /// The field with the routing, from the root of the value (debezium: of the row).
    public var routing: JSONPath?
    /// Whether a whole document without routing is routed by its id, as the cluster itself does it, and so is written
    /// without routing. Deletes and partial updates without routing are rejected all the same.
    public var missingRoutingIsID: Bool
    /// The source of versions. A field counts from the root of the value (debezium: of the row).
    public var version: VersionSource
    public var epoch: Int64
    /// Where copied documents have their versions, as the recipe says it; nil: see ``copiedVersion``.
    public var copied: CopiedVersion?
    /// Without commands: the number of the copy, which is the version of what it copies, so that a later copy wins over
    /// an earlier one. nil: there are commands.
    public var round: Int64?
    /// One selector per entry of `indices`, in their order; nil selects everything.
    public var selectors: [Selector?]
    /// How the id is made of the record's key, where it is more than that; formats document and debezium.
    public var keyTemplate: KeyTemplate?
    /// What is done with commands that do not say everything.
    public var rules = CommandRules()

    public init(
        shape: Shape, key: KeyEncoding? = nil, routing: JSONPath? = nil, missingRoutingIsID: Bool = false,
        version: VersionSource = .offset, epoch: Int64 = 0, selectors: [Selector?] = [nil]
    ) {
        self.shape = shape
        if case .debezium = shape { self.key = key ?? .json } else { self.key = key ?? .text }
        self.routing = routing
        self.missingRoutingIsID = missingRoutingIsID
        self.version = version
        self.epoch = epoch
        self.selectors = selectors
    }
}
