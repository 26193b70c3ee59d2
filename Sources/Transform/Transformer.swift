import Commands
import JSONText

/// Transforms documents for the new schema: runs the steps of the recipe, which are compiled once, on the bytes.
///
/// A document is scanned once and validated. Objects into which the path of a step leads become nodes. All else stays a
/// range of the document's text: it is never parsed and comes out as it was, also several members with the same name.
/// Among nodes, only the last member of a name counts. Steps change nodes and write new text into a scratch buffer. At
/// the end all ranges are copied to the output, in order.
///
/// Each thread needs its own transformer. Its buffers are used again for the next document.
public final class Transformer {
    let program: Program
    let arena = NodeArena()
    let scratch = ByteBuffer(capacity: 4096)
    let keys = ByteBuffer(capacity: 1024)
    let copy = ByteBuffer()
    /// The document without white space, in case it has line ends.
    let compacted = ByteBuffer()
    /// The same for the base of a merge.
    let compactedBase = ByteBuffer()
    /// The pairs of maps that will be flattened, as the scan has collected them.
    let collected = PairList()
    let members = PairList()
    let leaves = PairList()
    let removals = PairList()
    /// The keys of earlier documents, at the top level.
    let rootKeys = KeyMemory()
    let tail = TextTail()
    let latest: LatestMembers
    let knownEnds: KnownEnds

    @exclusivity(unchecked) var document: Bytes
    @exclusivity(unchecked) var base: Bytes
    @exclusivity(unchecked) var ahead = Ahead()
    /// The offset in the output at which the document begins.
    @exclusivity(unchecked) var outputStart = 0
    /// Whether the steps run on a partial document.
    @exclusivity(unchecked) var isMerging = false
    /// The limit `document_growth` of `docs/recipe.md`: how many bytes may be written for one document. A very long key
    /// with a million values would fill the memory otherwise.
    enum Growth {
        /// Always allowed.
        static let least = 64 << 20
        /// So many times the document's own bytes, if that is more.
        static let times = 16
        /// Never more than this.
        static let most = 256 << 20
    }
    /// The limit for the present document.
    @exclusivity(unchecked) var growthLimit = Growth.least
    /// Bytes of a document, so that places in it are numbers of 32 bits.
    static let longestDocument = 1 << 30
    /// The most bytes of each buffer that are kept from document to document.
    static let keptBytes = 1 << 20

    /// The steps must have passed the check of the recipe. A `set` whose value is not JSON sets null.
    public init(_ steps: [TransformStep]) {
        program = Program(steps)
        latest = LatestMembers(names: program.names.count)
        knownEnds = KnownEnds(arena)
        document = Bytes(start: nil, count: 0)
        base = document
    }

    deinit {
        arena.deallocate()
        rootKeys.deallocate()
        tail.deallocate()
        latest.deallocate()
        knownEnds.deallocate()
        for list in [collected, members, leaves, removals] { list.deallocate() }
    }

    /// Appends the transformed document to `out`, as one line of JSON without a line end.
    ///
    /// `document` must be the text of an object and must not be a part of `out`. When it throws, `out` is as before.
    public func apply(_ document: Bytes, into out: ByteBuffer) throws(TransformError) {
        isMerging = false
        try guarded(out, document.count) { () throws(TransformError) in
            let root: Int32
            if let scanned = takeAhead(document) { root = scanned } else { root = try read(document) }
            try runSteps(root)
            if arena[root].step == Node.holdsReserved { try refuseReserved(root) }
            try emit(root, into: out)
        }
    }

    /// Throws when the document has a field of tombstones, because then it would be taken for one.
    @inline(never) func refuseReserved(_ root: Int32) throws(TransformError) {
        for (field, name) in zip(Tombstone.fields, [program.index.reserved.0, program.index.reserved.1])
        where arena.member(of: root, named: name) >= 0 {
            throw TransformError(
                reason: "reserved_field",
                detail: "the document has a field \"\(field)\", which is Crossfade's mark of a deleted document")
        }
    }

    /// Runs `body` and then clears all buffers. When it throws, `out` is as before. `length`: the document's bytes.
    @inline(__always) func guarded(
        _ out: ByteBuffer, _ length: Int, _ body: () throws(TransformError) -> Void
    ) throws(TransformError) {
        let mark = out.count
        outputStart = mark
        growthLimit = min(max(Growth.least, Growth.times &* min(length, Growth.most)), Growth.most)
        defer { forget() }
        do throws(TransformError) {
            try body()
            guard out.count &- mark <= max(growthLimit, length) else { throw tooLong() }
        } catch {
            out.count = mark
            throw error
        }
    }

    func forget() {
        document = Bytes(start: nil, count: 0)
        base = document
        arena.removeAll()
        keys.removeAll(keepingAtMost: Self.keptBytes)
        copy.removeAll(keepingAtMost: Self.keptBytes)
        collected.removeAll()
        members.removeAll()
        leaves.removeAll()
        removals.removeAll()
        scratch.removeAll(keepingAtMost: Self.keptBytes)
        compacted.removeAll(keepingAtMost: Self.keptBytes)
        compactedBase.removeAll(keepingAtMost: Self.keptBytes)
        knownEnds.removeAll()
    }

    @inline(__always) func pointer(_ source: TextSource) -> UnsafePointer<UInt8> {
        switch source {
        case .document: document.baseAddress ?? UnsafePointer(scratch.base)
        case .base: base.baseAddress ?? UnsafePointer(scratch.base)
        case .scratch: UnsafePointer(scratch.base)
        case .constants: UnsafePointer(program.constants.base)
        case .keys: UnsafePointer(keys.base)
        case .copy: UnsafePointer(copy.base)
        }
    }

    @inline(__always) func firstByte(_ range: TextRange) -> UInt8 {
        range.count > 0 ? pointer(range.source)[Int(range.start)] : 0
    }
}
