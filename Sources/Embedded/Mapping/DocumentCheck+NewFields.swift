import JSONText

// Fields that the mapping does not have.

extension DocumentCheck {
    mutating func unmapped(
        _ name: String, _ start: Int, _ parent: FieldNode, _ dynamic: FieldNode.Dynamic, _ levels: Int
    ) throws(NodeError) -> Int {
        guard start < end else { throw malformed(JSONError(.unexpectedEnd, at: start)) }
        if parent === mapping.root, let error = metadata(name, start) { throw error }
        // The name may be escaped differently from the mapped one, or may be new in this document.
        if let known = known(name, parent) { return try value(start, known, dynamic, levels) }
        if name.isEmpty, persona.since(5) { throw emptyName(start) }
        if name.contains("."), persona.since(5) { return try dotted(name, start, parent, dynamic, levels) }
        if name.contains("."), persona.capabilities.refusesDottedNames {
            throw parsing("Field name [\(name)] cannot contain '.'")
        }
        switch dynamic {
        case .no, .runtime: return try skip(start, levels)
        case .strict: throw strict(name, parent, start)
        case .yes: break
        }
        switch text[start] {
        case UInt8(ascii: "n"): return try skip(start, levels)
        case UInt8(ascii: "["):
            return try array(start, levels) { check, at, levels throws(NodeError) in
                try check.unmapped(name, at, parent, dynamic, levels)
            }
        case UInt8(ascii: "{"):
            let field = try newObject(name, parent)
            return try value(start, field, dynamic, levels)
        default:
            let after = try skip(start, levels)
            let field = try newLeaf(name, parent, start, after)
            return try value(start, field, dynamic, levels)
        }
    }

    func known(_ name: String, _ parent: FieldNode) -> FieldNode? {
        if let child = parent.child(name) { return child }
        return additions.first { $0.parent === parent && $0.field.name == name }?.field
    }

    mutating func dotted(
        _ name: String, _ start: Int, _ parent: FieldNode, _ dynamic: FieldNode.Dynamic, _ levels: Int
    ) throws(NodeError) -> Int {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy({ !$0.trimmingBlanks.isEmpty }) else {
            let reason =
                persona.since(8)
                ? "field name cannot contain only whitespace: ['\(name)']"
                : "object field starting or ending with a [.] makes object resolution ambiguous: [\(name)]"
            throw failed(start, NodeError.Cause(type: "illegal_argument_exception", reason: reason))
        }
        var node = parent
        var rule = dynamic
        for part in parts.dropLast() {
            if let there = known(part, node) {
                guard there.isObject else { throw leafInTheWay(there, name) }
                if case .disabled = there.kind { return try skip(start, levels) }
                node = there
            } else {
                switch rule {
                case .no, .runtime: return try skip(start, levels)
                case .strict: throw strict(part, node, start)
                case .yes: node = try newObject(part, node)
                }
            }
            rule = node.dynamic ?? rule
        }
        return try unmapped(parts[parts.count - 1], start, node, rule, levels)
    }

    func leafInTheWay(_ node: FieldNode, _ name: String) -> NodeError {
        parsing(
            "Could not dynamically add mapping for field [\(name)]. Existing mapping for [\(node.path)] must be of "
                + "type "
                + "object but found [\(node.typeName)].")
    }

    mutating func newObject(_ name: String, _ parent: FieldNode) throws(NodeError) -> FieldNode {
        let path = parent.path.isEmpty ? name : parent.path + "." + name
        if persona.since(5), path.utf8.count(where: { $0 == UInt8(ascii: ".") }) + 2 > depthLimit {
            throw persona.illegal(
                "Limit of mapping depth [\(depthLimit)] has been exceeded due to object field [\(path)]")
        }
        let definition = template(name, path, kind: "object", type: "object") ?? ["type": "object"]
        return try add(definition, name, path, parent)
    }

    mutating func newLeaf(
        _ name: String, _ parent: FieldNode, _ start: Int, _ after: Int
    ) throws(NodeError) -> FieldNode {
        let path = parent.path.isEmpty ? name : parent.path + "." + name
        let value = LeafValue(text: text, start: start, end: after, persona: persona)
        let guess = value.guess(mapping)
        let definition = template(name, path, kind: guess.kind, type: guess.type) ?? guess.definition
        return try add(definition, name, path, parent)
    }

    func template(_ name: String, _ path: String, kind: String, type: String) -> JSONObject? {
        for template in mapping.templates {
            if let found = template.definition(name: name, path: path, kind: kind, type: type) { return found }
        }
        return nil
    }

    mutating func add(
        _ definition: JSONObject, _ name: String, _ path: String, _ parent: FieldNode
    ) throws(NodeError) -> FieldNode {
        let field = try MappingReader(persona: persona, typeName: mapping.name).node(name, path, definition)
        if additions.contains(where: { isWithin(parent, $0.field) }) {
            parent.add(field)
        } else {
            additions.append((parent, field))
        }
        return field
    }

    func isWithin(_ node: FieldNode, _ field: FieldNode) -> Bool {
        node === field || field.children.contains { isWithin(node, $0) }
    }
}
