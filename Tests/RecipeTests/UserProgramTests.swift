import Foundation
import Testing

@testable import Recipe

@Suite struct UserProgramTests {
    /// That it cannot be started was found out after the aliases had moved.
    @Test func aProgramThatCannotBeStartedIsFoundBefore() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("crossfade-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("move.sh").path
        #expect(UserProgram.problem([file])?.text.hasPrefix("there is no file \(file)") == true)
        #expect(UserProgram.problem([folder.path])?.text.hasPrefix("there is no file") == true)
        try "#!/bin/sh\n".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(UserProgram.problem([file])?.mend == "chmod +x \(file)")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: file)
        #expect(UserProgram.problem([file]) == nil)
        #expect(UserProgram.problem(["sh", "-c", "true"]) == nil)
        #expect(UserProgram.problem(["no-such-program-here"])?.text == "no-such-program-here is not in PATH")
        #expect(UserProgram.problem([""]) != nil)
    }
}
