import Commands
import Indexing
import JSONText
import Transform

/// The product's decoder and transformers, made once per thread, and buffers.
final class Tools {
    /// By layout, and what they need to copy documents.
    let decoders: [CommandDecoder]
    let copyRoutings: [CopyRouting]
    /// The keys of records, by id.
    let keys: [[UInt8]]
    let transformer: Transformer
    let lane = LaneTool()
    let log = ByteBuffer(capacity: 8192)
    let out = ByteBuffer(capacity: 1024)
    let scratch = ByteBuffer(capacity: 1024)

    static let steps: [TransformStep] = [.keyToValue(KeyToValue(field: JSONPath(names: ["tags"])))]

    init() {
        transformer = Transformer(Self.steps)
        let formats = Layout.allCases.map(\.format)
        // The decoder scans the document as it passes, as in the workers.
        decoders = formats.map { [transformer] in CommandDecoder($0, scanner: transformer) }
        copyRoutings = formats.map { CopyRouting($0) }
        keys = (UInt8(0)..<8).map { Array("{\"id\":\"\(UnicodeScalar(UInt8(ascii: "a") + $0))\"}".utf8) }
    }

    /// In target form; nil when the transform refuses it.
    func transformed(_ document: Bytes) -> [UInt8]? {
        out.removeAll()
        do { try transformer.apply(document, into: out) } catch { return nil }
        return Array(out.bytes)
    }

    /// In source form.
    func source(_ document: Document) -> [UInt8] {
        scratch.removeAll()
        document.write(into: scratch)
        return Array(scratch.bytes)
    }
}

/// The product's transform, in the form that key lanes want.
final class LaneTool: LaneTransform {
    private let transformer = Transformer(Tools.steps)
    private let out = ByteBuffer(capacity: 1024)

    func apply(entry: Int, document: [UInt8]) throws(LaneError) -> [UInt8] {
        out.removeAll()
        do throws(TransformError) {
            try document.withUnsafeBufferPointer { bytes throws(TransformError) in
                try transformer.apply(bytes, into: out)
            }
        } catch {
            throw LaneError(reason: error.reason, detail: error.detail)
        }
        return Array(out.bytes)
    }

    func merge(entry: Int, base: [UInt8]?, partial: [UInt8]) throws(LaneError) -> [UInt8] {
        out.removeAll()
        do throws(TransformError) {
            try partial.withUnsafeBufferPointer { part throws(TransformError) in
                guard let base else {
                    return try transformer.merge(base: nil, partial: part, mode: .deep, into: out)
                }
                try base.withUnsafeBufferPointer { bytes throws(TransformError) in
                    try transformer.merge(base: bytes, partial: part, mode: .deep, into: out)
                }
            }
        } catch {
            throw LaneError(reason: error.reason, detail: error.detail)
        }
        return Array(out.bytes)
    }
}
