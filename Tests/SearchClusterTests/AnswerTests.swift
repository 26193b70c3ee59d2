import JSONText
import Testing

@testable import SearchCluster

func withBytes<R>(_ text: String, _ body: (Bytes) throws -> R) rethrows -> R {
    try Array(text.utf8).withUnsafeBufferPointer { try body($0) }
}

@Suite struct BulkResponseTests {
    private func scan(_ text: String, expected: Int) throws(ClusterError) -> [String] {
        var lines: [String] = []
        let result = withBytes(text) { bytes -> Result<Void, ClusterError> in
            do throws(ClusterError) {
                try BulkResponse.scan(bytes, expected: expected, sent: nil) { place, item in
                    let type = item.errorType.map { String(repairing: Bytes(rebasing: bytes[$0])) } ?? "-"
                    lines.append("\(place) \(item.action) \(item.status) \(type)")
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        return lines
    }

    private let mixed = """
        {"took":16,"errors":true,"items":[{"index":{"status":201}},\
        {"index":{"status":409,"error":{"type":"version_conflict_engine_exception",\
        "reason":"[a \\"b\\"]","shard":"1"}}},\
        {"delete":{"status":404}},\
        {"create":{"error":{"reason":"x","root_cause":[{"type":"inner"}],"type":"es_rejected"},"status":429}},\
        {"update":{"status":503,"error":"UnavailableShardsException[[t][1] {not} json]"}}]}
        """

    @Test func everyItemComesInOrder() throws {
        #expect(
            try scan(mixed, expected: 5) == [
                "0 index 201 -", "1 index 409 version_conflict_engine_exception", "2 delete 404 -",
                "3 create 429 es_rejected", "4 update 503 UnavailableShardsException",
            ])
    }

    /// An item that was answered under another action counted as indexed.
    @Test(arguments: ["update", "create", "delete", "other"])
    func anotherActionThanWasSentIsNoAnswer(_ action: String) {
        let text = #"{"items":[{"index":{"status":201}},{"\#(action)":{"status":200}}]}"#
        var given = 0
        func scan(_ second: BulkItem.Action) -> ClusterError? {
            withBytes(text) { bytes -> ClusterError? in
                do throws(ClusterError) {
                    try BulkResponse.scan(bytes, expected: 2, sent: { $0 == 0 ? .index : second }) { _, _ in given += 1
                    }
                    return nil
                } catch {
                    return error
                }
            }
        }
        let error = scan(.index)
        #expect(given == 0 && error?.code == .malformedAnswer && error?.retriable == true)
        #expect(error?.message.contains("has the action \(action) for item 1, where index was sent") == true)
        #expect(scan(action == "delete" ? .index : .delete) != nil && given == 0)
        if action == "delete" { #expect(scan(.delete) == nil && given == 2) }
    }

    @Test func layoutDoesNotMatter() throws {
        let pretty = try JSONValue(parsing: mixed).text(pretty: true)
        #expect(try scan(pretty, expected: 5).count == 5)
        #expect(try scan("{\"items\":[],\"errors\":false}", expected: 0).isEmpty)
        #expect(
            try scan(
                "\n {\"items\" : [ {\"index\" : {\"_id\":\"x\", \"status\" : 200 , \"_shards\":{\"a\":[1]}} } ] }\n",
                expected: 1
            ).count == 1)
        // The flag is not what counts.
        #expect(
            try scan("{\"errors\":false,\"items\":[{\"index\":{\"status\":400}}]}", expected: 1) == ["0 index 400 -"])
    }

    @Test func everyCutIsAFailedRequestAndGivesNoItem() {
        let bytes = Array(mixed.utf8)
        for end in 0..<bytes.count {
            let text = String(decoding: bytes[..<end], as: UTF8.self)
            var seen = 0
            do throws(ClusterError) {
                seen = try scan(text, expected: 5).count
                Issue.record("accepted a cut at \(end)")
            } catch {
                #expect(error.code == .malformedAnswer)
                #expect(error.retriable)
            }
            #expect(seen == 0)
        }
    }

    @Test(arguments: [
        "", "null", "<html>502</html>", "{\"took\":1}", "{\"items\":{}}", "{\"items\":[{}]}", "{\"items\":[1]}",
        "{\"items\":[{\"index\":{}}]}", "{\"items\":[{\"index\":{\"status\":\"201\"}}]}",
        "{\"items\":[{\"index\":{\"status\":99999999999999999999}}]}", "{\"items\":[{\"index\":{\"status\":0}}]}",
        "{\"items\":[{\"index\":{\"status\":201}},{\"index\":{\"status\":201}}]}", "{\"items\":[]}",
        "{\"items\":[{\"index\":{\"status\":201}}]} trailing", "{\"items\":[{\"index\":{\"status\":201}}]",
        "{\"items\":[{\"index\":{\"status\":201},\"b\":1}]}",
    ])
    func whatIsNotAWholeAnswerIsAFailedRequest(_ text: String) {
        do throws(ClusterError) {
            _ = try scan(text, expected: 1)
            Issue.record("accepted \(text)")
        } catch {
            #expect(error.code == .malformedAnswer)
        }
    }
}

@Suite struct PageTests {
    private let page = """
        {"_scroll_id":"abc==","took":5,"timed_out":false,"_shards":{"total":2,"successful":2,"skipped":0,"failed":0},\
        "hits":{"total":{"value":3,"relation":"eq"},"max_score":null,"hits":[\
        {"_index":"i","_type":"_doc","_id":"a\\"","_version":7,"_score":null,"_routing":"r",\
        "_source":{"x":"}]\\\\"},"sort":[0]},\
        {"_index":"i","_id":"b","_score":1.0e-1,"_source":{},"fields":{"_routing":["q"],"_parent":"p","n":[1]}}]}}
        """

