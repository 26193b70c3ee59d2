/// Why the demo did not come to its end.
struct DemoError: Error, CustomStringConvertible {
    var message: String
    var code: ExitCode

    init(_ message: String, code: ExitCode = .failed) {
        self.message = message
        self.code = code
    }

    var description: String { message }

    /// A signal.
    static let interrupted = DemoError("interrupted", code: .interrupted)
}
