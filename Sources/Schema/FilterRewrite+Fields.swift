import JSONText
import Transform

// Queries of one field.
extension FilterRewrite {
    typealias Gap = FieldRoute.Gap

    /// Fields that no document has in its source. Those that are kept mean the same in every index.
    private static let keptMetadata: Set<String> = ["_routing", "_ignored"]

    /// A query that asks for values of a field.
    func ofField(_ name: String, _ field: String, _ value: JSONValue) throws(Gap) -> JSONValue {
        let modern = name == "in" ? "terms" : name
        func same(_ field: String) -> JSONValue {
            .object(JSONObject([(modern, .object(JSONObject([(field, value)])))]))
        }
        if try isMetadata(field) { return same(field) }
        switch try place(of: field) {
        case .field(let moved):
            try compare(field, with: moved, values: name == "term" || modern == "terms" ? Self.texts(value) : nil)
            return same(moved)
        case .pairs(let flattened, let key, let options):
            guard let old, let origin = old[field], let key else { throw Gap("it is made into pairs") }
            let pairs = try Pairs(field, flattened, key: key, options, old: old, origin: origin, new: new)
            return pairs.around(try asked(modern, value, of: pairs))
        }
    }

    func exists(_ field: String) throws(Gap) -> JSONValue {
        let same: JSONValue = ["exists": ["field": .string(field)]]
        if try isMetadata(field) { return same }
        if field.contains("*") {
            guard steps.isEmpty else { throw Gap("a pattern may name fields that the transform changes") }
            return same
        }
        switch try place(of: field) {
        case .field(let moved):
            try compare(field, with: moved, values: nil)
            return ["exists": ["field": .string(moved)]]
        case .pairs(let flattened, let key, let options):
            guard let old, let origin = old[field] else { throw Gap("the source does not map it") }
            let isObject = origin.kind == .object || origin.kind == .map
            let leaves = origin.kind == .object ? old.leaves(of: field) : [field]
            guard !leaves.isEmpty else { throw Gap("the source maps no field in it") }
            for leaf in leaves {
                guard let kept = old[leaf] else { continue }
                try Pairs.checkExists(leaf, kept, options)
            }
            let pairs = try Pairs(field, flattened, key: key, options, old: old, origin: origin, new: new)
            return pairs.around(try pairs.exists(isObject: isObject))
        }
    }

    private func isMetadata(_ field: String) throws(Gap) -> Bool {
        guard field.hasPrefix("_"), !field.contains(".") else { return false }
        if Self.keptMetadata.contains(field) || (field == "_id" && !changesIDs) { return true }
        throw Gap("it is not the same in the new index")
    }

    /// Where the values of the field are in the new documents.
    private func place(of field: String) throws(Gap) -> FieldRoute {
        guard let old else {
            guard FieldRoute.isUntouched(field, steps) else {
                throw Gap("the transform changes it, and the source was not looked at")
            }
            return .field(field)
        }
        guard let origin = old[field] else {
            guard FieldRoute.isUntouched(field, steps) else { throw Gap("the source does not map it") }
            return .field(field)
        }
        let route = try FieldRoute.of(origin.base, steps, old: old)
        guard case .field(let moved) = route else { return route }
        if moved == origin.base { return .field(field) }
        return .field(moved + field.dropFirst(origin.base.count))
    }

    /// Throws if the same query would find other values in the new field.
    /// - Parameter values: the whole values that are asked for; nil: the query asks for others, too.
    func compare(_ field: String, with moved: String, values: [String]?) throws(Gap) {
        guard let old, let origin = old[field] else { return }
        guard !old.isContradictory(field) else { throw Gap("the source's indices or types have it in several forms") }
        guard let found = new[moved] else { throw Gap("the new index does not map \(moved)") }
        if let difference = origin.difference(from: found) {
            throw Gap("the new index has \(moved) in another form: \(difference)")
        }
        if origin.ignoreAbove != found.ignoreAbove {
            let limits = (origin.ignoreAbove ?? .max, found.ignoreAbove ?? .max)
            guard let values, values.allSatisfy({ ($0.utf16.count <= limits.0) == ($0.utf16.count <= limits.1) }) else {
                throw Gap("the new index has \(moved) with another ignore_above")
            }
        }
        guard old.nested(around: field) == new.nested(around: moved) else {
            throw Gap("only one of both indices has it in nested objects")
        }
        let feeders = (old.feeders[field] ?? [], new.feeders[moved] ?? [])
        guard feeders.0 == feeders.1, feeders.0.allSatisfy({ FieldRoute.isUntouched($0, steps) }) else {
            throw Gap("other fields are copied into it (copy_to), and not the same ones")
        }
        guard origin.kind == .object || origin.kind == .nested else { return }
        for leaf in old.leaves(of: field) {
            try compare(leaf, with: moved + leaf.dropFirst(field.count), values: nil)
        }
    }

    /// The texts that a `term` or `terms` asks for; nil: it is not known.
    private static func texts(_ value: JSONValue) -> [String]? {
        let asked = value["value"] ?? value
        let values = (asked.array ?? [asked]).map(text)
        return values.contains(nil) ? nil : values.compactMap { $0 }
    }

    /// A value as an exact field has it; nil: it may be written in several ways.
    static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .bool(let isTrue): isTrue ? "true" : "false"
        case .number(let text): value.int == nil || text == "-0" ? nil : text
        default: nil
        }
    }
}
