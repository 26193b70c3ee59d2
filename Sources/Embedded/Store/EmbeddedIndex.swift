import JSONText
import Synchronization

/// One index: mappings, settings, documents.
///
/// `@unchecked Sendable`: all mutable properties are used only under the index's lock, through ``withLock(_:)``.
final class EmbeddedIndex: @unchecked Sendable {
    let name: String
    let uuid: String
    let persona: ServerPersona
    let memory: NodeMemory
    let clock: NodeClock
    let shardCount: Int
    private let lock = Mutex(())

    // The lock protects everything below.
    private(set) var settings: IndexSettings
    private(set) var types: [TypeMapping] = []
    /// The mapping that every new type starts with, before 7.0.
    private var defaultMapping: JSONObject?
    var shards: [Shard]
    var isOpen = true
    var counters = Counters()
    /// The counter that marks fields; see ``DocumentCheck``.
    var objects: UInt64 = 0
    private(set) var fieldCount = 0
    private var cachedFields: MappedFields?
    private let created: Int64
    /// The time of the first write that searches do not see yet.
    private var unseenSince: Int64?
    private(set) var refreshInterval: Int64 = 1000
    private(set) var gcDeletes: Int64 = 60_000
    private(set) var fieldLimit: Int?
    private(set) var depthLimit = 20
    private var settingsBlock: NodeError?

    /// Operations since the index was created.
    struct Counters {
        var indexed: Int64 = 0
        var deleted: Int64 = 0
        var failed: Int64 = 0
    }

    init(
        name: String, uuid: String, settings: IndexSettings, persona: ServerPersona, clock: NodeClock,
        memory: NodeMemory
    ) {
        self.name = name
        self.uuid = uuid
        self.persona = persona
        self.clock = clock
        self.memory = memory
        self.settings = settings
        created = clock.now
        shardCount = min(max(settings.int("number_of_shards") ?? 1, 1), 1024)
        shards = Array(repeating: Shard(), count: shardCount)
        readSettings()
    }

