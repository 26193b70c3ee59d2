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
        let process = Process()
        // Found in PATH, as a shell would.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        process.environment = ProcessInfo.processInfo.environment.merging(variables) { _, ours in ours }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.standardError
        do {
            try process.run()
        } catch {
            throw WorkError(.refused, "\(key): \(words.first ?? "") cannot be started: \(error.localizedDescription)")
        }
        let deadline = MonotonicClock.milliseconds() + timeout
        while process.isRunning {
            if MonotonicClock.milliseconds() > deadline || StopSignal.isAsked {
                process.terminate()
                // One that does not listen must not hold us.
                Thread.sleep(forTimeInterval: 1)
                if process.isRunning { kill(process.processIdentifier, SIGKILL) }
                process.waitUntilExit()
                let why = StopSignal.isAsked ? "was stopped by a signal" : "took longer than \(timeout / 1000) s"
                throw WorkError(.refused, "\(key): \(words.first ?? "") \(why)")
            }
            Thread.sleep(forTimeInterval: 0.02)
        }
        process.waitUntilExit()
        guard process.terminationReason == .exit, process.terminationStatus == 0 else {
            throw WorkError(
                .refused,
                "\(key): \(words.first ?? "") ended with \(process.terminationStatus); what it printed says why")
        }
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
