import JSONText

/// Why a document cannot be brought into its new form. The document itself is at fault: trying again changes nothing.
public struct TransformError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A short, stable code: `not_json`, `not_an_object`, `not_a_map`, `cast_failed`, `not_a_string`, `not_scalar`,
    /// `path_through_array`, `too_large`, `bad_base`, `reserved_field`.
    public var reason: String
    /// What is wrong, with the path of the field.
    public var detail: String
    /// The same document fails the same way every time.
    public var isRetriable: Bool { false }

    public init(reason: String, detail: String) {
        self.reason = reason
        self.detail = detail
    }

    init(_ error: JSONError) {
        self.init(reason: "not_json", detail: "the document is not JSON that can be indexed: \(error.description)")
    }

    public var description: String { "\(reason): \(detail)" }
}
