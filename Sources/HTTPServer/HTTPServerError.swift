/// Why a server could not start.
public struct HTTPServerError: Error, Sendable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// Another socket listens on this address and port.
        case addressInUse = "address_in_use"
        /// The address cannot be parsed, does not belong to this machine, or needs more rights.
        case address
        /// The system gave no socket, thread or memory.
        case system
    }

    public var code: Code
    /// What happened, at which address, and what to do.
    public var message: String

    public init(_ code: Code, _ message: String) {
        (self.code, self.message) = (code, message)
    }

    public var description: String { message }
}
