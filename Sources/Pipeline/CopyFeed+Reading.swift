import Failures
import Foundation
import Indexing
import Runtime
import SearchCluster

/// Reading the slices. What becomes of one that could not be read to its end is decided by ``SliceRestart``.
extension CopyFeed {
    private var isStopped: Bool { StopSignal.isAsked || pipeline.failure.isSet }

    func readSlices() {
        while !isStopped {
            guard let number = lock.withLock({ copy.take() }) else { return }
            do {
                try read(number)
            } catch {
                let failed = error as? ClusterError
                pipeline.failure.set(
                    WorkError(
                        .cluster,
                        "the copy of index \(slices[number].index), slice \(slices[number].spec), stopped: "
                            + "\(failed?.message ?? "\(error)"). Finished slices are kept: start `copy` again to go on",
                        underlying: failed?.underlying))
            }
        }
    }

    /// Reads a slice to its end, as often as it takes.
    private func read(_ number: Int) throws {
        let slice = slices[number]
        guard let spec = SliceSpec(index: slice.index, text: slice.spec) else {
            throw WorkError(.state, "the state names a slice \(slice.spec) that this version does not know")
        }
        var restart = SliceRestart(pageSize: pageSize(slice))
        var random = SystemRandomNumberGenerator()
        while true {
            do throws(ClusterError) {
                try read(number, slice, spec, &restart)
                return settled(number)
            } catch {
                let pageSize = restart.pageSize
                let step = restart.failed(SliceRestart.Trouble(error), using: &random)
                guard case .readAgain(let milliseconds) = step else { throw error }
                tell(number, spec, error, restart, pageSize: pageSize)
                guard try drain(number) else { return }
                guard pause(milliseconds) else { return }
            }
        }
    }

    /// One reading of a slice, from its start.
    private func read(
        _ number: Int, _ slice: Slice, _ spec: SliceSpec, _ restart: inout SliceRestart
    ) throws(ClusterError) {
        var options = ScrollOptions(pageSize: restart.pageSize, query: slice.query)
        options.keepAlive = self.options.keepAlive
        options.withSources = !restart.readsByID
        options.answerBytes = restart.pageSize > 1 ? 4 * pageBytes : nil
        let scroll = reader.openScroll(spec, options)
        defer { scroll.close() }
        while let page = try scroll.nextPage() {
            restart.gave(page.hits.count)
            settled(number)
            if restart.readsByID {
                try reader.fetch(page, of: slice.index, answerBytes: 4 * pageBytes) { part in
                    take(part, names: page, number, slice)
                }
            } else {
                take(.page(page), names: page, number, slice)
            }
            guard !isStopped else { return }
        }
        pipeline.ledger.markReadToEnd(Int32(number))
    }

    private func take(_ part: FetchedDocuments, names: Page, _ number: Int, _ slice: Slice) {
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
        case .page(let page): pipeline.feed(PageChunk(run: run, page: page, entry: slice.entry))
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

    private func tell(
        _ number: Int, _ spec: SliceSpec, _ error: ClusterError, _ restart: SliceRestart, pageSize: Int
    ) {
        guard restart.waits else {
            let how =
                restart.pageSize < pageSize
                ? "\(restart.pageSize) documents a page, not \(pageSize)" : "its documents one by one, by their ids"
            return pipeline.events.sliceReadOtherwise("\(spec)", how, because: error.message)
        }
        let isFirst = troubles.withLock { troubles in
            defer { troubles[number] = "the source: \(error.message)" }
            return troubles.isEmpty
        }
        if isFirst { pipeline.events.sourceIsAway("\(spec)", because: error.message) }
    }

    /// The source gives documents of the slice.
    private func settled(_ number: Int) {
        let isLast = troubles.withLock { $0.removeValue(forKey: number) != nil && $0.isEmpty }
        if isLast { pipeline.events.sourceIsBack() }
    }

    /// Waits until all that was read of the slice has its outcome, and forgets it. False: the work stops.
    private func drain(_ number: Int) throws -> Bool {
        while pipeline.ledger.unsettled(in: [Int32(number)]) > 0 {
            guard !isStopped else { return false }
            pipeline.flush()
            Thread.sleep(forTimeInterval: 0.01)
        }
        guard pipeline.ledger.readAgain(Int32(number)) else { return false }
        pipeline.deadLetters.readAgain(Int32(number))
        lock.withLock { copy.readAgain(number) }
        return true
    }

    private func pause(_ milliseconds: Int) -> Bool {
        let end = MonotonicClock.milliseconds() + Int64(milliseconds)
        while MonotonicClock.milliseconds() < end, !isStopped { Thread.sleep(forTimeInterval: 0.02) }
        return !isStopped
    }

    // MARK: Size

    /// Documents per page: as many as the recipe says, or fewer where they are large. Asked once for each index.
    private func pageSize(_ slice: Slice) -> Int {
        if let known = pageSizes.withLock({ $0[slice.index] }) { return known }
        let average = reader.averageSize(slice.index, query: slice.query) ?? 0
        let size = SliceRestart.pageSize(wanted: min(options.page, slice.page), average: average, room: pageBytes)
        pageSizes.withLock { $0[slice.index] = size }
        return size
    }
}

extension SliceRestart.Trouble {
    package init(_ error: ClusterError) {
        self =
            switch error.code {
            case .unreachable, .timedOut, .unavailable: .away
            case .scrollExpired: .expired
            case .partialAnswer: .partial
            case .unreadableDocument: .unreadable
            case .tooLarge: .tooLarge
            // What a proxy says while the cluster is away.
            case .malformedAnswer: error.status.map { 300..<400 ~= $0 } == true ? .refused : .away
            case .unauthorized, .forbidden, .notFound, .indexClosed: .refused
            case .tls: error.retriable ? .away : .lasting
            case .badRequest, .conflict, .unsupported, .noSource, .configuration, .closed: .lasting
            }
    }
}
