import Commands
import Foundation
import JSONText
import Parity
import SearchCluster
import Testing
@testable import Verification

/// Documents of the old side are found under the names that they have on the new side.
@Suite(.serialized) struct LiveDocumentsTests {
    private typealias Bench = SettlingBench

    /// What the old side has of each key, as text.
    private func read(_ bench: SettlingBench, _ keys: [DocumentKey]) throws -> [DocumentKey: String] {
        bench.refresh()
        let prepared = try bench.prepared()
        var found: [DocumentKey: String] = [:]
        try LiveDocuments(prepared, try bench.plan(prepared)).read(keys) { key, pair in
            #expect(found[key] == nil)
            switch pair.old {
            case .absent: found[key] = "absent"
            case .unknown: found[key] = "unknown"
            case .split: found[key] = "split"
            case .uncopied(let reason, _): found[key] = reason
            case .document(let document, let version, _):
                found[key] = String(decoding: document, as: UTF8.self) + " at \(version)"
            }
        }
        return found
    }

    @Test(arguments: [ServerVersion(1, 7, 6), ServerVersion(2, 4, 6), ServerVersion(5, 6, 16)])
    func typesThatTheTemplateNames(_ version: ServerVersion) throws {
        let bench = try Bench(version: version, entry: #"id: "{type}-{id}""#) { side in
            side.send(
                "PUT", "/old",
                #"{"mappings":{"cat":{"properties":{"n":{"type":"long"}}},"dog":{"properties":{"n":{"type":"long"}}}}}"#
            )
            side.send("PUT", "/old/cat/1", #"{"n":1}"#)
            side.send("PUT", "/old/dog/1", #"{"n":2}"#)
            side.send("PUT", "/old/dog/2?routing=r", #"{"n":3}"#)
        }
        let keys =
            ["cat-1", "dog-1", "cat-2", "mouse-1", "1"].map { Bench.key($0) } + [Bench.key("dog-2", routing: "r")]
        let found = try read(bench, keys)
        #expect(
            found == [
                keys[0]: #"{"n":1} at 1"#, keys[1]: #"{"n":2} at 1"#, keys[2]: "absent", keys[3]: "absent",
                keys[4]: "absent", keys[5]: #"{"n":3} at 1"#,
            ])
    }

    /// On 1.x a get does not tell the routing.
    @Test(arguments: [ServerVersion(1, 7, 6), ServerVersion(6, 8, 0)])
    func oneIDUnderTwoRoutings(_ version: ServerVersion) throws {
        let bench = try Bench(version: version) { side in
            side.send("PUT", "/old", #"{"settings":{"number_of_shards":5}}"#)
            for routing in ["a", "b", "c"] {
                side.send("PUT", "/old/thing/1?routing=\(routing)", #"{"name":"\#(routing)"}"#)
            }
        }
        let keys = ["a", "b", "c", "d"].map { Bench.key("1", routing: $0) } + [Bench.key("1")]
        let found = try read(bench, keys)
        for (key, routing) in zip(keys, ["a", "b", "c"]) { #expect(found[key] == #"{"title":"\#(routing)"} at 1"#) }
        #expect(found[keys[3]] == "absent" && found[keys[4]] == "absent")
    }

    /// Commands have the routing inside the document; the old side was written without one.
    @Test func theRoutingLiesInTheDocument() throws {
        let bench = try Bench(routing: "doc.region")
        bench.old("1", #"{"region":"eu","n":1}"#)
        bench.old("2", #"{"region":"us","n":2}"#, routing: "us")
        bench.old("3", #"{"n":3}"#)
        let keys = [
            Bench.key("1", routing: "eu"), Bench.key("1", routing: "us"), Bench.key("1"),
            Bench.key("2", routing: "us"), Bench.key("3", routing: "eu"),
        ]
        let found = try read(bench, keys)
        #expect(found[keys[0]] == #"{"region":"eu","n":1} at 1"#)
        #expect(found[keys[1]] == "absent")
        #expect(found[keys[2]] == "absent")
        #expect(found[keys[3]] == #"{"region":"us","n":2} at 1"#)
        #expect(found[keys[4]] == "no_routing", "its copy is a dead letter")
    }

    /// A get does not know the filter of the alias that is copied.
    @Test func whatTheAliasHidesIsNotThere() throws {
        let bench = try Bench(entry: "filter: source") { side in
            side.send("PUT", "/all", #"{"mappings":{"_doc":{"properties":{"open":{"type":"boolean"}}}}}"#)
            side.send(
                "POST", "/_aliases",
                #"{"actions":[{"add":{"index":"all","alias":"old","filter":{"term":{"open":true}}}}]}"#)
            side.send("PUT", "/all/_doc/1", #"{"open":true}"#)
            side.send("PUT", "/all/_doc/2", #"{"open":false}"#)
        }
        let keys = [Bench.key("1"), Bench.key("2")]
        #expect(try read(bench, keys) == [keys[0]: #"{"open":true} at 1"#, keys[1]: "absent"])
    }

    @Test func whatCannotBeCopiedIsSaidSo() throws {
        let bench = try Bench(entry: "transform: [{ cast: { field: n, to: number } }]")
        bench.old("1", #"{"n":"x"}"#)
        bench.new("1", #"{"n":1}"#, version: 9)
        try bench.applied()
        let result = try bench.settle([Bench.key("1")])
        #expect(result.totals.findings == [.different: 1])
        #expect(result.examples.first?.note?.hasPrefix("the old side's document cannot be copied (") == true)
        bench.target.send("DELETE", "/new/_doc/1")
        let without = try bench.settle([Bench.key("1")])
        #expect(without.indices[0]?.uncopied == 1 && without.totals.compared == 0)
    }

    /// More than fit into one request.
    @Test func manyDocuments() throws {
        let bench = try Bench()
        for number in 0..<450 { bench.old("\(number)", #"{"n":\#(number)}"#) }
        let found = try read(bench, (0..<460).map { Bench.key("\($0)") })
        #expect(found.count == 460)
        #expect(found.values.count { $0 == "absent" } == 10)
        #expect(found[Bench.key("449")] == #"{"n":449} at 1"#)
    }
}
