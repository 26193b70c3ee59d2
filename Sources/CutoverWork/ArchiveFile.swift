import Failures
import Foundation
import JSONText

/// The file that keeps what a finished migration was. It is on disk, under its name, before anything is deleted.
package struct ArchiveFile: Sendable {
    let path: String

    init(_ path: String) {
        self.path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    }

    /// The file that is used if nobody names one.
    static func standard(_ migration: String) -> String { "crossfade-\(migration)-finished.json" }

    /// That a migration without state was finished, if its archive lies in the present folder; nil: it does not.
    package static func hint(_ migration: String) -> String? {
        let file = standard(migration)
        guard FileManager.default.fileExists(atPath: file) else { return nil }
        return "it was finished: \(file) has its state and its history"
    }

    /// Throws if the file holds something else than an archive of this migration.
    func check(migration: String, created: Int64) throws(WorkError) {
        guard FileManager.default.fileExists(atPath: path) else { return }
        let told = FileManager.default.contents(atPath: path).flatMap {
            try? JSONValue(parsing: String(decoding: $0, as: UTF8.self))
        }
        guard told?["migration"]?.string == migration, told?["state"]?["created"]?.time == created else {
            throw WorkError(
                .files,
                "\(path) is there, and is not an archive of this migration: name another file with --archive")
        }
    }

    /// Writes a neighbour, forces it to disk, gives it the name, and forces the folder to disk.
    func write(_ json: JSONValue) throws(WorkError) {
        let neighbour = path + ".\(ProcessInfo.processInfo.processIdentifier).new"
        let file = open(neighbour, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw failure("opening") }
        let isWritten = Self.write(Array((json.text() + "\n").utf8), to: file) && fsync(file) == 0
        let code = errno
        guard Foundation.close(file) == 0, isWritten else {
            unlink(neighbour)
            errno = code
            throw failure("writing")
        }
        guard rename(neighbour, path) == 0 else {
            unlink(neighbour)
            throw failure("renaming")
        }
        let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { throw failure("opening the folder of") }
        defer { Foundation.close(folder) }
        guard fsync(folder) == 0 else { throw failure("keeping") }
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
        bytes.withUnsafeBytes { all in
            var rest = all[...]
            while !rest.isEmpty {
                let count = Foundation.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    private func failure(_ doing: String) -> WorkError {
        WorkError(
            .files,
            "the archive \(path) could not be written (\(doing) it: \(String(cString: strerror(errno)))); --archive "
                + "names another file. Nothing was deleted for want of it")
    }
}
