import Glibc
import JSONText

/// Reads one slice page by page. It blocks its thread and must not be shared between threads.
///
/// It gives every document of the slice as it was when the scroll began, or it throws. It throws for a page with failed
/// shards, for a page that timed out, and for an end that comes before as many documents as the server announced. The
/// count also finds a page that is lost because curl sent its request twice: a scroll gives each page only once.
package final class ScrollReader {
    package let slice: SliceSpec
    private let transport: ReadOnlyTransport
    private let capabilities: Capabilities
    private let options: ScrollOptions
    /// The name of the index as a JSON string, as servers write it.
    private let name: [UInt8]
    private var scrollID: String?
    private var started = false
    private var finished = false
    /// Nil: a page is asked for when it is needed.
    private let ahead: PagesAhead?
    /// How many documents the slice has, as the server announced; nil before the first page.
    package private(set) var total: Int64?
    /// How many documents were given so far.
    package private(set) var delivered: Int64 = 0

    /// With a cold disk a page may take a server long.
    private static let pageTimeoutSeconds = 300.0

    init(transport: ReadOnlyTransport, capabilities: Capabilities, slice: SliceSpec, _ options: ScrollOptions) {
        (self.transport, self.capabilities, self.slice, self.options) = (transport, capabilities, slice, options)
        name = Array(JSONValue.string(slice.index).text().utf8)
        ahead =
            options.readsAhead
            ? PagesAhead(
                recycle: { transport.recycle($0) },
                send: { id, completion in
                    let (call, body) = Self.next(id, capabilities, options)
                    transport.submit(
                        call, body: body, timeoutSeconds: Self.pageTimeoutSeconds, answerBytes: options.answerBytes,
                        completion: completion)
                }) : nil
    }

    deinit { close() }

    /// The next page, which is never empty; nil at the end. After an error the slice must be read again from its start.
    package func nextPage() throws(ClusterError) -> Page? {
        guard !finished else { return nil }
        while true {
            let first = !started
            let answer: HTTPResponse
            do throws(ClusterError) {
                answer = try ask()
            } catch {
                guard first, saysUnmapped(error), try isEmpty() else { throw error }
                finished = true
                return nil
            }
            started = true
            let page = try read(answer)
            try checkCount(page, answer)
            if !page.hits.isEmpty {
                delivered += Int64(page.hits.count)
                if let total, delivered > total { throw miscounted(total) }
                if let id = scrollID { ahead?.ask(id) }
                return page
            }
            // The first answer of a scan holds no documents, only the scroll id.
            if first, capabilities.slicing == .shardScan { continue }
            try end()
            return nil
        }
    }

    /// Frees the server's scroll context. The end of the slice and `deinit` do the same.
    package func close() {
        finished = true
        guard let id = scrollID else { return }
        scrollID = nil
        ahead?.close()
        let plain = capabilities.scrollBody == .plainText
        let body = plain ? RequestPath.body(text: id) : RequestPath.body(["scroll_id": [.string(id)]])
        // Nobody waits for the answer or checks it: the server drops the context itself when its time is over.
        let transport = transport
        transport.submit(.clearScroll(plainText: plain), body: body, timeoutSeconds: 10) { result in
            if case .success(let answer) = result { transport.recycle(answer.body) }
        }
    }

    /// An index that never had a document has no field by which some versions slice it.
    private func saysUnmapped(_ error: ClusterError) -> Bool {
        ["field _uid not found", "field _id not found"].contains { error.underlying?.contains($0) == true }
    }

    private func isEmpty() throws(ClusterError) -> Bool {
        let answer = try transport.tree(
            .count(index: slice.index), doing: "counting \(slice.index)", index: slice.index)
        return answer["count"]?.count == 0
    }

    private func end() throws(ClusterError) {
        close()
        if let total, delivered != total { throw miscounted(total) }
    }

    private func miscounted(_ total: Int64) -> ClusterError {
        ClusterError(
            .partialAnswer,
            "the scroll of \(slice) gave \(delivered) documents where it had announced \(total); read the slice again",
            index: slice.index)
    }

    /// A page has as many documents as were asked for, or all that are left. One with fewer may come from a stored text
    /// that closes the list of hits, so that the documents behind it are swallowed.
    private func checkCount(_ page: Page, _ answer: HTTPResponse) throws(ClusterError) {
        guard options.withSources, let total, !page.hits.isEmpty else { return }
        let due = min(Int64(options.pageSize), total - delivered)
        guard page.hits.count != due else { return }
        throw failure(
            .unreadableDocument, "a page of \(slice) has \(page.hits.count) documents where \(due) were due", answer)
    }

    private func ask() throws(ClusterError) -> HTTPResponse {
        guard started, let id = scrollID else { return try open() }
        if let ahead { return try transport.take(ahead.take(id), doing: "reading on in \(slice)", index: slice.index) }
        let (call, body) = Self.next(id, capabilities, options)
        return try transport.bytes(
            call, body: body, timeoutSeconds: Self.pageTimeoutSeconds, answerBytes: options.answerBytes,
            doing: "reading on in \(slice)", index: slice.index)
    }

    /// The request for the page behind the one that has this scroll id.
    private static func next(
        _ id: String, _ capabilities: Capabilities, _ options: ScrollOptions
    ) -> (ReadCall, HTTPRequest.Body) {
        let plain = capabilities.scrollBody == .plainText
        let body =
            plain
            ? RequestPath.body(text: id)
            : RequestPath.body(["scroll": .string(options.keepAlive), "scroll_id": .string(id)])
        return (.scroll(keepAlive: options.keepAlive, plainText: plain), body)
    }

    private func open() throws(ClusterError) -> HTTPResponse {
        var parameters = "?scroll=\(options.keepAlive)"
        var body: JSONObject = ["size": .number(options.pageSize), "version": .bool(options.withVersions)]
        body["query"] = options.query ?? ["match_all": [:]]
        switch capabilities.slicing {
        case .shardScan:
            parameters += "&search_type=scan&preference=_shards:\(slice.number)"
        case .slicedScroll:
            body["sort"] = ["_doc"]
            if slice.kind == .slice {
                body["slice"] = ["id": .number(slice.number), "max": .number(slice.of)]
            }
        }
        if capabilities.namesHitMetadata {
            body["fields"] = options.withSources ? ["_source", "_routing", "_parent"] : ["_routing", "_parent"]
        } else {
            body["_source"] = .bool(options.withSources)
        }
        if capabilities.tracksTotalHits { body["track_total_hits"] = true }
        return try transport.bytes(
            .search(index: slice.index, parameters: parameters), body: RequestPath.body(.object(body)),
            timeoutSeconds: ScrollReader.pageTimeoutSeconds, answerBytes: options.answerBytes,
            doing: "beginning to read \(slice)", index: slice.index)
    }

    private func read(_ answer: HTTPResponse) throws(ClusterError) -> Page {
        let bytes = answer.body.bytes
        let scan: PageScan
        do throws(AnswerProblem) {
            scan = try PageScan(bytes, expectedHits: options.pageSize, needsSources: options.withSources)
        } catch {
            throw failure(
                PageScan.isServers(bytes) ? .unreadableDocument : .malformedAnswer,
                error.isTooMuch
                    ? "a page of \(slice) has more than the \(options.pageSize) documents that were asked for (fixed "
                        + "limit page_hits)"
                    : "a page of \(slice) is not whole: it breaks at byte \(error.offset) of \(bytes.count)",
                answer)
        }
        if let range = scan.scrollID { scrollID = text(answer.body, range) }
        if let id = scan.withoutSource {
            throw failure(
                .noSource,
                "document \(text(answer.body, id)) of \(slice.index) has no _source, so it cannot be copied", answer)
        }
        try transport.checkWhole(scan, answer, of: "\(slice)", index: slice.index)
        try checkIndex(scan.hits, answer.body)
        if total == nil, scan.total >= 0, scan.totalIsExact { total = scan.total }
        return Page(
            body: answer.body, transport: transport, hits: scan.hits, sourceBytes: scan.sourceBytes, took: scan.took)
    }

    /// A slice is a part of one index by its own name, never by that of an alias: no document of a page is of another.
    private func checkIndex(_ hits: [Hit], _ body: ByteBuffer) throws(ClusterError) {
        for hit in hits {
            guard let range = hit.index else { continue }
            let told = body.slice(range)
            // A server may write a letter of the name as an escape.
            guard isName(told) || text(body, range) == slice.index else {
                let other = ClusterError.shortened(transport.quote(text(body, range)), limit: 100)
                throw ClusterError.foreignAnswer(
                    "reading \(slice)", "holds a document of the index \(other)", index: slice.index)
            }
        }
    }

    private func isName(_ told: Bytes) -> Bool {
        guard told.count == name.count, let start = told.baseAddress else { return false }
        return name.withUnsafeBufferPointer { name in
            name.baseAddress.map { memcmp(start, $0, told.count) == 0 } ?? false
        }
    }

    private func failure(_ code: ClusterError.Code, _ message: String, _ answer: HTTPResponse) -> ClusterError {
        ClusterError(
            code, message, node: transport.nodes.indices.contains(answer.node) ? transport.nodes[answer.node] : nil,
            index: slice.index, status: answer.status)
    }

    private func text(_ body: ByteBuffer, _ quoted: Range<Int>) -> String {
        (try? JSONValue(parsing: body.slice(quoted)))?.string ?? String(repairing: body.slice(quoted))
    }
}
