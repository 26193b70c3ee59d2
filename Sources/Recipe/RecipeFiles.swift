import Basics
import Foundation

/// Why a file could not be read, as a clause that follows its name.
package struct FileFault: Error, Equatable {
    package var reason: String
}

/// Reads the files that a recipe names; relative paths begin at the recipe's own folder.
package struct RecipeFiles: Sendable {
    /// Bytes of a file put in place of `${file:...}`.
    package static let maxSubstituted = 1 << 20
    /// Bytes of a mapping or of settings.
    package static let maxJSON = 64 << 20

    package let directory: String

    /// For the files of the recipe at `path`.
    package init(besides path: String) {
        directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    package func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : directory + path }

    package func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        try Self.read(resolve(path), limit: limit)
    }

    /// Why the file, or the folder, cannot be opened; nil: it can.
    package func fault(_ path: String) -> FileFault? {
        let descriptor = open(resolve(path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return Self.fault() }
        close(descriptor)
        return nil
    }

    package static func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        guard !path.isEmpty, !path.utf8.contains(0) else { throw FileFault(reason: "is not a path") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault() }
        defer { close(descriptor) }
        return try read(descriptor: descriptor, limit: limit)
    }

    /// All that is still to be read from an open file.
    package static func read(descriptor: Int32, limit: Int) throws(FileFault) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = chunk.withUnsafeMutableBytes { Foundation.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR { continue }
                throw fault()
            }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk.prefix(count))
            guard bytes.count <= limit else {
                throw FileFault(reason: "is larger than \(limit >> 20) MiB (fixed limit file_size)")
            }
        }
    }

    /// The file of the same folder that may be meant by a path where nothing is.
    package static func neighbour(of path: String) -> String? {
        guard access(path, F_OK) != 0 else { return nil }
        let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
        return NearestWord.to(String(path.dropFirst(folder.count)), among: names.sorted()).map { folder + $0 }
    }

    /// Without the byte order mark that some editors put in front of UTF-8.
    package static func withoutMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(bytes.dropFirst(3)) : bytes
    }

    /// Where the first byte is that is not part of valid UTF-8.
    package static func firstInvalidUTF8(_ text: [UInt8]) -> Int? {
        var decoder = UTF8()
        var bytes = text.makeIterator()
        var offset = 0
        while true {
            switch decoder.decode(&bytes) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput: return nil
            case .error: return offset
            }
        }
    }

    private static func fault() -> FileFault {
        switch errno {
        case ENOENT, ENOTDIR: FileFault(reason: "does not exist")
        case EACCES, EPERM: FileFault(reason: "may not be read by this user")
        case EISDIR: FileFault(reason: "is a folder")
        default: FileFault(reason: "cannot be read: \(String(cString: strerror(errno)))")
        }
    }
}
