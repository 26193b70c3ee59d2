/// A value that must never be shown. Its description, and the description of every value that holds it, says
/// `<redacted>`.
public struct Secret: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    public init(_ value: String) { self.value = value }

    /// The value itself, for the call that needs it.
    public func reveal() -> String { value }

    public var description: String { Redactor.mark }
    public var debugDescription: String { Redactor.mark }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
