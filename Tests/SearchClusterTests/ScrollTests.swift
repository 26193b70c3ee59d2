import JSONText
import SearchCluster
import Testing

@Suite(.enabled(if: FakeServer.python != nil, "no python3")) struct ScrollTests {
    private let slice = SliceSpec(index: "idx", kind: .whole, number: 0, of: 1)

    /// The ids that came, and the error that ended it.
    private func read(_ options: String...) throws -> (ids: Int, error: ClusterError?, requests: [String]) {
        let server = try FakeServer(options.first ?? "x=y")
        defer { server.stop() }
        let cluster = try Cluster.connect(server.endpoint())
        defer { cluster.close() }
        let scroll = cluster.reader.openScroll(slice, pageSize: 2)
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

    @Test func everyPageComesAndNothingIsWritten() throws {
        let (count, error, requests) = try read()
        #expect(count == 6)
        #expect(error == nil)
        #expect(
            Set(requests).subtracting(["DELETE /_search/scroll"]) == [
                "GET /", "GET /_nodes", "POST /idx/_search", "POST /_search/scroll",
            ])
    }

    @Test func aPageThatCurlAskedForTwiceIsMissed() throws {
        let (count, error, requests) = try read("lose=1")
        #expect(count == 4)
        #expect(error?.code == .partialAnswer)
        #expect(error?.retriable == true)
        #expect(error?.message.contains("4 documents") == true)
        // It was indeed curl that asked again, not the reader.
        #expect(requests.count { $0 == "POST /_search/scroll" } == 3)
    }

    @Test(arguments: ["fail=0", "fail=1", "late=0", "late=2"])
    func partialPagesAreErrors(_ option: String) throws {
        let (count, error, _) = try read(option)
        #expect(error?.code == .partialAnswer)
        #expect(count == 2 * (option.last?.wholeNumberValue ?? -1))
        if option.hasPrefix("fail") { #expect(error?.serverType == "io_exception") }
    }
}
