import JSONText

/// A new value made of an old one. Null stays null for all of them.
///
/// Another step of this kind is a case here, with what it does, and its keys in the recipe (`RecipeSteps`). Everything
/// else treats these steps alike.
public enum ValueChange: Equatable, Sendable {
    case cast(to: CastTarget)
    /// Strings, and strings in arrays, in lower case.
    case lowercase
    /// A string becomes an array of strings.
    case split(separator: String)
    /// An array of scalars becomes a string.
    case join(separator: String)

    /// What it does to a field, for people.
    public func words(_ field: JSONPath) -> String {
        switch self {
        case .cast(let target): "cast \(field) to \(target.rawValue)"
        case .lowercase: "lowercase \(field)"
        case .split(let separator): "split \(field) at \"\(separator)\""
        case .join(let separator): "join \(field) with \"\(separator)\""
        }
    }

    /// A change without its text: a plain value, so that a compiled step counts no references.
    enum Kind: Equatable {
        case cast(CastTarget), lowercase, split, join

        /// Whether it leaves a value of this shape as it is. Neither `lowercase` nor `split` changes an array of pairs,
        /// and a map that is still to be merged must stay a map.
        func leaves(_ shape: NodeShape) -> Bool {
            switch self {
            case .lowercase: shape == .map || shape == .object
            case .split: shape == .map
            case .cast, .join: false
            }
        }
    }

    var kind: Kind {
        switch self {
        case .cast(let target): .cast(target)
        case .lowercase: .lowercase
        case .split: .split
        case .join: .join
        }
    }

    /// The text that it needs at hand; empty when it needs none.
    var text: String {
        switch self {
        case .split(let separator), .join(let separator): separator
        case .cast, .lowercase: ""
        }
    }
}

extension Transformer {
    /// Gives a member its new value.
    func change(_ member: Int32, _ change: ValueChange.Kind, _ step: CompiledStep) throws(TransformError) {
        if change.leaves(arena[member].shape) { return }
        if arena[member].shape == .map { try flatten(member) }
        try collapse(member)
        let value = stable(arena[member].text)
        let start = scratch.count
        try write(value, change, step)
        arena.setText(of: member, to: try written(from: start))
    }

    /// Writes the new value of an old one into the scratch memory.
    private func write(
        _ value: TextRange, _ change: ValueChange.Kind, _ step: CompiledStep
    ) throws(TransformError) {
        let kind = JSONScanner.kind(of: firstByte(value))
        switch change {
        case _ where kind == .null: append(value, into: scratch)
        case .split: try split(value, kind, step)
        case .join: try join(value, kind, step)
        case .cast where kind == .array, .lowercase where kind == .array:
            try writeElements(value, change, step)
        case .cast(let target): try cast(value, kind, target, step)
        case .lowercase:
            guard kind == .string else { return append(value, into: scratch) }
            scratch.append(UInt8(ascii: "\""))
            Lowercase.append(content: slice(content(value)), into: scratch)
            scratch.append(UInt8(ascii: "\""))
        }
    }

    private func writeElements(
        _ array: TextRange, _ change: ValueChange.Kind, _ step: CompiledStep
    ) throws(TransformError) {
        scratch.append(UInt8(ascii: "["))
        var isFirst = true
        try eachElement(array) { (element) throws(TransformError) in
            if !isFirst { scratch.append(UInt8(ascii: ",")) }
            isFirst = false
            try write(element, change, step)
        }
        scratch.append(UInt8(ascii: "]"))
    }

    /// Calls `body` with each element of an array.
    func eachElement(
        _ array: TextRange, _ body: (TextRange) throws(TransformError) -> Void
    ) throws(TransformError) {
        let text = pointer(array.source)
        let end = Int(array.end)
        var newlines = false
        var at = JSONScanner.space(text, Int(array.start) &+ 1, end, &newlines)
        while at < end, text[at] != UInt8(ascii: "]") {
            let after: Int
            do throws(JSONError) {
                after = try knownEnds.pass(at, array.source, text, within: Int(array.start)..<end)
            } catch {
                throw TransformError(error)
            }
            try body(range(array.source, at, after))
            at = JSONScanner.space(text, after, end, &newlines)
            if at < end, text[at] == UInt8(ascii: ",") { at = JSONScanner.space(text, at &+ 1, end, &newlines) }
        }
    }

    /// What lies between the quotes of a string.
    func content(_ string: TextRange) -> TextRange {
        range(string.source, Int(string.start) &+ 1, Int(string.end) &- 1)
    }
}
