import Failures
import Foundation
import Runtime

/// A program of the user's (`cutover.command`, `cutover.before`). It runs without a shell, gets no input, and writes to
/// standard error.
struct Hook: Sendable {
    /// The recipe's key, for messages.
    let key: String
    let words: [String]
    /// Milliseconds.
    let timeout: Int64

    /// Throws if it cannot be started, takes too long, or ends with anything but 0.
    func run(_ variables: [String: String]) throws(WorkError) {
        let environment = ProcessInfo.processInfo.environment.merging(variables) { _, ours in ours }
        let name = words.first ?? ""
        let why: String
        switch ChildProgram.run(words, environment: environment, timeout: timeout) {
        case .exited(0): return
        case .exited(let code): why = "ended with \(code); what it printed says why"
        case .killed(let signal): why = "was ended by signal \(signal)"
        case .tooLong: why = "took longer than \(timeout / 1000) s, and was ended with all that it had started"
        case .stopped: why = "was stopped by a signal"
        case nil: why = "cannot be started"
        }
        throw WorkError(.refused, "\(key): \(name) \(why)")
    }
}

extension CutoverSession {
    /// What a hook is told. No secrets.
    func variables(_ direction: String) -> [String: String] {
        [
            "CROSSFADE_DIRECTION": direction, "CROSSFADE_MIGRATION": recipe.name,
            "CROSSFADE_SOURCE": recipe.source?.urls.joined(separator: ",") ?? "",
            "CROSSFADE_TARGET": recipe.target.urls.joined(separator: ","),
            "CROSSFADE_INDICES": prepared.survey.entries.map(\.index).joined(separator: ","),
        ]
    }
}
