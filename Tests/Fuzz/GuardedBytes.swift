import Foundation
import JSONText

/// Memory that ends before a page that nobody may read: what reads past the end of an input stops the process, also
/// where AddressSanitizer does not look (the loads of CBytes).
final class GuardedBytes {
    private let start: UnsafeMutableRawPointer
    private let room: Int

    init(room: Int) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        self.room = (room + page - 1) / page * page
        guard
            let start = mmap(nil, self.room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            start != MAP_FAILED, mprotect(start + self.room, page, PROT_NONE) == 0
        else { fatalError("no memory for a guard page") }
        self.start = start
    }

    /// Calls `body` with a copy that ends at the guard page.
    func with<Answer>(_ bytes: [UInt8], _ body: (Bytes) throws -> Answer) rethrows -> Answer {
        guard bytes.count <= room else { return try bytes.withUnsafeBufferPointer { try body($0) } }
        let copy = start + (room - bytes.count)
        bytes.withUnsafeBytes { copy.copyMemory(from: $0.baseAddress ?? UnsafeRawPointer(copy), byteCount: $0.count) }
        return try body(Bytes(start: copy.assumingMemoryBound(to: UInt8.self), count: bytes.count))
    }
}
