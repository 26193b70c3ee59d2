import JSONText
import Testing

@testable import SearchCluster

/// A server may answer anything: what was not asked for is not taken.
@Suite struct AnsweredNamesTests {
    @Test func anIndexThatThePatternDoesNotNameIsNotTaken() {
        let alias: JSONValue = ["aliases": ["logs": [:], "all": [:]]]
        let stream: JSONValue = ["aliases": [:], "data_stream": "events"]
        for (index, description, asked, isNamed) in [
            ("logs-1", [:], "logs-*", true), ("logs-1", [:], "logs-1", true), ("logs-1", [:], "*", true),
            ("logs-1", [:], "x,logs-*", true), ("logs-1", [:], "_all", true), ("logs-1", [:], "<logs-{now/d}>", true),
            ("secret", [:], "logs-*", false), ("secret", [:], "logs-1", false), ("secret", alias, "logs-*", false),
            ("secret", alias, "logs", true), ("secret", alias, "lo*", true), (".ds-events-1", [:], "events", true),
            ("backing", stream, "events", true), ("secret", stream, "logs", false), ("secret", .null, "", false),
        ] as [(String, JSONValue, String, Bool)] {
            #expect(IndexInfo.isNamed(index, description, by: asked) == isNamed, "\(index) for \(asked)")
        }
    }

    @Test(arguments: ["9223372036854775807", "-9223372036854775808", "99999999999999999999", "x", ""])
    func aNumberOfShardsWithoutSenseIsNoCrash(_ shards: String) {
        for settings: JSONValue in [
            ["index": ["number_of_shards": .string(shards), "max_result_window": .string(shards)]],
            ["index": ["number_of_shards": .number(shards), "max_slices_per_scroll": .number(shards)]],
        ] {
            let info = IndexInfo(name: "a", answer: ["settings": settings], typed: false, documentCount: .max)
            #expect(info.shards >= 1 && info.cheapSlices > 0 && info.maximumPage > 0 && info.maximumSlices > 0)
        }
    }

    private func request(_ ids: [String]) -> MultiGetRequest {
        let request = MultiGetRequest()
        for id in ids { Array(id.utf8).withUnsafeBufferPointer { request.append(id: $0, routing: nil) } }
        return request
    }

    private func asks(_ request: MultiGetRequest, _ number: Int, _ quoted: String) -> Bool {
        Array(quoted.utf8).withUnsafeBufferPointer { request.asks(number, for: $0) }
    }

    @Test func aDocumentIsMatchedByItsID() {
        let request = request(["a", "b/é\"\n", "\u{1F600}"])
        #expect(asks(request, 0, #""a""#) && !asks(request, 0, #""b""#) && !asks(request, 1, #""a""#))
        // Servers escape what they like.
        #expect(asks(request, 1, #""b\/\u00e9\"\u000a""#) && asks(request, 2, #""\ud83d\ude00""#))
        #expect(!asks(request, 3, #""a""#) && !asks(request, 0, #""a"#) && !asks(request, 0, ""))
        // The request may be used again.
        request.removeAll()
        #expect(!asks(request, 0, #""a""#))
    }
}
