import JSONText
import Transform

/// Where the steps of a transform take the values of a field.
enum FieldRoute: Sendable, Equatable {
    /// They are in this field; often the same.
    case field(String)
    /// They are pairs of a flattened field. `key`: the key of the pairs; nil: the flattened field itself was meant.
    case pairs(String, key: String?, KeyToValue)

    /// Why nobody can say where they are.
    struct Gap: Error, Equatable {
        var reason: String

        init(_ reason: String) { self.reason = reason }
    }

    /// The place after all steps.
    /// - Parameter old: the fields of the source; it says what is in the way.
    static func of(_ path: String, _ steps: [TransformStep], old: FieldTable) throws(Gap) -> FieldRoute {
        var route = FieldRoute.field(path)
        for (place, step) in steps.enumerated() {
            switch route {
            case .field(let field): route = try through(step, field, steps[..<place], old)
            case .pairs(let field, let key, let options):
                route = .pairs(try around(step, field, steps[..<place], old), key: key, options)
            }
        }
        return route
    }

    /// Whether no step has anything to do with the field.
    static func isUntouched(_ path: String, _ steps: [TransformStep]) -> Bool {
        steps.allSatisfy { step in
            if case .keep(let kept) = step { return kept.contains { FieldName.lies(path, in: FieldName.of($0)) } }
            return !touched(step).contains { FieldName.touch($0, path) }
        }
    }

    private static func touched(_ step: TransformStep) -> [String] {
        let paths: [JSONPath] =
            switch step {
            case .keyToValue(let options): [options.field]
            case .rename(let from, let to): [from, to]
            case .copy(_, let to): [to]
            case .remove(let paths), .keep(let paths): paths
            case .set(let path, _, _), .change(let path, _): [path]
            }
        return paths.map(FieldName.of)
    }

    /// One step, for a field as it is.
    private static func through(
        _ step: TransformStep, _ field: String, _ before: ArraySlice<TransformStep>, _ old: FieldTable
    ) throws(Gap) -> FieldRoute {
        guard case .keyToValue(let options) = step else { return .field(try around(step, field, before, old)) }
        let flattened = FieldName.of(options.field)
        guard FieldName.touch(field, flattened) else { return .field(field) }
        try checkDots(options.field)
        guard FieldName.lies(field, in: flattened) else {
            throw Gap("keyToValue makes pairs of \(flattened), which is a part of it")
        }
        let key = field == flattened ? nil : String(field.dropFirst(flattened.count + 1))
        return .pairs(flattened, key: key, options)
    }

    /// One step that leaves a field as it is, moves it, or makes it unknown.
    private static func around(
        _ step: TransformStep, _ field: String, _ before: ArraySlice<TransformStep>, _ old: FieldTable
    ) throws(Gap) -> String {
        if case .keep(let kept) = step {
            guard kept.contains(where: { FieldName.lies(field, in: FieldName.of($0)) }) else {
                throw Gap("the new documents do not have it, or only a part of it (keep)")
            }
            return field
        }
        guard touched(step).contains(where: { FieldName.touch($0, field) }) else { return field }
        switch step {
        case .rename(let from, let to):
            let (source, target) = (FieldName.of(from), FieldName.of(to))
            guard FieldName.lies(field, in: source) else {
                throw Gap("\(source) is renamed to \(target), so that it holds something else")
            }
            try checkDots(from)
            try checkDots(to)
            guard !isHeld(target, before, old) else {
                throw Gap("it is renamed to \(target), where documents may have something already")
            }
            return target + field.dropFirst(source.count)
        case .remove: throw Gap("it is removed, or a part of it")
        case .set(let path, _, _): throw Gap("\(path) is set")
        case .copy(let from, let to): throw Gap("\(from) is copied to \(to), so that it holds something else")
        case .change(let path, let change): throw Gap("its values are others in the new index (\(change.words(path)))")
        case .keyToValue(let options): throw Gap("keyToValue is done to \(options.field) a second time")
        case .keep: return field
        }
    }

    /// Whether documents may have something at the path, before the step that moves a field there.
    private static func isHeld(_ path: String, _ before: ArraySlice<TransformStep>, _ old: FieldTable) -> Bool {
        before.reduce(old.holds(path)) { held, step in
            switch step {
            case .remove(let paths): return held && !paths.contains { FieldName.lies(path, in: FieldName.of($0)) }
            case .keep(let paths): return held && paths.contains { FieldName.touch(path, FieldName.of($0)) }
            case .rename(let from, let to):
                if FieldName.touch(path, FieldName.of(to)) { return true }
                return held && !FieldName.lies(path, in: FieldName.of(from))
            case .copy(_, let to): return held || FieldName.touch(path, FieldName.of(to))
            case .set(let field, _, _): return held || FieldName.touch(path, FieldName.of(field))
            case .keyToValue, .change: return held
            }
        }
    }

    /// A name with a dot in it is one name to a transform, and a path to a search.
    private static func checkDots(_ path: JSONPath) throws(Gap) {
        guard path.names.contains(where: { $0.contains(".") }) else { return }
        throw Gap("\(path) has a dot in its name, and a search does not tell it from an object")
    }
}