    func withLock<R, E: Error>(_ body: (EmbeddedIndex) throws(E) -> R) throws(E) -> R {
        let result = lock.withLock { _ -> Result<R, E> in
            do throws(E) { return .success(try body(self)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    // MARK: Settings

    func set(_ changes: JSONValue) throws(NodeError) {
        var next = settings
        try next.set(changes, persona: persona, isNew: false, about: "[\(name)/\(uuid)]")
        settings = next
        readSettings()
    }

    private func readSettings() {
        refreshInterval = settings.time("refresh_interval") ?? 1000
        gcDeletes = settings.time("gc_deletes") ?? 60_000
        depthLimit = settings.int("mapping.depth.limit") ?? 20
        settingsBlock = blockOfSettings()
        fieldLimit = persona.since(5) ? settings.int("mapping.total_fields.limit") ?? 1000 : nil
    }

    /// The block that forbids writes; nil: none.
    var writeBlock: NodeError? { isOpen ? settingsBlock : persona.closed(name, uuid: uuid) }

    private func blockOfSettings() -> NodeError? {
        if settings.isYes("blocks.write") { return persona.blocked(name, "FORBIDDEN/8/index write (api)") }
        if settings.isYes("blocks.read_only") { return persona.blocked(name, "FORBIDDEN/5/index read-only (api)") }
        if settings.isYes("blocks.read_only_allow_delete") {
            return persona.blocked(name, "FORBIDDEN/12/index read-only / allow delete (api)")
        }
        return nil
    }

    // MARK: Mappings

    func type(_ name: String) -> TypeMapping? { types.first { $0.name == name } }

    /// Adds to the mapping of a type. A missing type is created.
    func merge(_ type: String, _ definition: JSONObject) throws(NodeError) {
        if type == "_default_" {
            defaultMapping = definition
            return
        }
        let before = self.type(type)
        if before == nil, persona.capabilities.singleType, let other = types.first {
            throw persona.illegal(
                "Rejecting mapping update to [\(name)] as the final mapping would have more than 1 type: "
                    + "[\(type), \(other.name)]")
        }
        let start = before?.definition ?? defaultMapping ?? JSONObject()
        let merged = try MappingMerge(persona: persona).merged(start, definition)
        let mapping = try TypeMapping(name: type, definition: merged, persona: persona)
        let count = fieldCount - (before?.root.fieldCount ?? 0) + mapping.root.fieldCount
        try checkLimit(count)
        fieldCount = count
        types.removeAll { $0.name == type }
        types.append(mapping)
        cachedFields = nil
    }

    /// Adds the new fields of a document.
    func add(_ additions: [(parent: FieldNode, field: FieldNode)]) throws(NodeError) {
        let new = additions.reduce(0) { $0 + 1 + $1.field.fieldCount }
        try checkLimit(fieldCount + new, whileAdding: new)
        for (parent, field) in additions { parent.add(field) }
        fieldCount += new
        cachedFields = nil
    }

    private func checkLimit(_ count: Int, whileAdding new: Int? = nil) throws(NodeError) {
        // Before 6.0 the server's own fields count too.
        let counted = persona.since(6) ? count : count + 12
        guard let fieldLimit, counted > fieldLimit else { return }
        if persona.since(7) {
            let isLater = persona.since(7, 16) && new != nil
            let over = counted - fieldLimit
            let reason = "Limit of total fields [\(fieldLimit)] has been exceeded"
            guard isLater else { throw persona.illegal(reason) }
            let whole = "\(reason) while adding new fields [\(over)]"
            let cause = NodeError.Cause(type: "illegal_argument_exception", reason: whole)
            if persona.since(8) {
                throw NodeError(400, "document_parsing_exception", "[1:1] failed to parse: \(whole)", causes: [cause])
            }
            throw NodeError(400, "mapper_parsing_exception", "failed to parse", causes: [cause])
        }
        throw persona.illegal("Limit of total fields [\(fieldLimit)] in index [\(name)] has been exceeded")
    }

    /// The mapping in the server's form: by type in versions with types.
    func mappings(typed: Bool) -> JSONValue {
        guard typed else { return .object(types.first?.definition ?? JSONObject()) }
        var all = JSONObject()
        if let defaultMapping { all["_default_"] = .object(defaultMapping) }
        for type in types { all[type.name] = .object(type.definition) }
        return .object(all)
    }

    /// The fields of all types, for queries.
    var fields: MappedFields {
        if let cachedFields { return cachedFields }
        var properties = JSONObject()
        for type in types {
            for (name, field) in type.definition["properties"]?.object ?? JSONObject() { properties[name] = field }
        }
        let fields = MappedFields(properties: .object(properties), persona: persona)
        cachedFields = fields
        return fields
    }

    // MARK: Refreshing

    /// Called before a write. Earlier writes become visible first if the refresh interval has passed since.
    func noteWrite(at now: Int64) {
        refreshIfDue(now)
        if unseenSince == nil { unseenSince = now }
    }

    /// Called before a search.
    func refreshIfDue(_ now: Int64) {
        guard let since = unseenSince, refreshInterval > 0 else { return }
        // The intervals count from the creation of the index.
        let ticks = (since - created) / refreshInterval + 1
        if now >= created + ticks * refreshInterval { refresh(now) }
    }

    func refresh(_ now: Int64) {
        for number in shards.indices { shards[number].refresh(now: now, gcDeletes: gcDeletes) }
        unseenSince = nil
    }

    func shard(of id: String, routing: String?) -> Int {
        ShardRouting.shard(of: routing ?? id, shards: shardCount, persona: persona)
    }

    var primaries: Int { shardCount }
    var replicas: Int { settings.int("number_of_replicas") ?? 1 }
}

/// The bytes of all documents of a node.
final class NodeMemory: Sendable {
    let limit: Int
    private let bytes = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    var used: Int { bytes.load(ordering: .relaxed) }
    var isFull: Bool { used >= limit }
    func add(_ count: Int) { bytes.wrappingAdd(count, ordering: .relaxed) }
}
