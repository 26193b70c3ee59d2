import Foundation
import Runtime
import Testing

/// Programs of the user's, as a hook runs them.
@Suite(.serialized) struct ChildProgramTests {
    private static func run(_ script: String, timeout: Int64 = 60_000, _ more: [String: String] = [:]) -> ChildProgram
        .End?
    {
        let environment = ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"]
        return ChildProgram.run(["sh", "-c", script], environment: environment.merging(more) { $1 }, timeout: timeout)
    }

    @Test func itsEndIsTold() {
        #expect(Self.run("exit 0") == .exited(0))
        #expect(Self.run("exit 7") == .exited(7))
        #expect(Self.run("kill -9 $$") == .killed(signal: SIGKILL))
        #expect(Self.run("test \"$DIRECTION\" = back", ["DIRECTION": "back"]) == .exited(0))
        #expect(ChildProgram.run(["/nowhere/program"], environment: [:], timeout: 60_000) == .exited(127))
    }

    @Test func itHasNoInputAndNoFileOfOurs() throws {
        let ours = open("/dev/zero", O_RDONLY)
        defer { close(ours) }
        #expect(Self.run("read line && exit 1; test ! -e /proc/self/fd/\(ours)") == .exited(0))
    }

    /// What it leaves behind goes on, and does not hold us: this one would for ten minutes.
    @Test func whatItLeavesBehindDoesNotHoldUs() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "child-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        #expect(Self.run("sleep 600 & echo $! > \(file.path)") == .exited(0))
        let left = try #require(pid_t(String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .newlines)))
        #expect(kill(left, SIGKILL) == 0)
    }

    /// A time limit that only ends the program itself was kept by nobody else: `sleep 1000 & sleep 1001` ran on.
    @Test func aLimitEndsAllThatItHasStarted() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "child-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: file) }
        let script = "trap '' TERM; sleep 600 & echo $! > \(file.path).new; mv \(file.path).new \(file.path); sleep 601"
        #expect(Self.run(script, timeout: 3000) == .tooLong)
        let text = try String(contentsOf: file, encoding: .utf8)
        let left = try #require(pid_t(text.trimmingCharacters(in: .newlines)))
        // Whoever adopts it buries it at once or a little later.
        while kill(left, 0) == 0, !Self.isOver(left) { Thread.sleep(forTimeInterval: 0.05) }
    }

    /// Ended, and perhaps not buried yet.
    private static func isOver(_ process: pid_t) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8) else { return true }
        return stat.split(separator: ")").last?.split(separator: " ").first == "Z"
    }
}
