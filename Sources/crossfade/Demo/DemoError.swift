/// Why the demo ended early.
struct DemoError: Error, CustomStringConvertible {
    var message: String
    var code: ExitCode

    init(_ message: String, code: ExitCode = .failed) {
        (self.message, self.code) = (message, code)
    }

    var description: String { message }

    /// A signal ended the demo.
    static let interrupted = DemoError("interrupted", code: .interrupted)
}
