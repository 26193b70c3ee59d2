import Failures
import Foundation
import JSONText
import Runtime

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

    /// Writes it so that it is whole and on disk, or not there at all.
    func write(_ json: JSONValue) throws(WorkError) {
        do throws(PrivateFile.Failure) {
            try PrivateFile.write(Array((json.text() + "\n").utf8), to: path)
        } catch {
            throw WorkError(
                .files,
                "the archive \(path) could not be written (\(error.doing) it: \(error.reason)); --archive names "
                    + "another file. Nothing was deleted for want of it")
        }
    }
}