    @Test func hitsAreFoundInTheBytes() throws {
        try withBytes(page) { bytes in
            let scan = try PageScan(bytes, expectedHits: 2)
            func text(_ range: Range<Int>?) -> String? { range.map { String(repairing: Bytes(rebasing: bytes[$0])) } }
            #expect(text(scan.scrollID) == "\"abc==\"")
            #expect(scan.total == 3 && scan.totalIsExact)
            #expect(scan.hits.count == 2)
            #expect(text(scan.hits[0].id) == "\"a\\\"\"")
            #expect(scan.hits[0].version == 7)
            #expect(text(scan.hits[0].routing) == "\"r\"")
            #expect(text(scan.hits[0].source) == "{\"x\":\"}]\\\\\"}")
            #expect(scan.hits[1].type == nil)
            #expect(text(scan.hits[1].routing) == "\"q\"")
            #expect(text(scan.hits[1].parent) == "\"p\"")
            #expect(scan.sourceBytes == 14)
        }
    }

    @Test func everyCutIsNoticed() {
        let bytes = Array(page.utf8)
        for end in 0..<bytes.count {
            let text = String(decoding: bytes[..<end], as: UTF8.self)
            #expect(throws: AnswerProblem.self) { try withBytes(text) { _ = try PageScan($0, expectedHits: 2) } }
        }
    }

    /// Old versions take text behind the object of a document, and give it back as it is.
    @Test(arguments: [
        #"{"title":"x"}}]},"x":{"y":[{"z":1"#, #"{"title":"x"}}],"total":3},"x":{"y":[{"z":1"#,
        #"{"title":"x"}}],"max_score":[{"z":1"#, #"{"title":"x"}}]},"hits":{"hits":[{"_id":"b","_source":{}"#,
    ])
    func aStoredTextThatClosesTheHitsIsNoticed(_ text: String) {
        let page = #"{"_scroll_id":"a","_shards":{"failed":0},"hits":{"total":1,"hits":[{"_id":"a","_source":"#
        #expect(throws: AnswerProblem.self) {
            try withBytes(page + text + "}]}}") { _ = try PageScan($0, expectedHits: 1) }
        }
    }

    /// A server, or what stands in for one, may send more than was asked for.
    @Test func aPageOfMoreHitsThanAskedForIsNotReadToItsEnd() throws {
        func hits(asked: Int) throws -> Int {
            try withBytes(page) { try PageScan($0, expectedHits: asked).hits.count }
        }
        #expect(try hits(asked: 2) == 2)
        let problem = #expect(throws: AnswerProblem.self) { try hits(asked: 1) }
        #expect(problem?.isTooMuch == true)
    }

    @Test func failuresAreSeen() throws {
        try withBytes(
            "{\"_shards\":{\"failed\":1,\"failures\":[{\"reason\":\"X\"}]},\"timed_out\":true,"
                + "\"hits\":{\"total\":1,\"hits\":[{\"_id\":\"n\"}]}}"
        ) { bytes in
            let scan = try PageScan(bytes, expectedHits: 1)
            #expect(scan.failedShards == 1)
            #expect(scan.failures != nil)
            #expect(scan.timedOut)
            #expect(scan.withoutSource != nil)
        }
    }

    /// A server does not say that a shard failed if no node has it.
    @Test func aShardThatNobodyHasIsAFailure() {
        let answer = #"{"_shards":{"total":5,"successful":4,"failed":0},"hits":{"total":0,"hits":[]}}"#
        withBytes(answer) { bytes in
            let scan = try? PageScan(bytes, expectedHits: 1)
            #expect(scan?.failedShards == 1)
        }
    }
}

@Suite struct MultiGetTests {
    @Test func moreDocumentsThanAskedForAreNotReadToTheirEnd() throws {
        func documents(asked: Int) throws -> Int {
            let text = #"{"docs":[{"_id":"a","found":false},{"_id":"b","found":false}]}"#
            return try withBytes(text) { try MultiGetAnswer.scan($0, expected: asked).count }
        }
        #expect(try documents(asked: 2) == 2)
        let problem = #expect(throws: AnswerProblem.self) { try documents(asked: 1) }
        #expect(problem?.isTooMuch == true)
    }

