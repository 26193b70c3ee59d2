import Foundation

/// Why a file could not be read, as a clause that follows its name.
struct FileFault: Error, Equatable {
    var reason: String
}

/// Reads the files that a recipe names; relative paths begin at the recipe's own folder.
struct RecipeFiles: Sendable {
    /// Bytes of a file put in place of `${file:...}`.
    static let maxSubstituted = 1 << 20
    /// Bytes of a mapping or of settings.
    static let maxJSON = 64 << 20

    let directory: String

    /// For the files of the recipe at `path`.
    init(besides path: String) {
        directory = path.lastIndex(of: "/").map { String(path[...$0]) } ?? ""
    }

    func resolve(_ path: String) -> String { path.hasPrefix("/") ? path : directory + path }

    func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        try Self.read(resolve(path), limit: limit)
    }

    static func read(_ path: String, limit: Int) throws(FileFault) -> [UInt8] {
        guard !path.utf8.contains(0) else { throw FileFault(reason: "is not a path") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw fault() }
        defer { close(descriptor) }
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
            guard bytes.count <= limit else { throw FileFault(reason: "is larger than \(limit) bytes") }
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
