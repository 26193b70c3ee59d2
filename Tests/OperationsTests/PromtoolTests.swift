import Foundation
import HTTPServer
import SocketClient
import Testing

@testable import Operations

/// Checks the metrics with Prometheus's own tool.
enum Promtool {
    /// Debian's promtool, or the one that scripts/setup extracted from Debian's package.
    private static var program: URL? {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        return (path + [root.appending(path: ".venv/bin").path]).map { "\($0)/promtool" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }.map { URL(fileURLWithPath: $0) }
    }

    /// Standard output and standard error together, and whether promtool accepted the text.
    static func check(_ text: String) throws -> (isGood: Bool, said: String) {
        let process = Process()
        let found: URL = try #require(program, "no promtool: run scripts/setup")
        process.executableURL = found
        process.arguments = ["check", "metrics"]
        let input = Pipe()
        let output = Pipe()
        process.standardInput = input
        process.standardOutput = output
        process.standardError = output
        try process.run()
        input.fileHandleForWriting.write(Data(text.utf8))
        try input.fileHandleForWriting.close()
        let said = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus == 0, String(decoding: said, as: UTF8.self))
    }
}

@Suite struct PromtoolTests {
    @Test func whatIsServedIsContent() throws {
        let server = try OperationsServer(listen: "127.0.0.1:0", source: FakeSource())
        defer { server.stop() }
        let (isGood, said) = try Promtool.check(SocketClient(port: server.port).get("/metrics").text)
        #expect(isGood, "\(said)")
    }

    @Test func theCheckerFindsWhatIsWrong() throws {
        #expect(try !Promtool.check("# TYPE a counter\na 1\na 2\n").isGood)
    }
}
