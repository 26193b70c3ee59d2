import Failures
import Migration
import Parity

/// The work of `verify`.
package struct VerifyWork {
    private let live: LiveWork
    private let options: VerifyOptions

    /// Rails that do not concern a verification.
    package static let unneeded: Set<String> = []

    package init(_ live: LiveWork, options: VerifyOptions) { (self.live, self.options) = (live, options) }

    /// Throws a `WorkError` of the code `interrupted` after a signal.
    package func run() throws -> Receipt {
        throw WorkError(.refused, "nothing is verified yet")
    }
}