    @Test func aStoredTextThatClosesTheListIsNoticed() {
        let text = #"{"docs":[{"_id":"a","found":true,"_source":{"title":"x"}}],"x":[{"z":1}]}"#
        #expect(throws: AnswerProblem.self) { try withBytes(text) { _ = try MultiGetAnswer.scan($0, expected: 1) } }
    }

    @Test func documentsComeInOrder() throws {
        let answer = """
            {"docs":[{"_index":"i","_id":"a","_version":3,"found":true,"_source":{"x":1}},{"_id":"b","found":false},\
            {"_id":"c","error":{"type":"routing_missing_exception"}}]}
            """
        try withBytes(answer) { bytes in
            let documents = try MultiGetAnswer.scan(bytes, expected: 3)
            #expect(documents.map(\.found) == [true, false, false])
            #expect(documents.map(\.version) == [3, 0, 0])
            #expect(documents[2].error != nil)
        }
        for end in 0..<answer.utf8.count {
            let text = String(decoding: Array(answer.utf8)[..<end], as: UTF8.self)
            #expect(throws: AnswerProblem.self) { try withBytes(text) { _ = try MultiGetAnswer.scan($0, expected: 3) } }
        }
    }
}

@Suite struct ErrorTests {
    private func error(_ status: Int, _ body: String) -> ClusterError.Code? {
        let buffer = ByteBuffer()
        buffer.append(body)
        let reason = ServerReason(body: buffer.bytes)
        return ClusterError.code(status: status, type: reason.type, reason: reason.reason)
    }

    @Test func statusAndTypeMakeTheCode() {
        #expect(error(401, "") == .unauthorized)
        #expect(error(403, "{\"error\":{\"type\":\"security_exception\",\"reason\":\"no\"}}") == .forbidden)
        #expect(error(403, "{\"error\":{\"type\":\"cluster_block_exception\",\"reason\":\"no\"}}") == .unavailable)
        #expect(error(403, "{\"error\":\"ClusterBlockException[blocked by: [x]]\"}") == .unavailable)
        // As 6.8, 1.7 and 2.4 say it: no lack of a privilege, and nothing that passes.
        #expect(error(400, "{\"error\":{\"type\":\"index_closed_exception\",\"reason\":\"closed\"}}") == .indexClosed)
        #expect(error(403, "{\"error\":\"IndexClosedException[[x] closed]\"}") == .indexClosed)
        #expect(
            error(403, "{\"error\":\"ClusterBlockException[blocked by: [FORBIDDEN/4/index closed];]\"}") == .indexClosed
        )
        #expect(error(404, "{\"error\":\"IndexMissingException[[x] missing]\"}") == .notFound)
        #expect(error(400, "{\"error\":{\"type\":\"parse_exception\"}}") == .badRequest)
        #expect(error(409, "{}") == .conflict)
        #expect(error(413, "<html>") == .tooLarge)
        #expect(error(429, "{}") == .unavailable)
        #expect(error(500, "x") == .unavailable)
        #expect(error(503, "") == .unavailable)
        #expect(
            error(
                404,
                "{\"error\":{\"root_cause\":[{\"type\":\"search_context_missing_exception\",\"reason\":\"no\"}],"
                    + "\"type\":\"search_phase_execution_exception\"}}"
            ) == .scrollExpired)
        #expect(
            error(404, "{\"_shards\":{\"failures\":[{\"reason\":\"X[SearchContextMissingException[No]]\"}]}}")
                == .scrollExpired)
    }

    @Test func credentialsInAURLAreNotShown() throws {
        let settings = try TransportSettings(
            ClusterEndpoint(urls: ["https://user:pw@host:9200/"]), limits: HTTPTransport.Limits())
        #expect(settings.shownURLs == ["https://host:9200"])
    }
}

@Suite struct CapabilityTests {
    @Test func rowsLeaveNoGapAndNoOverlap() {
        for product in [ServerInfo.Product.elasticsearch, .opensearch] {
            let rows = Capabilities.table.filter { $0.product == product }
            for (one, next) in zip(rows, rows.dropFirst()) { #expect(one.below == next.from) }
        }
    }

    @Test func versionsAreRead() {
        #expect(ServerVersion("7.17.28") == ServerVersion(7, 17, 28))
        #expect(ServerVersion("9.0.0-SNAPSHOT") == ServerVersion(9, 0, 0))
        #expect(ServerVersion("2.0.0-rc1+x") == ServerVersion(2, 0, 0))
        #expect(ServerVersion("x.1") == nil)
        #expect(ServerVersion("") == nil)
        #expect(ServerVersion(6, 8) < ServerVersion(7, 0))
    }

    @Test func pathsAreEncoded() {
        #expect(RequestPath.segment("logs-*,b c/d") == "logs-*,b%20c%2Fd")
        #expect(RequestPath.query("a&b=ü") == "a%26b%3D%C3%BC")
    }
}
