import JSONText
import Transform

/// The steps over trees, written for plainness: what the real one is compared with.
package enum Reference {
    package struct Failure: Error { package let reason: String }

    package static func apply(_ steps: [TransformStep], _ document: JSONValue) throws -> JSONValue {
        guard document.object != nil else { throw Failure(reason: "not_an_object") }
        var value = document
        for step in steps { try run(step, &value) }
        return value
    }

    static func run(_ step: TransformStep, _ value: inout JSONValue) throws {
        switch step {
        case .keyToValue(let options):
            try each(&value, options.field.names[...]) { $0 = try keyToValue($0, options) }
        case .rename(let from, let to): try move(&value, from, to, keepsSource: false)
        case .copy(let from, let to): try move(&value, from, to, keepsSource: true)
        case .remove(let paths): for path in paths { try each(&value, path.names[...]) { $0 = nil } }
        case .keep(let paths): value = keep(value, paths.map { $0.names[...] }) ?? nil
        case .set(let path, let json, let ifMissing):
            try set(&value, path.names[...], try JSONValue(parsing: json), ifMissing)
        case .change(let path, let change):
            try each(&value, path.names[...]) { $0 = try $0.map { try self.change($0, change) } }
        }
    }

    static func change(_ value: JSONValue, _ change: ValueChange) throws -> JSONValue {
        switch change {
        case .cast(let target): try cast(value, target)
        case .lowercase: lowercase(value)
        case .split(let separator): try split(value, separator)
        case .join(let separator): try join(value, separator)
        }
    }

    static func each(
        _ value: inout JSONValue, _ names: ArraySlice<String>, _ body: (inout JSONValue?) throws -> Void
    ) throws {
        switch value {
        case .array(var elements):
            for index in elements.indices { try each(&elements[index], names, body) }
            value = .array(elements)
        case .object(var object):
            guard let name = names.first, var member = object[name] else { return }
            if names.count == 1 {
                var result: JSONValue? = member
                try body(&result)
                object[name] = result
            } else {
                try each(&member, names.dropFirst(), body)
                object[name] = member
            }
            value = .object(object)
        default: return
        }
    }

    // MARK: keyToValue

    static func keyToValue(_ value: JSONValue?, _ options: KeyToValue) throws -> JSONValue? {
        var pairs: [(key: String, value: JSONValue)] = []
        switch value {
        case .null: return value
        case .object: collect(value ?? nil, "", isRoot: true, &pairs)
        case .array(let elements):
            if elements.allSatisfy(isPair) { return value }
            guard elements.allSatisfy({ $0.object != nil && !isPair($0) }) else { throw Failure(reason: "not_a_map") }
            for element in elements { collect(element, "", isRoot: true, &pairs) }
        default: throw Failure(reason: "not_a_map")
        }
        if options.null == .drop { pairs.removeAll { $0.value == .null } }
        if options.empty == .drop { pairs.removeAll { $0.value == .string("") } }
        let sorted = pairs.enumerated().sorted { one, other in
            if one.element.key.utf8.elementsEqual(other.element.key.utf8) { return one.offset < other.offset }
            return one.element.key.utf8.lexicographicallyPrecedes(other.element.key.utf8)
        }
        return .array(sorted.map { pair($0.element.key, $0.element.value, options) })
    }

    static func collect(
        _ value: JSONValue, _ key: String, isRoot: Bool, _ pairs: inout [(key: String, value: JSONValue)]
    ) {
        switch value {
        case .object(let object):
            for member in object {
                collect(member.value, isRoot ? member.key : key + "." + member.key, isRoot: false, &pairs)
            }
        case .array(let elements): for element in elements { collect(element, key, isRoot: false, &pairs) }
        default: pairs.append((key, value))
        }
    }

    static func pair(_ key: String, _ value: JSONValue, _ options: KeyToValue) -> JSONValue {
        var escaped = ""
        for scalar in key.unicodeScalars {
            if scalar == ":" || scalar == "\\" { escaped += "\\" }
            escaped.unicodeScalars.append(scalar)
        }
        if value == .null { return ["keyToValue": .string(escaped + ":"), "value": nil] }
        var text = value.string ?? value.text()
        if options.lowercase, value.string != nil { text = text.lowercased() }
        return ["keyToValue": .string(escaped + ":" + text), "value": .string(text)]
    }

    static func isPair(_ value: JSONValue) -> Bool {
        guard let object = value.object, object.count == 2 else { return false }
        return object["keyToValue"]?.string != nil
            && (object["value"] == JSONValue.null || object["value"]?.string != nil)
    }

    // MARK: Moving

    static func move(_ value: inout JSONValue, _ from: JSONPath, _ to: JSONPath, keepsSource: Bool) throws {
        var common = 0
        while common < min(from.names.count, to.names.count) - 1, from.names[common] == to.names[common] { common += 1 }
        if common == 0 {
            try moveWithin(&value, from.names[...], to.names[...], keepsSource)
        } else {
            try each(&value, from.names[..<common]) { member in
                guard var inner = member else { return }
                try moveWithin(&inner, from.names[common...], to.names[common...], keepsSource)
                member = inner
            }
        }
    }

    static func moveWithin(
        _ value: inout JSONValue, _ from: ArraySlice<String>, _ to: ArraySlice<String>, _ keepsSource: Bool
    ) throws {
        switch value {
        case .array(var elements):
            for index in elements.indices { try moveWithin(&elements[index], from, to, keepsSource) }
            value = .array(elements)
        case .object:
            var holder = value
            for name in from.dropLast() {
                guard let next = holder[name] else { return }
                if case .array(let elements) = next {
                    if elements.contains(where: { $0.array != nil || $0.object != nil }) {
                        throw Failure(reason: "path_through_array")
                    }
                    return
                }
                guard next.object != nil else { return }
                holder = next
            }
            guard let name = from.last, let moved = holder[name] else { return }
            if !keepsSource { try each(&value, from) { $0 = nil } }
            try place(&value, to, moved)
        default: return
        }
    }

    static func place(_ value: inout JSONValue, _ names: ArraySlice<String>, _ new: JSONValue) throws {
        guard case .object(var object) = value, let name = names.first else {
            throw Failure(reason: value.array == nil ? "not_an_object" : "path_through_array")
        }
        if names.count == 1 {
            object[name] = new
        } else {
            var inner = object[name] ?? [:]
            if inner == .null { inner = [:] }
            try place(&inner, names.dropFirst(), new)
            object[name] = inner
        }
        value = .object(object)
    }

    static func set(_ value: inout JSONValue, _ names: ArraySlice<String>, _ new: JSONValue, _ ifMissing: Bool) throws {
        switch value {
        case .array(var elements):
            for index in elements.indices where elements[index].object != nil || elements[index].array != nil {
                try set(&elements[index], names, new, ifMissing)
            }
            value = .array(elements)
        case .object(var object):
            guard let name = names.first else { return }
            if names.count == 1 {
                if ifMissing, let old = object[name], old != .null { return }
                object[name] = new
            } else {
                var inner = object[name] ?? [:]
                if inner == .null { inner = [:] }
                try set(&inner, names.dropFirst(), new, ifMissing)
                object[name] = inner
            }
            value = .object(object)
        default: throw Failure(reason: "not_an_object")
        }
    }

    static func keep(_ value: JSONValue, _ paths: [ArraySlice<String>]) -> JSONValue? {
        switch value {
        case .array(let elements): return .array(elements.compactMap { keep($0, paths) })
        case .object(let object):
            var kept = JSONObject()
            for member in object {
                let rest = paths.filter { $0.first == member.key }.map { $0.dropFirst() }
                if rest.isEmpty { continue }
                kept[member.key] = rest.contains { $0.isEmpty } ? member.value : keep(member.value, rest)
            }
            return .object(kept)
        default: return nil
        }
    }

    // MARK: Values

    static func cast(_ value: JSONValue, _ target: CastTarget) throws -> JSONValue {
        switch (value, target) {
        case (.null, _): return value
        case (.array(let elements), _): return .array(try elements.map { try cast($0, target) })
        case (.object, _): throw Failure(reason: "cast_failed")
        case (.string, .string): return value
        case (_, .string): return .string(value.text())
        case (.number, .number): return value
        case (.string(let text), .number):
            guard case .number(let number)? = try? JSONValue(parsing: text), number == text else {
                throw Failure(reason: "cast_failed")
            }
            return .number(text)
        case (.bool, .boolean): return value
        case (.number(let text), .boolean), (.string(let text), .boolean):
            let words = ["0": false, "1": true]
            let more = ["true": true, "yes": true, "on": true, "false": false, "no": false, "off": false]
            if let truth = words[text] ?? (value.string == nil ? nil : more[text]) { return .bool(truth) }
            throw Failure(reason: "cast_failed")
        case (.number, .dateEpoch), (.string, .dateEpoch):
            guard let time = milliseconds(value) else { throw Failure(reason: "cast_failed") }
            return .number(time)
        case (.number, .dateISO), (.string, .dateISO):
            guard let text = milliseconds(value).flatMap(isoText) else { throw Failure(reason: "cast_failed") }
            return .string(text)
        default: throw Failure(reason: "cast_failed")
        }
    }

    static func lowercase(_ value: JSONValue) -> JSONValue {
        switch value {
        case .string(let text): .string(text.lowercased())
        case .array(let elements): .array(elements.map(lowercase))
        default: value
        }
    }

    static func split(_ value: JSONValue, _ separator: String) throws -> JSONValue {
        switch value {
        case .null, .array: return value
        case .object: throw Failure(reason: "not_a_string")
        case .string(""): return []
        case .string(let text):
            var parts: [[UInt8]] = [[]]
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                if rest.starts(with: separator.utf8) {
                    parts.append([])
                    rest = rest.dropFirst(separator.utf8.count)
                } else {
                    parts[parts.count - 1].append(rest.removeFirst())
                }
            }
            return .array(parts.map { .string(String(decoding: $0, as: UTF8.self)) })
        default: return [value]
        }
    }

    static func join(_ value: JSONValue, _ separator: String) throws -> JSONValue {
        switch value {
        case .object: throw Failure(reason: "not_scalar")
        case .array(let elements):
            guard elements.allSatisfy({ $0.array == nil && $0.object == nil }) else {
                throw Failure(reason: "not_scalar")
            }
            let texts = elements.filter { $0 != .null }.map { $0.string ?? $0.text() }
            return .string(texts.joined(separator: separator))
        default: return value
        }
    }

    /// What the update API does with a partial document.
    package static func deepMerge(_ base: JSONValue, _ partial: JSONValue) -> JSONValue {
        guard case .object(var object) = base, case .object(let changes) = partial else { return partial }
        for change in changes {
            object[change.key] = object[change.key].map { deepMerge($0, change.value) } ?? change.value
        }
        return .object(object)
    }
}
