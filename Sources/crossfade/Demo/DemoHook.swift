import Foundation

/// Runs a shell command right before the comparison. Only tests use it, to damage a document.
enum DemoHook {
    static func run(_ servers: DemoServers) throws {
        let environment = ProcessInfo.processInfo.environment
        guard let command = environment["CROSSFADE_DEMO_HOOK"], !command.isEmpty else { return }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", command]
        process.environment = environment.merging(
            ["OLD": servers.oldURL, "NEW": servers.newURL, "INDEX": servers.names.new]) { _, ours in ours }
        process.standardOutput = FileHandle.standardError
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw DemoError("CROSSFADE_DEMO_HOOK ended with \(process.terminationStatus).")
        }
    }
}
