import Foundation
import JSONText
import SearchCluster
import Testing

@Suite(.enabled(if: FakeServer.python != nil, "no python3")) struct ScrollTests {
    /// When a page is asked for: when it is needed; before that; or, of pages that cannot be the last, where the one
    /// before it comes in.
    enum Asking: CaseIterable { case onDemand, ahead, atOnce }

    private let slice = SliceSpec(index: "idx", kind: .whole, number: 0, of: 1)

    /// The ids that came, and the error that ended it.
    private func read(
        _ option: String = "x=y", _ asking: Asking, withSources: Bool = true
    ) throws -> (ids: Int, error: ClusterError?, requests: [String]) {
        let server = try FakeServer(option, asking == .atOnce ? "large=1" : "x=y")
        defer { server.stop() }
        let cluster = try Cluster.connect(server.endpoint())
        defer { cluster.close() }
        var scrollOptions = ScrollOptions(pageSize: 2)
        (scrollOptions.readsAhead, scrollOptions.withSources) = (asking != .onDemand, withSources)
        let scroll = cluster.reader.openScroll(slice, scrollOptions)
        var count = 0
        var failure: ClusterError?
        do throws(ClusterError) {
            while let page = try scroll.nextPage() { count += page.hits.count }
        } catch {
            failure = error
        }
        let log = try cluster.transport.perform(HTTPRequest(.get, "/_log")).body
        let told = try withExtendedLifetime(log) { try JSONValue(parsing: log.bytes) }
        let requests = (told["requests"]?.array ?? []).map {
            "\($0["method"]?.string ?? "") \($0["path"]?.string?.prefix { $0 != "?" } ?? "")"
        }
        return (count, failure, requests)
    }

    @Test(arguments: Asking.allCases) func everyPageComesAndNothingIsWritten(_ asking: Asking) throws {
        let (count, error, requests) = try read("x=y", asking)
        #expect(count == 6)
        #expect(error == nil)
        #expect(
            Set(requests).subtracting(["DELETE /_search/scroll"]) == [
                "GET /", "GET /_nodes", "POST /idx/_search", "POST /_search/scroll",
            ])
    }

    @Test(arguments: Asking.allCases) func aPageThatCurlAskedForTwiceIsMissed(_ asking: Asking) throws {
        let (count, error, requests) = try read("lose=1", asking)
        #expect(count == 4)
        #expect(error?.code == .partialAnswer)
        #expect(error?.retriable == true)
        #expect(error?.message.contains("4 documents") == true)
        // It was indeed curl that asked again, not the reader.
        #expect(requests.count { $0 == "POST /_search/scroll" } == 3)
    }

    /// A server whose scroll never ends would have been read for ever.
    @Test(arguments: Asking.allCases) func aScrollThatGivesMoreThanItAnnouncedEnds(_ asking: Asking) throws {
        // With sources, a stored text may be to blame; then the names alone are read.
        #expect(try read("endless=1", asking).error?.code == .unreadableDocument)
        let (count, error, _) = try read("endless=1", asking, withSources: false)
        #expect(count == 6)
        #expect(error?.code == .partialAnswer)
    }

    @Test(arguments: ["fail=0", "fail=1", "late=0", "late=2"], Asking.allCases)
    func partialPagesAreErrors(_ option: String, _ asking: Asking) throws {
        let (count, error, _) = try read(option, asking)
        #expect(error?.code == .partialAnswer)
        #expect(count == 2 * (option.last?.wholeNumberValue ?? -1))
        if option.hasPrefix("fail") { #expect(error?.serverType == "io_exception") }
    }

    /// A source whose pages hold documents of another index was copied without a word.
    @Test(arguments: Asking.allCases) func aDocumentOfAnotherIndexIsAnError(_ asking: Asking) throws {
        for withSources in [true, false] {
            let (count, error, _) = try read("index=secret-hr", asking, withSources: withSources)
            #expect(count == 2 && error?.code == .malformedAnswer)
            #expect(error?.message.contains("holds a document of the index secret-hr") == true, "\(error as Any)")
        }
    }

    @Test func aWrittenDocumentOfAnotherIndexIsAnError() throws {
        let found = #"{"hits":{"hits":[{"_index":"%","_id":"1","_version":1,"sort":[7]}]}}"#
        for (index, isOurs) in [("idx", true), ("secret-hr", false)] {
            let server = try FakeServer("always=" + found.replacing("%", with: index))
            defer { server.stop() }
            let cluster = try Cluster.connect(server.endpoint())
            defer { cluster.close() }
            do throws(ClusterError) {
                let page = try cluster.reader.written("idx", shard: 0, after: 0, upTo: 9, size: 10)
                #expect(isOurs && page.documents.count == 1 && page.last == 7)
            } catch {
                #expect(!isOurs && error.message.contains("holds a document of the index secret-hr"))
            }
        }
    }

    @Test func aPageIsAskedForWhileTheOneBeforeItIsUsed() throws {
        let server = try FakeServer()
        defer { server.stop() }
        let cluster = try Cluster.connect(server.endpoint())
        defer { cluster.close() }
        var options = ScrollOptions(pageSize: 2)
        options.readsAhead = true
        let scroll = cluster.reader.openScroll(slice, options)
        _ = try scroll.nextPage()
        func asked() throws -> Bool {
            let log = try cluster.transport.perform(HTTPRequest(.get, "/_log")).body
            let told = try withExtendedLifetime(log) { try JSONValue(parsing: log.bytes) }
            let paths = (told["requests"]?.array ?? []).map { $0["path"]?.string ?? "" }
            return paths.contains { $0.hasPrefix("/_search/scroll") }
        }
        while try !asked() { usleep(10_000) }
        // It is dropped, and the scroll is freed.
        scroll.close()
        #expect(try scroll.nextPage() == nil)
    }
}
