/// What went wrong in the work, and what to do about it.
package struct WorkError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The command log, a cluster, a file failed us.
        case log, cluster, state, deadLetters, files
        /// A rail refused (P9 in docs/architecture.md); exit code 3.
        case refused
        /// The recipe does not fit what was found; exit code 2.
        case recipe
        case interrupted
    }

    package let code: Code
    package let message: String
    /// What a server or library said, when it adds something.
    package let underlying: String?
    /// The name of the rail that refused; nil: it was none of the catalogue.
    package let rail: String?
    /// Whether a server refused it for want of a privilege.
    package var isForbidden = false

    package init(_ code: Code, _ message: String, underlying: String? = nil, rail: String? = nil) {
        (self.code, self.message, self.underlying, self.rail) = (code, message, underlying, rail)
    }

    package var description: String {
        guard let underlying, !underlying.isEmpty else { return message }
        return "\(message) (\(underlying))"
    }
}
