import JSONText

/// What documents add to a mapping: the fields that the target makes by itself (`dynamic`), as the total-fields limit
/// counts them. A new text is two fields, itself and its `keyword`; an object is one, beside what is in it.
package struct FieldGrowth: Sendable {
    /// Where a document came from. Each origin is a sample of its own.
    package enum Origin: Int, Sendable, CaseIterable { case source, log }

    /// A field of the mapping, or one that a document would make.
    struct Node: Sendable {
        var name: String
        var parent: Int
        var children: [String: Int] = [:]
        /// Nothing in it is mapped: a leaf, a flattened object, one that is not enabled.
        var isClosed: Bool
        /// nil: as in the object around it.
        var dynamic: DynamicMode?
        var takesDots = true
        var isNew = false
        /// What it adds to the count.
        var fields = 0
        /// In how many documents of each origin a new field is.
        var seen = [0, 0]
        var lastDocument = -1
        /// The first document of each origin that has it.
        var firstDocument = [-1, -1]
        /// Where the name stands with a dot in documents, there is no such object in them.
        var isDotted = false
        /// Objects of an array.
        var isInArray = false
    }

    /// The fields of the mapping before any document.
    package let mapped: Int
    private(set) var nodes: [Node]
    private let templates: [DynamicTemplate]
    private let detectsDates: Bool
    private let detectsNumbers: Bool
    /// Documents looked at, of each origin.
    package private(set) var documents = [0, 0]
    /// Documents with a field that a strict mapping does not name, and the first such field.
    package private(set) var refused = 0
    package private(set) var firstRefused: String?
    /// The deepest new object, as the depth limit counts, and the documents that reach a depth, by depth.
    package private(set) var deepest = 0
    private var document = 0
    private var isRefused = false
    private var origin = Origin.source

    /// New fields are no longer added beyond this number: everything is known by then.
    private static let most = 200_000

    /// `mapping`: without a type around it.
    package init(mapping: JSONObject) {
        mapped = TargetMapping.fieldCount(mapping) + (mapping["runtime"]?.object?.count ?? 0)
        templates = (mapping["dynamic_templates"]?.array ?? []).compactMap(DynamicTemplate.init)
        detectsDates = mapping["date_detection"]?.bool ?? true
        detectsNumbers = mapping["numeric_detection"]?.bool ?? false
        nodes = [Node(name: "", parent: -1, isClosed: false, dynamic: DynamicMode(mapping["dynamic"]) ?? .make)]
        read(.object(mapping), into: 0)
        for (name, _) in mapping["runtime"]?.object ?? JSONObject() { close(name) }
    }

    /// Takes the properties of a mapped object over.
    private mutating func read(_ mapping: JSONValue, into node: Int) {
        if let dynamic = DynamicMode(mapping["dynamic"]) { nodes[node].dynamic = dynamic }
        if mapping["subobjects"]?.bool == false || mapping["subobjects"]?.string == "false" {
            nodes[node].takesDots = false
        }
        for (name, field) in mapping["properties"]?.object ?? JSONObject() {
            let type = field["type"]?.string ?? "object"
            let isOpen = ["object", "nested", "passthrough"].contains(type) && field["enabled"]?.bool != false
            var at = node
            let names = nodes[node].takesDots ? Self.names(name) : [name]
            for part in names.dropLast() { at = enter(part, of: at, closed: false) }
            let child = enter(names[names.count - 1], of: at, closed: !isOpen)
            if isOpen { read(field, into: child) }
        }
    }

    private mutating func close(_ path: String) {
        var at = 0
        let names = Self.names(path)
        for name in names.dropLast() { at = enter(name, of: at, closed: false) }
        _ = enter(names[names.count - 1], of: at, closed: true)
    }

    private mutating func enter(_ name: String, of parent: Int, closed: Bool) -> Int {
        if let child = nodes[parent].children[name] { return child }
        nodes.append(Node(name: name, parent: parent, isClosed: closed))
        nodes[parent].children[name] = nodes.count - 1
        return nodes.count - 1
    }

    /// The objects that a dotted name stands for.
    static func names(_ key: String) -> [String] {
        guard key.contains(".") else { return [key] }
        let parts = key.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        return parts.contains("") ? [key] : parts
    }

    // MARK: Documents

    /// Takes a transformed document of an origin.
    package mutating func add(_ value: JSONValue, from origin: Origin) {
        guard case .object(let object) = value else { return }
        document += 1
        (self.origin, isRefused) = (origin, false)
        documents[origin.rawValue] += 1
        walk(object, 0, depth: 1)
        if isRefused { refused += 1 }
    }

    private mutating func walk(_ object: JSONObject, _ node: Int, depth: Int) {
        guard depth < 200 else { return }
        for (key, value) in object {
            let names = nodes[node].takesDots ? Self.names(key) : [key]
            var at: Int? = node
            for name in names.dropLast() {
                guard let here = at else { break }
                at = child(name, of: here, value: [:], isDotted: true)
            }
            guard let here = at, !nodes[here].isClosed else { continue }
            let last = names[names.count - 1]
            guard let child = child(last, of: here, value: value, isDotted: false), !nodes[child].isClosed else {
                continue
            }
            enter(value, child, depth: depth + names.count)
        }
    }

    /// The objects of a value, also in arrays.
    private mutating func enter(_ value: JSONValue, _ node: Int, depth: Int) {
        switch value {
        case .object(let object): walk(object, node, depth: depth)
        case .array(let elements):
            guard depth < 200 else { return }
            nodes[node].isInArray = true
            for element in elements { enter(element, node, depth: depth + 1) }
        default: break
        }
    }

    /// The field of this name, which is made where the mapping has it made; nil: there is none.
    private mutating func child(_ name: String, of node: Int, value: JSONValue, isDotted: Bool) -> Int? {
        guard !nodes[node].isClosed else { return nil }
        if let known = nodes[node].children[name] {
            count(known)
            return known
        }
        guard let type = GuessedType.of(value, detectsDates: detectsDates, detectsNumbers: detectsNumbers) else {
            return nil
        }
        return make(name, type, of: node, isDotted: isDotted)
    }

    private mutating func make(_ name: String, _ type: String, of node: Int, isDotted: Bool) -> Int? {
        let mode = dynamic(node)
        guard mode != .ignore, nodes.count < Self.most else { return nil }
        let path = mode == .refuse || templates.isEmpty ? "" : self.path(node, name)
        let template = mode == .refuse ? nil : templates.first { $0.matches(name: name, path: path, type: type) }
        if mode == .refuse || (mode == .templatesOrRefuse && template == nil) {
            isRefused = true
            firstRefused = firstRefused ?? self.path(node, name)
            return nil
        }
        if mode == .templatesOrIgnore, template == nil { return nil }
        var made = Node(name: name, parent: node, isClosed: type != "object", isNew: true, isDotted: isDotted)
        made.fields = type == "string" && mode != .runtime ? 2 : 1
        if let template {
            let isObject = type == "object" && !template.isRuntime
            let kind = template.mapping["type"]?.string ?? "object"
            let isOpen = isObject && ["object", "nested", "passthrough"].contains(kind)
            made.isClosed = !isOpen || template.mapping["enabled"]?.bool == false
            made.fields = 1 + (template.mapping.object.map(TargetMapping.fieldCount) ?? 0)
        }
        nodes.append(made)
        let child = nodes.count - 1
        nodes[node].children[name] = child
        if !made.isClosed {
            if let template { read(template.mapping, into: child) }
            deepest = max(deepest, depth(child))
        }
        count(child)
        return child
    }

    /// A new field is in this document.
    private mutating func count(_ node: Int) {
        guard nodes[node].isNew, nodes[node].lastDocument != document else { return }
        nodes[node].lastDocument = document
        if nodes[node].seen[origin.rawValue] == 0 { nodes[node].firstDocument[origin.rawValue] = document }
        nodes[node].seen[origin.rawValue] += 1
    }

    private func dynamic(_ node: Int) -> DynamicMode {
        var at = node
        while at >= 0 {
            if let mode = nodes[at].dynamic { return mode }
            at = nodes[at].parent
        }
        return .make
    }

    /// As the depth limit counts: an object in the root has depth 2.
    private func depth(_ node: Int) -> Int {
        var (at, depth) = (node, 1)
        while at > 0 { (at, depth) = (nodes[at].parent, depth + 1) }
        return depth
    }

    // MARK: What came of it

    private func path(_ node: Int, _ name: String) -> String {
        let before = names(of: node)
        return (before + [name]).joined(separator: ".")
    }

    /// From the root to the field; empty: the root.
    func names(of node: Int) -> [String] {
        var (at, names) = (node, [String]())
        while at > 0 {
            names.append(nodes[at].name)
            at = nodes[at].parent
        }
        return names.reversed()
    }

    /// Fields that the documents add.
    package var added: Int { nodes.reduce(0) { $0 + ($1.isNew ? $1.fields : 0) } }

    /// New fields that one document of an origin has, and that two have; and what those of one document come to.
    package func counts(of origin: Origin) -> (once: Int, twice: Int, fieldsOfOnce: Int, documents: Int) {
        var counts = (once: 0, twice: 0, fieldsOfOnce: 0, documents: 0)
        var bringing: Set<Int> = []
        for node in nodes where node.isNew {
            let seen = node.seen[origin.rawValue]
            if seen == 2 { counts.twice += 1 }
            guard seen == 1 else { continue }
            counts.once += 1
            counts.fieldsOfOnce += node.fields
            bringing.insert(node.firstDocument[origin.rawValue])
        }
        counts.documents = bringing.count
        return counts
    }

    /// The object in which most new names appear.
    package struct Growing: Sendable, Equatable {
        /// Empty: the root.
        package var path: [String]
        package var newNames: Int
        package var examples: [String]
        /// Whether documents hold an object there, which `keyToValue` can take.
        package var isMap: Bool
    }

    package var growing: Growing? {
        var counts: [Int: Int] = [:]
        for node in nodes where node.isNew { counts[node.parent, default: 0] += 1 }
        guard let (most, count) = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }) else { return nil }
        let names = nodes.filter { $0.isNew && $0.parent == most }.prefix(3).map(\.name)
        return Growing(
            path: self.names(of: most), newNames: count, examples: Array(names),
            isMap: most > 0 && !isDotted(most) && !nodes[most].isInArray)
    }

    private func isDotted(_ node: Int) -> Bool {
        var at = node
        while at > 0 {
            if nodes[at].isDotted { return true }
            at = nodes[at].parent
        }
        return false
    }
}
