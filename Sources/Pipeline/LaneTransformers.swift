import Commands
import Indexing
import JSONText
import Transform

/// The transform of each entry, in the form that key lanes call.
package final class LaneTransformers: LaneTransform {
    private let transformers: [Transformer]
    private let modes: [MergeMode]
    private let steps: [[TransformStep]]
    private let unavailable: UnavailableColumns
    private let out = ByteBuffer(capacity: 4096)

    package init(_ entries: [PipelinePlan.Entry], placeholder: String) {
        transformers = entries.map { Transformer($0.transform) }
        modes = entries.map(\.merge)
        steps = entries.map(\.transform)
        unavailable = UnavailableColumns(placeholder: placeholder)
    }

    package func apply(entry: Int, document: [UInt8]) throws(LaneError) -> [UInt8] {
        try collect { transformers, out throws(TransformError) in
            try document.withUnsafeBufferPointer { bytes throws(TransformError) in
                try transformers[entry].apply(bytes, into: out)
            }
        }
    }

    package func merge(entry: Int, base: [UInt8]?, partial: [UInt8]) throws(LaneError) -> [UInt8] {
        let mode = modes[entry]
        return try collect { transformers, out throws(TransformError) in
            try partial.withUnsafeBufferPointer { part throws(TransformError) in
                guard let base else {
                    return try transformers[entry].merge(base: nil, partial: part, mode: mode, into: out)
                }
                try base.withUnsafeBufferPointer { bytes throws(TransformError) in
                    try transformers[entry].merge(base: bytes, partial: part, mode: mode, into: out)
                }
            }
        }
    }

    package func keep(entry: Int, base: [UInt8], row: [UInt8]) throws(LaneError) -> [UInt8] {
        let steps = steps[entry]
        return try collect { transformers, out throws(TransformError) in
            try row.withUnsafeBufferPointer { row throws(TransformError) in
                try base.withUnsafeBufferPointer { base throws(TransformError) in
                    try transformers[entry].replace(
                        base: base, with: row, keeping: unavailable, steps: steps, into: out)
                }
            }
        }
    }

    private func collect(
        _ body: ([Transformer], ByteBuffer) throws(TransformError) -> Void
    ) throws(LaneError) -> [UInt8] {
        out.removeAll(keepingAtMost: 1 << 20)
        do throws(TransformError) {
            try body(transformers, out)
        } catch {
            throw LaneError(reason: error.reason, detail: error.detail)
        }
        return Array(out.bytes)
    }
}
