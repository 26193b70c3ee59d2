import Failures
import Foundation
import Indexing
import JSONText
import Runtime
import SearchCluster
import Synchronization

/// Who reads a slice, and gets its documents. Called on the thread that reads.
package protocol SliceTaker: AnyObject {
    var isStopped: Bool { get }
    /// Documents of the slice. `names`: the page that names them.
    func take(_ part: FetchedDocuments, names: Page, of slice: Int)
    /// The cluster gives documents of the slice, or has given all.
    func isGiven(_ slice: Int)
    /// The slice could not be read to its end, and is to be read again. `pageSize`: documents a page, up to now. False:
    /// it is not read again, and the error stands.
    func failed(_ slice: Int, _ spec: SliceSpec, _ error: ClusterError, _ restart: SliceRestart, pageSize: Int) -> Bool
    /// Forgets all that was taken of the slice. False: the work stops.
    func forget(_ slice: Int) throws -> Bool
}

/// Reads slices of a cluster to their ends, each as often as it takes. What becomes of one that could not be read to
/// its end is decided by ``SliceRestart``.
package final class SliceReader: Sendable {
    package struct Slice: Sendable {
        /// How its taker knows it.
        package var number: Int
        package var spec: SliceSpec
        /// Which documents of the index are read; nil: all.
        package var query: JSONValue?
        /// The most documents that the cluster gives at once.
        package var page: Int

        package init(number: Int, spec: SliceSpec, query: JSONValue?, page: Int) {
            (self.number, self.spec, self.query, self.page) = (number, spec, query, page)
        }
    }

    private let reader: ClusterReader
    private let page: Int
    private let pageBytes: Int
    private let keepAlive: String
    private let readsAhead: Bool
    private let withVersions: Bool
    /// Documents per page, by index.
    private let pageSizes = Mutex<[String: Int]>([:])

    /// - Parameters:
    ///   - page: documents per page at most.
    ///   - pageBytes: bytes that a page aims at. An answer of four times as many is refused, and less is asked for.
    ///   - keepAlive: how long the cluster keeps a scroll between two pages.
    ///   - readsAhead: whether it asks for a page while its taker has the one before it; see ``ScrollOptions``.
    ///   - withVersions: whether the documents come with their `_version`.
    package init(
        _ reader: ClusterReader, page: Int, pageBytes: Int, keepAlive: String, readsAhead: Bool = false,
        withVersions: Bool = true
    ) {
        (self.reader, self.page, self.pageBytes, self.keepAlive) = (reader, page, pageBytes, keepAlive)
        (self.readsAhead, self.withVersions) = (readsAhead, withVersions)
    }

    /// Whether the slice was read to its end; false: the work stops. Throws what stands in the way for good.
    package func read(_ slice: Slice, for taker: some SliceTaker) throws -> Bool {
        var restart = SliceRestart(pageSize: pageSize(slice))
        var random = SystemRandomNumberGenerator()
        while true {
            do throws(ClusterError) {
                let isWhole = try read(slice, &restart, taker)
                taker.isGiven(slice.number)
                return isWhole
            } catch {
                let pageSize = restart.pageSize
                let step = restart.failed(SliceRestart.Trouble(error), using: &random)
                guard case .readAgain(let milliseconds) = step,
                    taker.failed(slice.number, slice.spec, error, restart, pageSize: pageSize)
                else { throw error }
                guard try taker.forget(slice.number), pause(milliseconds, taker) else { return false }
            }
        }
    }

    /// One reading of a slice, from its start.
    private func read(
        _ slice: Slice, _ restart: inout SliceRestart, _ taker: some SliceTaker
    ) throws(ClusterError) -> Bool {
        var options = ScrollOptions(pageSize: restart.pageSize, query: slice.query)
        options.keepAlive = keepAlive
        options.withSources = !restart.readsByID
        (options.readsAhead, options.withVersions) = (readsAhead, withVersions)
        options.answerBytes = restart.pageSize > 1 ? 4 * pageBytes : nil
        let scroll = reader.openScroll(slice.spec, options)
        defer { scroll.close() }
        while let page = try scroll.nextPage() {
            restart.gave(page.hits.count)
            taker.isGiven(slice.number)
            if restart.readsByID {
                try reader.fetch(page, of: slice.spec.index, answerBytes: 4 * pageBytes) { part in
                    taker.take(part, names: page, of: slice.number)
                }
            } else {
                taker.take(.page(page), names: page, of: slice.number)
            }
            guard !taker.isStopped else { return false }
        }
        return true
    }

    private func pause(_ milliseconds: Int, _ taker: some SliceTaker) -> Bool {
        let end = MonotonicClock.milliseconds() + Int64(milliseconds)
        while MonotonicClock.milliseconds() < end, !taker.isStopped { Thread.sleep(forTimeInterval: 0.02) }
        return !taker.isStopped
    }

    /// Documents per page: as many as are wanted, or fewer where they are large. Asked once for each index.
    private func pageSize(_ slice: Slice) -> Int {
        if let known = pageSizes.withLock({ $0[slice.spec.index] }) { return known }
        let average = reader.averageSize(slice.spec.index, query: slice.query) ?? 0
        let size = SliceRestart.pageSize(wanted: min(page, slice.page), average: average, room: pageBytes)
        pageSizes.withLock { $0[slice.spec.index] = size }
        return size
    }
}

extension SliceRestart.Trouble {
    package init(_ error: ClusterError) {
        // A page for which the server has no memory: a smaller one may do.
        if error.serverType == "circuit_breaking_exception" {
            self = .tooLarge
            return
        }
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
