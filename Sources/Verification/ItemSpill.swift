import Failures
import Foundation
import JSONText
import Parity

/// Documents in differing buckets, on disk, in parts by the hash of their ids. One part at a time is read back, so
/// memory does not grow with the number of documents.
///
/// `@unchecked Sendable` because everything is touched only under `lock`.
final class ItemSpill: @unchecked Sendable {
    /// Bytes that a part aims at, and the most parts. Beyond 96 GB the parts get larger.
    static let partBytes = 24 << 20
    static let mostParts = 4096
    /// Memory of the buffers of all parts.
    private static let bufferBytes = 16 << 20

    private let folder: URL
    private let lock = NSLock()
    private let buffers: [ByteBuffer]
    private let room: Int
    private var finished: Set<UInt32> = []
    private var lastReading: UInt32 = 0
    /// Documents that were spilled.
    private var count = 0

    /// - Parameter bytes: about how many bytes will be spilled.
    init(_ folder: URL, bytes: Int64) throws {
        self.folder = folder
        let parts = Int(min(Int64(Self.mostParts), max(1, bytes / Int64(Self.partBytes) + 1)))
        room = min(256 << 10, Self.bufferBytes / parts)
        buffers = (0..<parts).map { [room] _ in ByteBuffer(capacity: room + 1024) }
        remove()
    }

    private func url(_ part: Int) -> URL { folder.appendingPathComponent("differing-\(part)") }

    /// What a killed scan has left behind goes, too.
    func remove() {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        for name in names where name.hasPrefix("differing-") {
            try? FileManager.default.removeItem(at: folder.appendingPathComponent(name))
        }
    }

    /// A number for a new reading of a slice. What it appends counts only when it is finished.
    func begin() -> UInt32 {
        lock.withLock {
            lastReading += 1
            return lastReading
        }
    }

    func finish(_ reading: UInt32) { _ = lock.withLock { finished.insert(reading) } }

    func append(
        _ item: ParityItem, _ side: ParitySide, reading: UInt32, entry: Int, id: Bytes, routing: Bytes?
    ) throws {
        // The bucket is in the upper bits.
        let part = Int(item.hash % UInt64(buffers.count))
        try lock.withLock {
            SpilledItems.append(
                item, side, reading: reading, entry: entry, id: id, routing: routing, to: buffers[part])
            count += 1
            if buffers[part].count >= room { try flush(part) }
        }
    }

    private func flush(_ part: Int) throws {
        let buffer = buffers[part]
        guard buffer.count > 0 else { return }
        let path = url(part).path
        let file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw Self.error(path) }
        defer { Foundation.close(file) }
        var at = 0
        while at < buffer.count {
            let written = write(file, buffer.base + at, buffer.count - at)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.error(path) }
            at += written
        }
        buffer.removeAll(keepingAtMost: room + 1024)
    }

    private static func error(_ path: String) -> WorkError {
        WorkError(
            .files,
            "the verification cannot write \(path): it needs room for the documents that differ; "
                + "`verify.folder` says where", underlying: String(cString: strerror(errno)))
    }

    /// The documents that differ, part by part. No thread may append any more.
    func differing(_ found: (SpilledItems.Difference) throws -> Void) throws {
        for part in buffers.indices {
            try lock.withLock { try flush(part) }
            guard let data = try? Data(contentsOf: url(part)) else { continue }
            let isWhole = try data.withUnsafeBytes {
                try SpilledItems.differing(
                    in: $0.bindMemory(to: UInt8.self), counts: { finished.contains($0) }, found: found)
            }
            guard isWhole else {
                throw WorkError(.files, "the file \(url(part).path) was changed while it was in use")
            }
            try? FileManager.default.removeItem(at: url(part))
        }
    }
}
