import JSONText
import Transform

/// Steps that change a value, as the recipe names them.
extension TransformStep {
    static func cast(field: JSONPath, to target: CastTarget) -> TransformStep { .change(field, .cast(to: target)) }
    static func lowercase(_ field: JSONPath) -> TransformStep { .change(field, .lowercase) }
    static func split(field: JSONPath, separator: String) -> TransformStep {
        .change(field, .split(separator: separator))
    }
    static func join(field: JSONPath, separator: String) -> TransformStep {
        .change(field, .join(separator: separator))
    }
}

func withBytes<R>(_ text: String, _ body: (Bytes) throws -> R) rethrows -> R {
    try Array(text.utf8).withUnsafeBufferPointer { try body($0) }
}

func path(_ text: String) -> JSONPath {
    do { return try JSONPath(parsing: text) } catch { preconditionFailure("\(error)") }
}

func apply(_ transformer: Transformer, _ text: String) throws -> String {
    let out = ByteBuffer()
    try withBytes(text) { try transformer.apply($0, into: out) }
    return String(decoding: out.bytes, as: UTF8.self)
}

func apply(_ steps: [TransformStep], _ text: String) throws -> String { try apply(Transformer(steps), text) }

/// The reason of the error, or nil.
func reason(_ steps: [TransformStep], _ text: String) -> String? {
    do {
        _ = try apply(steps, text)
        return nil
    } catch {
        return (error as? TransformError)?.reason ?? "\(error)"
    }
}

func merge(_ steps: [TransformStep], _ base: String?, _ partial: String, _ mode: MergeMode = .deep) throws -> String {
    try merge(Transformer(steps), base, partial, mode)
}

func merge(_ transformer: Transformer, _ base: String?, _ partial: String, _ mode: MergeMode) throws -> String {
    let out = ByteBuffer()
    let baseBytes = base.map { Array($0.utf8) }
    try withBytes(partial) { partial in
        if let baseBytes {
            try baseBytes.withUnsafeBufferPointer { base in
                try transformer.merge(base: base, partial: partial, mode: mode, into: out)
            }
        } else {
            try transformer.merge(base: nil, partial: partial, mode: mode, into: out)
        }
    }
    return String(decoding: out.bytes, as: UTF8.self)
}

func tags(
    _ field: String = "tags", null: KeyToValue.Empty = .drop, empty: KeyToValue.Empty = .keep, lowercase: Bool = false
)
    -> TransformStep
{
    .keyToValue(KeyToValue(field: path(field), null: null, empty: empty, lowercase: lowercase))
}
