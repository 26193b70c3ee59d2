import Failures
import CommandLog
import HTTPServer
import Migration
import Parity
import SearchCluster

/// The exit codes of the process. Scripts rely on these numbers.
enum ExitCode: Int32, CaseIterable {
    case done = 0
    case failed = 1
    /// The command line or the recipe is wrong.
    case usage = 2
    /// A rail or a running check refused.
    case refused = 3
    /// Source and target differ.
    case differs = 4
    /// A signal ended the process. Everything that was acknowledged is kept.
    case interrupted = 130

    /// Describes when a command ends with this code, for help and the manual page.
    var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "it failed; what went wrong and what to do is on standard error"
        case .usage: "the command line or the recipe is wrong; nothing was begun"
        case .refused: "a safety check refused, because something would be lost or overwritten"
        case .differs: "source and target differ; of dead-letters redrive: every letter died again"
        case .interrupted: "a signal ended it; everything that was acknowledged is kept, and a restart goes on"
        }
    }
}

extension ExitCode {
    /// Only `equal` is a success, and only `different` is proof of the contrary.
    init(_ verdict: Verdict) {
        switch verdict {
        case .equal: self = .done
        case .different: self = .differs
        case .settling, .incomplete, .empty: self = .failed
        }
    }
}

/// How a command that threw an error ends: the text and code for the user, and the exit code.
struct CommandFailure {
    let text: String
    let code: String
    let exit: ExitCode

    init(_ error: any Error) {
        let described = "\(error)"
        text = described.hasSuffix(".") ? described : described + "."
        (code, exit) =
            switch error {
            case let error as WorkError where error.code == .refused: ("refused", .refused)
            case let error as WorkError where error.code == .recipe: ("recipe", .usage)
            case let error as WorkError where error.code == .interrupted: ("interrupted", .interrupted)
            case let error as LogError: (error.code.rawValue, error.code == .startDeleted ? .refused : .failed)
            case let error as ClusterError: (error.code.rawValue, .failed)
            case let error as HTTPServerError: (error.code.rawValue, .failed)
            default: ("failed", .failed)
            }
    }
}
