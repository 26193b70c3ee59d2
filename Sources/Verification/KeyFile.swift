import Failures
import Foundation
import JSONText
import Parity

/// Names of documents in a file, so that any number of them needs little memory. A name takes its own bytes and 12
/// more. One thread at a time.
package final class KeyFile {
    private let url: URL
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    package private(set) var count = 0

    /// Makes the file anew.
    package init(_ url: URL) throws {
        self.url = url
        guard FileManager.default.createFile(atPath: url.path, contents: nil, attributes: [.posixPermissions: 0o600])
        else { throw WorkError(.files, "the file \(url.path) cannot be written") }
        handle = try FileHandle(forUpdating: url)
    }

    deinit { try? handle.close() }

    package func remove() { try? FileManager.default.removeItem(at: url) }

    /// - Parameter kind: what is wrong with it; see ``readKinds(chunk:_:)``.
    package func append(_ key: DocumentKey, kind: FindingKind? = nil) throws {
        // The place of an entry never needs the fourth byte.
        let tag = kind.flatMap { FindingKind.allCases.firstIndex(of: $0) }.map { UInt32($0 + 1) } ?? 0
        append(UInt32(truncatingIfNeeded: key.entry) & 0xFF_FFFF | tag << 24)
        append(UInt32(truncatingIfNeeded: key.id.count))
        append(key.routing.map { UInt32(truncatingIfNeeded: $0.count) } ?? .max)
        buffer += key.id
        buffer += key.routing ?? []
        count += 1
        if buffer.count > 1 << 16 { try flush() }
    }

    private func append(_ number: UInt32) {
        withUnsafeBytes(of: number.littleEndian) { buffer += $0 }
    }

    private func flush() throws {
        try handle.seekToEnd()
        try handle.write(contentsOf: buffer)
        buffer.removeAll(keepingCapacity: true)
    }

    /// Gives the names in their order, at most `chunk` at once.
    package func read(chunk: Int, _ body: ([DocumentKey]) throws -> Void) throws {
        try readKinds(chunk: chunk) { try body($0.map(\.key)) }
    }

    /// The same, with what is wrong with each, as far as that was said.
    package func readKinds(chunk: Int, _ body: ([(key: DocumentKey, kind: FindingKind?)]) throws -> Void) throws {
        try flush()
        try handle.seek(toOffset: 0)
        var found: [(key: DocumentKey, kind: FindingKind?)] = []
        var rest: ArraySlice<UInt8> = []
        while let data = try handle.read(upToCount: 1 << 18), !data.isEmpty {
            rest = ArraySlice(rest + data)
            while let one = Self.take(&rest) {
                found.append(one)
                if found.count == chunk {
                    try body(found)
                    found.removeAll(keepingCapacity: true)
                }
            }
        }
        guard rest.isEmpty else { throw WorkError(.files, "the file \(url.path) ends in the middle of a name") }
        if !found.isEmpty { try body(found) }
    }

    private static func take(_ bytes: inout ArraySlice<UInt8>) -> (key: DocumentKey, kind: FindingKind?)? {
        func number(_ place: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[bytes.startIndex + place + $1]) << UInt32(8 * $1) }
        }
        guard bytes.count >= 12 else { return nil }
        let (entry, id, routing) = (number(0), Int(number(4)), number(8))
        let whole = 12 + id + (routing == .max ? 0 : Int(routing))
        guard bytes.count >= whole else { return nil }
        let start = bytes.startIndex + 12
        defer { bytes = bytes.dropFirst(whole) }
        let key = DocumentKey(
            entry: Int(entry & 0xFF_FFFF), id: Array(bytes[start..<start + id]),
            routing: routing == .max ? nil : Array(bytes[start + id..<bytes.startIndex + whole]))
        let kinds = FindingKind.allCases
        let tag = Int(entry >> 24)
        return (key, tag > 0 && tag <= kinds.count ? kinds[tag - 1] : nil)
    }
}

extension KeyFile {
    /// Names that are sorted out together, so that they fit into memory.
    private static let together = 200_000

    /// Gives every name once, in parts that belong to each other by a hash. `folder`: for the parts, which are removed.
    package func distinct(in folder: URL, _ body: (Set<DocumentKey>) throws -> Void) throws {
        let parts = count / Self.together + 1
        let files = try (0..<parts).map { _ in
            try KeyFile(folder.appendingPathComponent("part-\(UUID().uuidString)"))
        }
        defer { for file in files { file.remove() } }
        try read(chunk: 10_000) { keys in
            for key in keys { try files[Int(key.hash64 % UInt64(parts))].append(key) }
        }
        for file in files {
            var keys: Set<DocumentKey> = []
            try file.read(chunk: 10_000) { keys.formUnion($0) }
            if !keys.isEmpty { try body(keys) }
        }
    }
}

extension DocumentKey {
    /// The same for each routing of an id, in every process.
    package var hash64: UInt64 { id.withUnsafeBufferPointer { Self.hash64($0, entry) } }

    package static func hash64(_ id: Bytes, _ entry: Int) -> UInt64 {
        ContentDigest(of: id, seed: UInt64(truncatingIfNeeded: entry)).low
    }
}
