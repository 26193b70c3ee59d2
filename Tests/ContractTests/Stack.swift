import Foundation

/// The real servers of this machine: at the addresses in `CROSSFADE_TEST_<SERVER>`, or started by the `stack` program
/// (`CROSSFADE_STACK`, else ../shared/stack/stack beside the package).
enum Stack {
    static let program: String? = {
        if let given = ProcessInfo.processInfo.environment["CROSSFADE_STACK"] { return given.isEmpty ? nil : given }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let beside = root.deletingLastPathComponent().appendingPathComponent("shared/stack/stack").path
        return FileManager.default.isExecutableFile(atPath: beside) ? beside : nil
    }()

    /// The state folder of the servers that these tests start. No other process uses it.
    private static let directory = FileManager.default.temporaryDirectory
        .appendingPathComponent("crossfade-contract-\(ProcessInfo.processInfo.processIdentifier)").path

    static func address(_ server: String) -> String? {
        let name =
            "CROSSFADE_TEST_" + server.uppercased().map { $0.isLetter || $0.isNumber ? String($0) : "_" }.joined()
        return ProcessInfo.processInfo.environment[name]
    }

    /// `CROSSFADE_TEST_ONLY=es-1.7,os-3` runs only these servers.
    private static let only = ProcessInfo.processInfo.environment["CROSSFADE_TEST_ONLY"]?.split(separator: ",")
        .map { String($0) }

    static func has(_ server: String) -> Bool {
        guard only?.contains(server) ?? true else { return false }
        return address(server) != nil || program != nil
    }

    /// Runs `body` with the server's URL, and afterwards wipes what was started here.
    static func with(_ server: String, _ body: (String) throws -> Void) throws {
        if let given = address(server) { return try body(given) }
        let url = try run(["start", server, "--heap", "384m"])
        defer {
            _ = try? run(["wipe", server])
            // The last test removes the whole stack.
            if server == ServerRow.all.last(where: { has($0.name) && address($0.name) == nil })?.name {
                try? FileManager.default.removeItem(atPath: directory)
            }
        }
        try body(url)
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private static func run(_ arguments: [String]) throws -> String {
        guard let program else { throw Failure(description: "there is no stack program") }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["STACK_DIR"] = directory
        process.environment = environment
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "stack \(arguments.joined(separator: " ")) failed; it says why above")
        }
        return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
