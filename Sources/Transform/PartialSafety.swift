import Commands
import JSONText

extension Transformer {
    /// The tombstone's fields that these steps would make, each with its step.
    public static func reservedFields(madeBy steps: [TransformStep]) -> [(step: Int, field: String)] {
        var found: [(step: Int, field: String)] = []
        for (number, step) in steps.enumerated() {
            let path: JSONPath
            switch step {
            case .rename(_, let to), .copy(_, let to): path = to
            case .set(let field, _, _): path = field
            default: continue
            }
            if let first = path.names.first, Tombstone.fields.contains(first) { found.append((number, first)) }
        }
        return found
    }

    /// The steps that go wrong on a partial document because they need fields that it may lack, each with the reason.
    /// A recipe with `merge` commands must not have them.
    public static func partialUnsafe(_ steps: [TransformStep]) -> [(step: Int, why: String)] {
        var found: [(step: Int, why: String)] = []
        for (index, step) in steps.enumerated() {
            let before = steps[..<index]
            if let why = unsafe(step, after: before) ?? insideFlattened(step, after: before) {
                found.append((index, why))
            }
        }
        return found
    }

    private static func unsafe(_ step: TransformStep, after before: ArraySlice<TransformStep>) -> String? {
        switch step {
        case .set(let field, _, true):
            return "`if_missing` cannot tell a field that \"\(field)\" lacks from one that the update leaves out"
        case .set(let field, _, false) where field.names.count > 1:
            return "an update that lacks the object around \"\(field)\" would replace what the document has there"
        case .set(let field, _, _):
            return writtenBefore(field, before)
        case .rename(let from, let to), .copy(let from, let to):
            if from == to { return nil }
            if JSONPath.overlap(from, to) {
                return "one of \"\(from)\" and \"\(to)\" is within the other, and an update may bring only one of them"
            }
            if to.names.count - JSONPath.common(from, to) > 1 {
                return "an update that replaces the object around \"\(to)\" whole would lose what was put into it"
            }
            return writtenBefore(to, before) ?? readBefore(to, before)
        default:
            return nil
        }
    }

    /// Why it is unsafe that two steps write one field: the winner depends on which of their sources a document has.
    private static func writtenBefore(_ field: JSONPath, _ before: ArraySlice<TransformStep>) -> String? {
        for other in before {
            switch other {
            case .rename(_, let to) where JSONPath.overlap(field, to),
                .copy(_, let to) where JSONPath.overlap(field, to),
                .set(let to, _, _) where JSONPath.overlap(field, to):
                return "\"\(field)\" is written by another step too, and an update may bring only one of the sources"
            default: continue
            }
        }
        return nil
    }

    /// Why it is unsafe that an earlier step reads the field that this one replaces: documents have it themselves.
    private static func readBefore(_ field: JSONPath, _ before: ArraySlice<TransformStep>) -> String? {
        for other in before {
            let paths: [JSONPath] =
                switch other {
                case .keyToValue(let options): [options.field]
                case .copy(let from, _): [from]
                case .keep(let paths): paths
                case .change(let path, _): [path]
                case .rename, .remove, .set: []
                }
            if paths.contains(where: { JSONPath.overlap($0, field) }) {
                return "documents have a \"\(field)\" of their own, and an update may bring only one of the two"
            }
        }
        return nil
    }

    /// Why a step cannot work on the pairs of a flattened field: an update's pairs are made only when it is merged.
    private static func insideFlattened(_ step: TransformStep, after before: ArraySlice<TransformStep>) -> String? {
        var flattened: [JSONPath] = []
        for other in before {
            switch other {
            case .keyToValue(let options): flattened.append(options.field)
            case .rename(let from, let to) where flattened.contains(from),
                .copy(let from, let to) where flattened.contains(from):
                flattened.append(to)
            default: continue
            }
        }
        if case .keyToValue(let options) = step, flattened.contains(where: { JSONPath.overlap($0, options.field) }) {
            return "\"\(options.field)\" holds a field that is flattened already, whose pairs an update does not hold"
        }
        for path in step.paths {
            for field in flattened where path.names.count > field.names.count && JSONPath.overlap(path, field) {
                return "\"\(path)\" is within the flattened \"\(field)\", whose pairs an update does not hold"
            }
        }
        return nil
    }
}
