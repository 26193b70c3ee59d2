import Failures
import Foundation
import Indexing
import Runtime
import SearchCluster

/// Reading the slices, and handing their documents to the pipeline.
extension CopyFeed: SliceTaker {
    package var isStopped: Bool { StopSignal.isAsked || pipeline.failure.isSet }

    func readSlices(_ slices: SliceReader) {
        while !isStopped {
            guard let number = lock.withLock({ copy.take() }) else { return }
            do {
                if try slices.read(try part(number), for: self) { pipeline.ledger.markReadToEnd(Int32(number)) }
            } catch {
                let failed = error as? ClusterError
                let slice = self.slices[number]
                pipeline.failure.set(
                    WorkError(
                        .cluster,
                        "the copy of index \(slice.index), slice \(slice.spec), stopped: "
                            + "\(failed?.message ?? "\(error)"). Finished slices are kept: start `copy` again to go on",
                        underlying: failed?.underlying))
            }
        }
    }

    private func part(_ number: Int) throws -> SliceReader.Slice {
        let slice = slices[number]
        guard let spec = SliceSpec(index: slice.index, text: slice.spec) else {
            throw WorkError(.state, "the state names a slice \(slice.spec) that this version does not know")
        }
        return SliceReader.Slice(number: number, spec: spec, query: slice.query, page: slice.page)
    }

    package func take(_ part: FetchedDocuments, names: Page, of number: Int) {
        guard !isStopped else { return }
        var bytes = 0
        if case .page(let page) = part { bytes = page.sourceBytes }
        pace.wait(documents: part.count, bytes: bytes)
        while pipeline.isFull, !isStopped { Thread.sleep(forTimeInterval: 0.005) }
        guard !isStopped, let first = lock.withLock({ copy.returned(part.count, of: number) }),
            let run = pipeline.ledger.open(
                Int32(number), first: Int64(first), next: Int64(first + part.count), count: part.count)
        else { return }
        switch part {
        case .page(let page): pipeline.feed(PageChunk(run: run, page: page, entry: slices[number].entry))
        case .gone(let count): pipeline.ledger.settle(run, .gone, count)
        case .unreadable(let hit, let text, let why):
            pipeline.deadLetters.send(
                names, hit, run: run, reason: "unreadable_source",
                detail: "\(why); \(text == nil ? "nothing of it is kept" : "it is kept here byte by byte"). "
                    + "A redrive cannot write it: write the document again with a command, as JSON",
                version: 0, text: text ?? [])
        }
    }

    // MARK: Trouble

    /// An outage of the source is waited out without limit.
    package func failed(
        _ number: Int, _ spec: SliceSpec, _ error: ClusterError, _ restart: SliceRestart, pageSize: Int
    ) -> Bool {
        guard restart.waits else {
            let how =
                restart.pageSize < pageSize
                ? "\(restart.pageSize) documents a page, not \(pageSize)" : "its documents one by one, by their ids"
            pipeline.events.sliceReadOtherwise("\(spec)", how, because: error.message)
            return true
        }
        let isFirst = troubles.withLock { troubles in
            defer { troubles[number] = "the source: \(error.message)" }
            return troubles.isEmpty
        }
        if isFirst { pipeline.events.sourceIsAway("\(spec)", because: error.message) }
        return true
    }

    package func isGiven(_ number: Int) {
        let isLast = troubles.withLock { $0.removeValue(forKey: number) != nil && $0.isEmpty }
        if isLast { pipeline.events.sourceIsBack() }
    }

    /// Waits until all that was read of the slice has its outcome, and forgets it.
    package func forget(_ number: Int) throws -> Bool {
        while pipeline.ledger.unsettled(in: [Int32(number)]) > 0 {
            guard !isStopped else { return false }
            pipeline.flush()
            Thread.sleep(forTimeInterval: 0.01)
        }
        guard pipeline.ledger.readAgain(Int32(number)) else { return false }
        pipeline.deadLetters.readAgain(Int32(number))
        pipeline.sink.readAgain(Int32(number))
        lock.withLock { copy.readAgain(number) }
        return true
    }
}
