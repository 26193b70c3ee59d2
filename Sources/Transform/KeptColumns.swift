import Commands
import JSONText

// A row whose large columns did not come: everything is replaced but these, which the document keeps.
extension Transformer {
    /// What the steps do with a column whose value is not known.
    enum ColumnFate: Equatable {
        case stays
        case goes
        /// A step needs the value.
        case isRead
    }

    /// Transforms `row` without the columns that are `unavailable`, and gives it those that `base` has. `base` is a
    /// document after the steps. When it throws, `out` is as before.
    public func replace(
        base: Bytes, with row: Bytes, keeping unavailable: UnavailableColumns, steps: [TransformStep],
        into out: ByteBuffer
    ) throws(TransformError) {
        let columns: [String]
        do throws(JSONError) { columns = try unavailable.names(in: row) } catch {
            throw Self.unavailable("the row cannot be read: \(error)")
        }
        var kept: [String] = []
        for column in columns {
            switch Self.fate(of: column, steps) {
            case .stays: kept.append(column)
            case .goes: break
            case .isRead:
                throw Self.unavailable("a step of the transform needs the value of the column \"\(column)\"")
            }
        }
        guard var members = (try? JSONValue(parsing: row))?.object, let old = (try? JSONValue(parsing: base))?.object
        else { throw Self.unavailable("the indexed document cannot be read") }
        members.removeValues(forKeys: columns)
        let whole = try transformed(.object(members))
        guard var document = whole.object else { throw Self.unavailable("the transformed document is no object") }
        for column in kept {
            guard let value = old[column] else {
                throw Self.unavailable("the indexed document has no \"\(column)\" that could be kept")
            }
            document[column] = value
        }
        out.append(JSONValue.object(document).text())
    }

    private func transformed(_ document: JSONValue) throws(TransformError) -> JSONValue {
        let (text, result) = (ByteBuffer(), ByteBuffer())
        text.append(document.text())
        try withExtendedLifetime(text) { () throws(TransformError) in try apply(text.bytes, into: result) }
        guard let value = try? JSONValue(parsing: result.bytes) else {
            throw Self.unavailable("the transformed document is not JSON")
        }
        return value
    }

    static func fate(of column: String, _ steps: [TransformStep]) -> ColumnFate {
        for step in steps {
            let paths = step.paths.filter { $0.names.first == column }
            switch step {
            case .keep:
                if paths.isEmpty { return .goes }
                if !paths.contains(where: { $0.names.count == 1 }) { return .isRead }
            case .remove:
                if paths.contains(where: { $0.names.count == 1 }) { return .goes }
                if !paths.isEmpty { return .isRead }
            default: if !paths.isEmpty { return .isRead }
            }
        }
        return .stays
    }

    private static func unavailable(_ why: String) -> TransformError {
        TransformError(
            reason: "unavailable_value",
            detail: "Debezium did not get the value of a column that did not change, and it cannot be kept: \(why)")
    }
}
