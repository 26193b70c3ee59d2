import JSONText

/// What a stored document must look like before anything of it is believed. Members that it does not name are of a
/// newer version: they are let through, and kept when the document is written again.
package indirect enum StoredShape: Sendable {
    case text, flag, count, time
    case anything
    /// Any object.
    case object
    /// One of these texts.
    case word([String])
    /// A text that `reads` understands; `wanted` says what it is, for people.
    case parsed(wanted: String, reads: @Sendable (String) -> Bool)
    /// JSON as text.
    case inText(StoredShape)
    /// `by`: the members by which an element is known again. `most`: more elements than any migration has.
    case list(StoredShape, by: [String], most: Int = mostElements)
    /// An object whose names are free. `most`: more of them than any migration has.
    case map(StoredShape, most: Int = mostElements)
    /// `by`: the members that say whether it is still the same thing; empty: it always is.
    case members([Member], by: [String])

    package struct Member: Sendable {
        package var name: String
        package var shape: StoredShape
        package var isNeeded: Bool

        /// A member that must be there.
        static func needed(_ name: String, _ shape: StoredShape) -> Member {
            Member(name: name, shape: shape, isNeeded: true)
        }

        /// A member that may be missing or null.
        static func maybe(_ name: String, _ shape: StoredShape) -> Member {
            Member(name: name, shape: shape, isNeeded: false)
        }
    }
}

/// The first thing in a stored document that cannot be right.
package struct StoredDamage: Error, Sendable, Equatable {
    /// `copy.slices[3].returned`.
    package var field: String
    /// As it stands there, shortened.
    package var value: String
    package var wanted: String

    /// `copy.slices[3].returned is -7, and should be a number from 0`.
    package var words: String { "\(field) is \(value), and should be \(wanted)" }
}

// MARK: Checking

extension StoredShape {
    /// More elements than any list has: parts of a copy, partitions.
    package static let mostElements = 1 << 16
    /// More target indices, or shards of one index, than any migration has.
    package static let mostIndices = 1 << 14
    /// More kinds, such as outcomes, than there are.
    package static let mostKinds = 1 << 10

    private static let countWords = "a whole number from -1 to \(OutsideNumber.most)"
    private static let timeWords = "milliseconds since 1970"

    /// Throws where the value is not of this shape.
    package func check(_ value: JSONValue, at field: String) throws(StoredDamage) {
        switch self {
        case .anything: return
        case .text: if value.string == nil { throw Self.damage(field, value, "a text") }
        case .flag: if value.bool == nil { throw Self.damage(field, value, "true or false") }
        case .object: if value.object == nil { throw Self.damage(field, value, "an object") }
        case .count:
            guard let number = value.compared, number == OutsideNumber.count(number) else {
                throw Self.damage(field, value, Self.countWords)
            }
        case .time:
            guard let number = value.compared, number == OutsideNumber.time(number) else {
                throw Self.damage(field, value, Self.timeWords)
            }
        case .word(let words):
            guard let word = value.string, words.contains(word) else {
                throw Self.damage(field, value, "one of \(words.joined(separator: ", "))")
            }
        case .parsed(let wanted, let reads):
            guard let text = value.string, reads(text) else { throw Self.damage(field, value, wanted) }
        case .inText(let inner):
            guard let parsed = value.string.flatMap({ try? JSONValue(parsing: $0) }) else {
                throw Self.damage(field, value, "JSON as a text")
            }
            try inner.check(parsed, at: field)
        case .list(let element, _, let most):
            guard let elements = value.array else { throw Self.damage(field, value, "a list") }
            guard elements.count <= most else { throw Self.tooMany(field, "a list", elements.count, most) }
            for (place, one) in elements.enumerated() { try element.check(one, at: "\(field)[\(place)]") }
        case .map(let element, let most):
            guard let object = value.object else { throw Self.damage(field, value, "an object") }
            guard object.count <= most else { throw Self.tooMany(field, "an object", object.count, most) }
            for (name, one) in object { try element.check(one, at: "\(field).\(Self.shown(name))") }
        case .members(let members, _): try Self.check(members, value, at: field)
        }
    }

    private static func check(
        _ members: [Member], _ value: JSONValue, at field: String
    ) throws(StoredDamage) {
        guard let object = value.object else { throw damage(field, value, "an object") }
        for member in members {
            let place = field.isEmpty ? member.name : "\(field).\(member.name)"
            if let told = object[member.name], member.isNeeded || !told.isNull {
                try member.shape.check(told, at: place)
            } else if member.isNeeded {
                throw damage(place, "missing", "there")
            }
        }
    }

    private static func damage(_ field: String, _ value: JSONValue, _ wanted: String) -> StoredDamage {
        damage(field, shown(value.text()), wanted)
    }

    private static func tooMany(_ field: String, _ what: String, _ count: Int, _ most: Int) -> StoredDamage {
        damage(field, "\(what) of \(count)", "one of at most \(most) (fixed limit state_list)")
    }

    private static func damage(_ field: String, _ value: String, _ wanted: String) -> StoredDamage {
        StoredDamage(field: field.isEmpty ? "the document" : field, value: value, wanted: wanted)
    }

    private static func shown(_ text: String) -> String { text.count > 80 ? text.prefix(80) + "..." : text }
}

// MARK: What a newer version has written

extension StoredShape {
    /// `new` with the members of `stored` that this shape does not name. They stay with the thing that they were
    /// written for: a copy, a receipt that is not there any more takes them along.
    package func carrying(_ stored: JSONValue, into new: JSONValue) -> JSONValue {
        switch self {
        case .text, .flag, .count, .time, .anything, .object, .word, .parsed: return new
        case .inText(let inner):
            guard stored != new, let before = stored.string.flatMap({ try? JSONValue(parsing: $0) }),
                let after = new.string.flatMap({ try? JSONValue(parsing: $0) })
            else { return new }
            let carried = inner.carrying(before, into: after)
            return carried == after ? new : .string(carried.text())
        case .list(let element, let by, _):
            guard !by.isEmpty, let before = stored.array, let after = new.array else { return new }
            let known = Dictionary(before.map { (Self.identity($0, by), $0) }) { first, _ in first }
            return .array(
                after.map { one in
                    known[Self.identity(one, by)].map { element.carrying($0, into: one) } ?? one
                })
        case .map(let element, _):
            guard let before = stored.object, var after = new.object else { return new }
            for (name, one) in after {
                if let told = before[name] { after[name] = element.carrying(told, into: one) }
            }
            return .object(after)
        case .members(let members, let by):
            guard let before = stored.object, var after = new.object,
                Self.identity(stored, by) == Self.identity(new, by)
            else { return new }
            for member in members {
                guard let told = before[member.name], let one = after[member.name] else { continue }
                after[member.name] = member.shape.carrying(told, into: one)
            }
            let ours = Set(members.map(\.name))
            for (name, told) in before where !ours.contains(name) && after[name] == nil { after[name] = told }
            return .object(after)
        }
    }

    private static func identity(_ value: JSONValue, _ by: [String]) -> [String] {
        by.map { value[$0]?.text() ?? "" }
    }
}
