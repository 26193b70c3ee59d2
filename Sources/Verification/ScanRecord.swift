import Failures
import Foundation
import JSONText
import Parity
import SearchCluster

/// A slice of one side as a scan knows it.
package struct ScanSlice: Sendable, Equatable {
    package var side: ParitySide
    /// Index into the entries of the survey.
    package var entry: Int
    package var spec: SliceSpec
    /// Read to its end, with its documents in the sums.
    package var isDone = false
    /// Documents that were compared; of the source, those that the copy writes.
    package var documents = 0
    /// Documents of the source that cannot be copied: the copy made dead letters of them.
    package var uncopied = 0
    /// Documents of the source that belong to other entries (`select`).
    package var others = 0
    /// When its reading began, in milliseconds since 1970.
    package var began: Int64 = 0

    package init(side: ParitySide, entry: Int, spec: SliceSpec) {
        (self.side, self.entry, self.spec) = (side, entry, spec)
    }
}

/// What a killed scan needs to go on: which slices it has read, their sums, and what its first start had noted. It is
/// one file, written anew and renamed each time.
struct ScanRecord: Equatable {
    /// Of all that decides what is compared. A record with another one is of no use.
    var digest: String
    /// What the first start noted about the log.
    var begun: JSONValue
    var slices: [ScanSlice]
    var source = BucketSums()
    var target = BucketSums()
    /// What the sides have at ignored paths.
    var ignored: [IgnoredSums]

    private static let mark = "crossfade scan 1\n"

    /// - Parameter columns: of ignored paths; see ``IgnoredSums``.
    init(digest: String, begun: JSONValue, slices: [ScanSlice], columns: Int) {
        (self.digest, self.begun, self.slices) = (digest, begun, slices)
        ignored = ParitySide.allCases.map { _ in IgnoredSums(columns: columns) }
    }

    // MARK: File

    /// nil: there is none, it is of another scan, or it is damaged. Then everything is read.
    static func load(_ url: URL, digest: String) -> ScanRecord? {
        guard let data = try? Data(contentsOf: url) else { return nil }
        let record = data.withUnsafeBytes { ScanRecord($0.bindMemory(to: UInt8.self)) }
        return record?.digest == digest ? record : nil
    }

    func save(_ url: URL) throws {
        let body = encoded()
        let draft = url.appendingPathExtension("new")
        do {
            try withExtendedLifetime(body) {
                try Data(bytesNoCopy: body.base, count: body.count, deallocator: .none).write(to: draft)
            }
            guard rename(draft.path, url.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
        } catch {
            throw WorkError(
                .files, "the progress of the verification cannot be written to \(url.path)", underlying: "\(error)")
        }
    }

    // MARK: Form

    private func encoded() -> ByteBuffer {
        let head = ByteBuffer()
        JSONValue.object([
            "digest": .string(digest), "begun": begun, "slices": .array(slices.map(\.json)),
            "columns": .number(ignored[0].columns),
        ]).write(into: head)
        let body = ByteBuffer(capacity: 2 * BucketSums.size * 24 + head.count + 64)
        body.append(Self.mark)
        body.append(decimal: Int64(head.count))
        body.append("\n")
        withExtendedLifetime(head) { body.append(head.bytes) }
        for sums in [source, target] {
            sums.buckets.withUnsafeBytes { body.append($0.bindMemory(to: UInt8.self)) }
        }
        for sums in ignored {
            sums.sums.withUnsafeBytes { body.append($0.bindMemory(to: UInt8.self)) }
        }
        let check = ContentDigest(of: body.bytes)
        withUnsafeBytes(of: check) { body.append($0.bindMemory(to: UInt8.self)) }
        return body
    }

    private init?(_ bytes: Bytes) {
        let check = MemoryLayout<ContentDigest>.stride
        guard bytes.count > check, bytes.starts(with: Self.mark.utf8) else { return nil }
        let text = Bytes(rebasing: bytes.dropLast(check))
        let isWhole = withUnsafeBytes(of: ContentDigest(of: text)) { $0.elementsEqual(bytes.suffix(check)) }
        guard isWhole else { return nil }
        let behind = text.dropFirst(Self.mark.utf8.count)
        guard let newline = behind.firstIndex(of: UInt8(ascii: "\n")),
            let count = OutsideNumber.size(text: String(decoding: behind[..<newline], as: UTF8.self)), count >= 0,
            count <= text.count - newline - 1
        else { return nil }
        let head = Bytes(rebasing: text[(newline + 1)..<(newline + 1 + count)])
        guard let json = try? JSONValue(parsing: head), let digest = json["digest"]?.string, let begun = json["begun"],
            let slices = json["slices"]?.array, let columns = json["columns"]?.size,
            0...IgnoredSums.mostColumns ~= columns
        else { return nil }
        (self.digest, self.begun) = (digest, begun)
        self.slices = slices.compactMap { ScanSlice($0) }
        var rest = text.dropFirst(newline + 1 + count)
        guard self.slices.count == slices.count, let source = Self.sums(&rest), let target = Self.sums(&rest) else {
            return nil
        }
        (self.source, self.target) = (source, target)
        ignored = []
        for _ in ParitySide.allCases {
            guard let sums = Self.take(UInt64.self, columns * IgnoredSums.size, &rest),
                let ignored = IgnoredSums(columns: columns, sums: sums)
            else { return nil }
            self.ignored.append(ignored)
        }
        guard rest.isEmpty else { return nil }
    }

    private static func sums(_ rest: inout Slice<Bytes>) -> BucketSums? {
        take(BucketSums.Bucket.self, BucketSums.size, &rest).flatMap { BucketSums($0) }
    }

    private static func take<T: BitwiseCopyable>(_ type: T.Type, _ count: Int, _ rest: inout Slice<Bytes>) -> [T]? {
        let size = count * MemoryLayout<T>.stride
        guard rest.count >= size else { return nil }
        defer { rest = rest.dropFirst(size) }
        return Array(unsafeUninitializedCapacity: count) { buffer, filled in
            UnsafeMutableRawBufferPointer(buffer).copyBytes(from: rest.prefix(size))
            filled = count
        }
    }
}

extension ScanSlice {
    fileprivate var json: JSONValue {
        [
            "side": .string("\(side)"), "entry": .number(entry), "index": .string(spec.index),
            "kind": .string(spec.kind.rawValue), "number": .number(spec.number), "of": .number(spec.of),
            "done": .bool(isDone), "documents": .number(documents), "uncopied": .number(uncopied),
            "others": .number(others), "began": .number(began),
        ]
    }

    fileprivate init?(_ json: JSONValue) {
        func number(_ name: String) -> Int? { json[name]?.size }
        guard let side = ParitySide.allCases.first(where: { "\($0)" == json["side"]?.string }),
            let index = json["index"]?.string, let kind = json["kind"]?.string.flatMap(SliceSpec.Kind.init(rawValue:)),
            let entry = number("entry"), let place = number("number"), let of = number("of"),
            let documents = number("documents"), let uncopied = number("uncopied"), let isDone = json["done"]?.bool,
            let began = json["began"]?.time
        else { return nil }
        self.init(side: side, entry: entry, spec: SliceSpec(index: index, kind: kind, number: place, of: of))
        (self.isDone, self.documents, self.uncopied, self.began) = (isDone, documents, uncopied, began)
        others = number("others") ?? 0
    }
}
