import JSONText

/// The reason why a document cannot be transformed. The fault is in the document: to try again does not help.
public struct TransformError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The reason as a code that never changes: `not_json`, `too_deep`, `not_an_object`, `not_a_map`,
    /// `cast_failed`, `not_a_string`, `not_scalar`, `path_through_array`, `too_large`, `bad_base`, `reserved_field`.
    public var reason: String
    /// What is wrong, with the path of the field.
    public var detail: String
    /// Always false: the same document fails every time.
    public var isRetriable: Bool { false }

    public init(reason: String, detail: String) {
        self.reason = reason
        self.detail = detail
    }

    init(_ error: JSONError) {
        // as of a record: `CommandDecoder`
        let reason = error.kind == .tooDeep ? "too_deep" : "not_json"
        self.init(reason: reason, detail: "the document is not JSON that can be indexed: \(error.description)")
    }

    public var description: String { "\(reason): \(detail)" }
}
