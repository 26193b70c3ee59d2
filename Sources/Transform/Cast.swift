import JSONText

/// What `cast` makes of a value.
public enum CastTarget: String, CaseIterable, Sendable {
    case number, boolean, string
    /// ISO 8601 in UTC with milliseconds, from epoch milliseconds or an ISO text.
    case dateISO = "date_iso"
    /// Epoch milliseconds, from an ISO text or a number.
    case dateEpoch = "date_epoch"

    var noun: String {
        switch self {
        case .number: "number"
        case .boolean: "boolean"
        case .string: "scalar"
        case .dateISO: "date with a year from 0000 to 9999"
        case .dateEpoch: "date"
        }
    }
}

extension Transformer {
    func cast(
        _ value: TextRange, _ kind: JSONKind, _ target: CastTarget, _ step: CompiledStep
    ) throws(TransformError) {
        guard kind != .object else { throw uncastable(target, step) }
        let text = slice(kind == .string ? content(value) : value)
        switch target {
        case .string:
            if kind != .string { scratch.append(UInt8(ascii: "\"")) }
            append(value, into: scratch)
            if kind != .string { scratch.append(UInt8(ascii: "\"")) }
        case .number:
            guard kind != .boolean, let start = text.baseAddress,
                (try? JSONScanner.number(start, 0, text.count)) == text.count
            else { throw uncastable(target, step) }
            scratch.append(text)
        case .boolean:
            guard let truth = Self.truth(text, isNumber: kind == .number) else { throw uncastable(target, step) }
            if truth { scratch.append("true") } else { scratch.append("false") }
        case .dateISO, .dateEpoch:
            guard kind != .boolean, let time = Timestamp(parsing: text, isNumber: kind == .number) else {
                throw uncastable(target, step)
            }
            if target == .dateEpoch {
                scratch.append(decimal: time.milliseconds)
            } else {
                guard time.isFourDigitYear else { throw uncastable(target, step) }
                scratch.append(UInt8(ascii: "\""))
                time.write(into: scratch)
                scratch.append(UInt8(ascii: "\""))
            }
        }
    }

    private func uncastable(_ target: CastTarget, _ step: CompiledStep) -> TransformError {
        failure("cast_failed", step, "has a value that is no \(target.noun)")
    }

    /// The words that Elasticsearch 1.x took for a boolean.
    private static func truth(_ text: Bytes, isNumber: Bool) -> Bool? {
        if equal(text, "0") { return false }
        if equal(text, "1") { return true }
        guard !isNumber else { return nil }
        if equal(text, "true") || equal(text, "yes") || equal(text, "on") { return true }
        if equal(text, "false") || equal(text, "no") || equal(text, "off") { return false }
        return nil
    }

    private static func equal(_ text: Bytes, _ word: StaticString) -> Bool {
        guard let start = text.baseAddress, text.count == word.utf8CodeUnitCount else { return false }
        return JSONScanner.same(start, word.utf8Start, text.count)
    }
}
