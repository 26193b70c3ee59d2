import Failures
import Foundation
import Recipe

/// The folder in which a verification keeps its progress and what memory has no room for. One process at a time.
final class WorkFolder {
    let url: URL
    private let lock: Int32

    /// Makes the folder if it is not there. Throws when another process uses it.
    init(_ recipe: Recipe, environment: [String: String]) throws {
        guard let path = recipe.verify.folder ?? recipe.defaultFolder(environment) else {
            throw WorkError(
                .files,
                "there is no folder for the progress of the verification: name one in `verify.folder`, or set HOME")
        }
        url = URL(fileURLWithPath: path, isDirectory: true)
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw WorkError(
                .files, "the folder \(path) for the verification cannot be made; `verify.folder` says where",
                underlying: error.localizedDescription)
        }
        let file = url.appendingPathComponent("lock").path
        lock = open(file, O_CREAT | O_RDWR | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw WorkError(.files, "the file \(file) cannot be written") }
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            Foundation.close(lock)
            throw WorkError(
                .files,
                "another process verifies with the folder \(path): wait for its end, or name another folder in "
                    + "`verify.folder`")
        }
    }

    /// Lets others use it. The kernel does so, too, when the process is killed.
    func close() { Foundation.close(lock) }
}
