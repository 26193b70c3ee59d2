import Foundation

/// Looks whether a program that a recipe names can be started here, in the way in which it is started: by its path, or
/// found in PATH.
package enum UserProgram {
    /// nil: it can. `mend`: the act that mends it, where there is one.
    package static func problem(_ words: [String]) -> (text: String, mend: String?)? {
        guard let name = words.first, !name.isEmpty else { return ("it names no program", nil) }
        let paths =
            name.contains("/")
            ? [name]
            : (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin").split(separator: ":").map {
                "\($0)/\(name)"
            }
        let files = FileManager.default
        func isFile(_ path: String) -> Bool {
            var isFolder: ObjCBool = false
            return files.fileExists(atPath: path, isDirectory: &isFolder) && !isFolder.boolValue
        }
        let found = paths.filter(isFile)
        if found.contains(where: files.isExecutableFile) { return nil }
        if let first = found.first { return ("\(first) may not be executed", "chmod +x \(ShellWord.quoted(first))") }
        return (
            name.contains("/")
                ? "there is no file \(name), seen from \(files.currentDirectoryPath)" : "\(name) is not in PATH", nil
        )
    }
}
