import Commands
import Failures
import Foundation
import Indexing
import JSONText
import Parity
import Pipeline
import Runtime
import SearchCluster

/// One thread that reads slices of one side and reduces their documents, to sums or to what is spilled. The old side is
/// reduced in the form that the copy gives it.
///
/// Everything in it belongs to its thread.
final class SideScan: SliceTaker {
    /// What becomes of the documents.
    enum Pass {
        /// All are summed.
        case sums
        /// Those in differing buckets are spilled.
        case spill(DifferingBuckets, ItemSpill)
    }

    private let side: ParitySide
    private let pass: Pass
    private let board: ScanBoard
    private let pace: RateLimiter
    private let form: CopyForm?
    private let digester: DocumentDigester
    private let document = ByteBuffer(capacity: 16 << 10)
    private let name = ByteBuffer(capacity: 1024)

    // Of the slice that is being read.
    private var entry = 0
    private var sums = BucketSums()
    /// Documents of the present page that are not in the sums yet.
    private var items: [ParityItem] = []
    private var ignored: IgnoredSums
    private var read = ScanBoard.Reading()
    private var reading: UInt32 = 0
    private var trouble: SliceTrouble

    /// - Parameter form: how the copy writes the documents; nil: they are as they are.
    init(
        _ side: ParitySide, _ pass: Pass, _ board: ScanBoard, pace: RateLimiter, form: CopyForm?,
        digester: DocumentDigester, patience: Int64
    ) {
        (self.side, self.pass, self.board, self.pace) = (side, pass, board, pace)
        (self.form, self.digester) = (form, digester)
        ignored = IgnoredSums(columns: board.ignoredColumns)
        trouble = SliceTrouble(patience: patience)
    }

    /// The body of the thread: reads slices until none is left.
    func run(_ reader: SliceReader) {
        while !isStopped, let slice = board.take(side) {
            entry = slice.entry
            trouble.begin()
            begin()
            do {
                guard try reader.read(slice.part, for: self) else { return }
                if case .spill(_, let spill) = pass { spill.finish(reading) }
                board.finished(slice.part.number, read, sums, ignored)
            } catch let error as ClusterError {
                board.unread(slice.part, side, error)
            } catch {
                board.failed(error)
            }
        }
    }

    private func begin() {
        sums.removeAll()
        items.removeAll(keepingCapacity: true)
        ignored.removeAll()
        read = ScanBoard.Reading()
        read.began = WallClock.now()
        if case .spill(_, let spill) = pass { reading = spill.begin() }
    }

    // MARK: SliceTaker

    var isStopped: Bool { StopSignal.isAsked || board.isStopped }

    func take(_ part: FetchedDocuments, names: Page, of slice: Int) {
        do {
            switch part {
            case .page(let page):
                pace.wait(documents: page.hits.count, bytes: page.sourceBytes)
                try withExtendedLifetime(page) { for hit in page.hits { try take(hit, of: page) } }
                board.read(side, page.hits.count)
                sum()
            case .gone: break
            case .unreadable(let hit, let text, _):
                try take(unreadable: hit, text ?? [], of: names)
                sum()
            }
        } catch {
            board.failed(error)
        }
    }

    private func sum() {
        sums.add(items)
        items.removeAll(keepingCapacity: true)
    }

    func isGiven(_ slice: Int) { trouble.isGiven() }

    func failed(
        _ slice: Int, _ spec: SliceSpec, _ error: ClusterError, _ restart: SliceRestart, pageSize: Int
    ) -> Bool {
        let goesOn =
            trouble.failed(waits: restart.waits, now: MonotonicClock.milliseconds())
            && !(restart.waits && board.hasGivenUp(side))
        if goesOn { board.readsAgain(spec, side, error) }
        return goesOn
    }

    func forget(_ slice: Int) -> Bool {
        board.read(side, -read.documents - read.uncopied - read.others)
        begin()
        return !isStopped
    }

    // MARK: Documents

    private func take(_ hit: Hit, of page: Page) throws {
        let source = page.bytes(hit.source)
        guard let form else {
            guard !Tombstone.isOne(source) else { return }
            name.removeAll()
            append(page.bytes(hit.id))
            let end = name.count
            if let routing = hit.routing { append(page.bytes(routing)) }
            let routing = hit.routing == nil ? nil : name.slice(end..<name.count)
            return try add(source, id: name.slice(0..<end), routing: routing)
        }
        // One whose text is broken is rejected below, as by the copy.
        if (try? form.takes(hit, of: page, entry: entry)) == false {
            read.others += 1
            return
        }
        document.removeAll(keepingAtMost: 1 << 20)
        let written: (id: Bytes, routing: Bytes?, version: Int64)
        do throws(Reject) {
            written = try form.write(hit, of: page, entry: entry, into: document)
        } catch {
            read.uncopied += 1
            return
        }
        try add(document.bytes, id: written.id, routing: written.routing)
    }

    /// A document whose stored text is not JSON. The copy makes a dead letter of it.
    private func take(unreadable hit: Hit, _ text: [UInt8], of names: Page) throws {
        guard form == nil else {
            read.uncopied += 1
            return
        }
        name.removeAll()
        append(names.bytes(hit.id))
        try text.withUnsafeBufferPointer { try add($0, id: name.bytes, routing: nil) }
    }

    private func append(_ quoted: Bytes) {
        if (try? JSONString.unescape(quoted, into: name)) == nil {
            name.append(Bytes(rebasing: quoted.dropFirst().dropLast()))
        }
    }

    private func add(_ text: Bytes, id: Bytes, routing: Bytes?) throws {
        read.documents += 1
        switch pass {
        case .sums:
            let item = digester.item(text, entry: entry, id: id, routing: routing)
            items.append(item)
            if ignored.columns > 0 { ignored.add(item.hash, digester.ignoredValues, entry: entry) }
        case .spill(let buckets, let spill):
            guard buckets.contains(ParityItem.hash(of: id, entry: entry)) else { return }
            let item = digester.item(text, entry: entry, id: id, routing: routing)
            try spill.append(item, side, reading: reading, entry: entry, id: id, routing: routing)
        }
    }
}

/// When a slice is given up.
struct SliceTrouble {
    /// How long nothing may come, in milliseconds.
    let patience: Int64
    /// How often a slice may break off that does give pages.
    static let mostBreaks = 4
    private var breaks = 0
    private var hasGiven = false
    private var since: Int64?

    init(patience: Int64) { self.patience = patience }

    mutating func begin() { (breaks, hasGiven, since) = (0, false, nil) }

    mutating func isGiven() { (hasGiven, since) = (true, nil) }

    /// Whether the slice is read once more. `waits`: in the same way as before, rather than in a more careful one.
    mutating func failed(waits: Bool, now: Int64) -> Bool {
        guard waits else { return true }
        if hasGiven {
            hasGiven = false
            breaks += 1
        }
        let start = since ?? now
        since = start
        return breaks < Self.mostBreaks && now - start < patience
    }
}
