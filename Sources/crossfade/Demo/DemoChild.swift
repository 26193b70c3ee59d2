import Foundation
import Recipe
import Synchronization

/// A command of this binary, run as a user would type it, in the demo's folder.
///
/// `@unchecked Sendable`: only the demo's thread starts, asks and signals Foundation's process. A lock protects the
/// texts.
final class DemoChild: @unchecked Sendable {
    let words: [String]
    private let process = Process()
    private let began = Date()
    private let output: URL
    private let errors: URL

    /// Starts the command. Its output goes to files in `folder`.
    init(_ words: [String], folder: URL, number: Int) throws {
        self.words = words
        let name = "\(number)-\(words.first ?? "none")"
        output = folder.appendingPathComponent(name + ".out")
        errors = folder.appendingPathComponent(name + ".err")
        for file in [output, errors] { try Data().write(to: file) }
        process.executableURL = try Self.program()
        process.arguments = words
        process.currentDirectoryURL = folder
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
    }

    /// The path of this program.
    static func program() throws -> URL {
        let path = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: path)
    }

    var isRunning: Bool { process.isRunning }
    var pid: Int32 { process.processIdentifier }
    var code: Int32 { process.terminationStatus }
    var seconds: Double { Date().timeIntervalSince(began) }
    var said: String { (try? String(contentsOf: output, encoding: .utf8)) ?? "" }
    var told: String { (try? String(contentsOf: errors, encoding: .utf8)) ?? "" }

    /// The command line as a user would type it.
    var line: String {
        (["crossfade"] + words.map { $0.contains(" ") ? ShellWord.quoted($0) : $0 }).joined(separator: " ")
    }

    func signal(_ number: Int32) {
        guard isRunning else { return }
        kill(pid, number)
    }

    /// Ends the command in any case: SIGTERM first, SIGKILL after `patience` seconds.
    func end(patience: Double = 5) {
        signal(SIGTERM)
        let limit = Date().addingTimeInterval(patience)
        while isRunning, Date() < limit { Thread.sleep(forTimeInterval: 0.02) }
        signal(SIGKILL)
        process.waitUntilExit()
    }

    /// How the command ended, in words. Used when it should not have ended.
    var ending: String {
        Self.ending(of: line, code, bySignal: process.terminationReason == .uncaughtSignal, told: told)
    }

    /// `code`: the exit code, or the number of the signal.
    static func ending(of line: String, _ code: Int32, bySignal: Bool, told: String) -> String {
        let lastWords = told.split(separator: "\n").suffix(8).joined(separator: "\n")
        var how = "ended with exit code \(code)"
        if bySignal {
            how = "was killed by signal \(code), and not by the demo"
            if code == SIGKILL { how += " (by somebody, or because memory ran out)" }
        }
        let words = lastWords.isEmpty ? " " : "\nThe last that it said:\n\(lastWords)\n"
        return "\(line) \(how).\(words)Everything is tidied up; the demo can be started again."
    }
}

/// The signals that ask the demo to end.
enum DemoSignals {
    private static let count = Atomic<Int>(0)

    static var isAsked: Bool { count.load(ordering: .acquiring) > 0 }

    /// Further signals are ignored: the demo needs a few seconds to clean up.
    static func listen() {
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number) { _ in DemoSignals.count.wrappingAdd(1, ordering: .acquiringAndReleasing) }
        }
    }
}
