import Foundation

/// Writes files that only their owner may read, because they may hold values of documents.
package enum PrivateFile {
    /// What failed, as a word that the file's name follows, and why.
    package struct Failure: Error, Sendable {
        package var doing: String
        package var reason: String

        fileprivate init(_ doing: String, _ code: Int32) {
            (self.doing, reason) = (doing, String(cString: strerror(code)))
        }
    }

    /// Writes a neighbour, forces it to disk, gives it the name, and forces the folder to disk. What was there under
    /// that name is replaced, with its permissions.
    package static func write(_ bytes: [UInt8], to path: String) throws(Failure) {
        let neighbour = path + ".\(ProcessInfo.processInfo.processIdentifier).new"
        let file = open(neighbour, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Failure("opening", errno) }
        let isWritten = fchmod(file, 0o600) == 0 && write(bytes, to: file) && fsync(file) == 0
        let code = errno
        guard close(file) == 0, isWritten else {
            unlink(neighbour)
            throw Failure("writing", code)
        }
        guard rename(neighbour, path) == 0 else {
            let code = errno
            unlink(neighbour)
            throw Failure("renaming", code)
        }
        let folder = open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { throw Failure("opening the folder of", errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Failure("keeping", errno) }
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
}
