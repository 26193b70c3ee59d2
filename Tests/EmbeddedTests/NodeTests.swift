import Embedded
import JSONText
import Testing

@Suite struct NodeTests {
    @Test func searchesSeeWhatWasRefreshed() {
        let user = NodeUser("es-6.8")
        _ = user.ask("PUT", "/i", ["settings": ["refresh_interval": "1s", "number_of_shards": 2]])
        _ = user.ask("PUT", "/i/_doc/1", ["n": 1])
        #expect(user.count("i") == 0)
        #expect(user.ask("GET", "/i/_doc/1").answer["found"]?.bool == true)
        user.clock.advance(milliseconds: 1000)
        #expect(user.count("i") == 1)
        _ = user.ask("PUT", "/i/_doc/2?refresh=true", ["n": 2])
        #expect(user.count("i") == 2)
        _ = user.ask("PUT", "/i/_settings", ["index": ["refresh_interval": "-1"]])
        _ = user.ask("DELETE", "/i/_doc/1")
        user.clock.advance(milliseconds: 3_600_000)
        #expect(user.count("i") == 2)
        _ = user.ask("POST", "/i/_refresh")
        #expect(user.count("i") == 1)
    }

    @Test(arguments: [
        (
            "version=9223372036854775808&version_type=external",
            "long parameter [version] with value [9223372036854775808]"
        ),
        ("version=abc", "long parameter [version] with value [abc]"),
        ("if_seq_no=x&if_primary_term=1", "long parameter [if_seq_no] with value [x]"),
        ("if_seq_no=1&if_primary_term=x", "long parameter [if_primary_term] with value [x]"),
        ("size=abc", "int parameter [size] with value [abc]"),
        ("from=9999999999", "int parameter [from] with value [9999999999]"),
    ])
    func parametersThatAreNoNumbersAreRefused(_ parameters: String, _ reason: String) {
        let user = NodeUser("es-6.8")
        #expect(user.ask("PUT", "/i/_doc/1", ["n": 1]).status == 201)
        let isSearch = parameters.hasPrefix("size") || parameters.hasPrefix("from")
        let refused =
            isSearch
            ? user.ask("GET", "/i/_search?\(parameters)") : user.ask("PUT", "/i/_doc/1?\(parameters)", ["n": 2])
        #expect(refused.status == 400)
        #expect(refused.answer["error"]?["type"]?.string == "illegal_argument_exception")
        #expect(refused.answer["error"]?["reason"]?.string == "Failed to parse \(reason)")
        #expect(refused.answer["error"]?["caused_by"]?["type"]?.string == "number_format_exception")
        #expect(user.ask("GET", "/i/_doc/1").answer["_version"]?.int == 1)
    }

    @Test func deletesAreForgottenWhenTheirTimeIsOver() {
        let user = NodeUser("es-6.8")
        _ = user.ask("PUT", "/i", ["settings": ["gc_deletes": "60s"]])
        _ = user.ask("PUT", "/i/_doc/1?version=5&version_type=external", ["n": 1])
        _ = user.ask("DELETE", "/i/_doc/1?version=9&version_type=external")
        let late = "/i/_doc/1?version=7&version_type=external"
        #expect(user.ask("PUT", late, ["n": 2]).status == 409)
        user.clock.advance(milliseconds: 60_001)
        #expect(user.ask("PUT", late, ["n": 2]).status == 201)
    }

    @Test(arguments: [
        ("es-5.6", "Limit of total fields [20] in index [i] has been exceeded", 8),
        ("es-6.8", "Limit of total fields [20] in index [i] has been exceeded", 20),
        ("es-7.10", "Limit of total fields [20] has been exceeded", 20),
        ("os-3", "Limit of total fields [20] has been exceeded", 20),
    ])
    func fieldsAreLimited(_ persona: String, _ reason: String, _ room: Int) {
        let user = NodeUser(persona)
        _ = user.ask("PUT", "/i", ["settings": ["index.mapping.total_fields.limit": 20]])
        let type = persona == "es-5.6" ? "doc" : "_doc"
        for number in 0..<room {
            let body = JSONValue.object(JSONObject([("f\(number)", .number(number))]))
            #expect(user.ask("PUT", "/i/\(type)/\(number)", body).status == 201)
        }
        let refused = user.ask("PUT", "/i/\(type)/over", ["one_more": 1])
        #expect(refused.status == 400)
        #expect(refused.answer["error"]?["type"]?.string == "illegal_argument_exception")
        #expect(refused.answer["error"]?["reason"]?.string == reason)
        // A refused document leaves no trace.
        #expect(user.ask("GET", "/i/\(type)/over").answer["found"]?.bool == false)
        #expect(!user.ask("GET", "/i/_mapping").answer.text().contains("one_more"))
        #expect(user.ask("PUT", "/i/\(type)/0", ["f0": 7]).status == 200)
    }

    @Test func theFirstVersionsHaveNoLimitOfFields() {
        for persona in ["es-1.7", "es-2.4"] {
            let user = NodeUser(persona)
            var document = JSONObject()
            for number in 0..<1500 { document["f\(number)"] = .number(number) }
            #expect(user.ask("PUT", "/i/doc/1", .object(document)).status == 201)
        }
    }

    @Test func aFullNodeRefusesClearly() {
        let user = NodeUser("es-8.17", limits: NodeLimits(documentBytes: 2000))
        var statuses: [Int] = []
        for number in 0..<10 {
            statuses.append(
                user.ask("PUT", "/i/_doc/\(number)", ["t": .string(String(repeating: "x", count: 300))]).status)
        }
        #expect(statuses.first == 201)
        let full = user.ask("PUT", "/i/_doc/over", ["t": "y"])
        #expect(full.status == 429)
        #expect(full.answer["error"]?["type"]?.string == "circuit_breaking_exception")
        #expect(full.answer["error"]?["reason"]?.string?.contains("2000 bytes") == true)
        // A delete frees memory.
        #expect(user.ask("DELETE", "/i").status == 200)
        #expect(user.node.documentBytes == 0)
        #expect(user.ask("PUT", "/i/_doc/1", ["t": "y"]).status == 201)
    }

    @Test func troublesComeOnRequest() {
        let user = NodeUser("es-6.8")
        user.node.faults.failRequests(2, path: "_bulk")
        #expect(user.send("POST", "/i/_doc/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{}\n").status == 429)
        #expect(user.ask("GET", "/").status == 200)
        #expect(user.send("POST", "/i/_doc/_bulk", "{\"index\":{\"_id\":\"1\"}}\n{}\n").status == 429)
        #expect(user.ask("POST", "/_embedded/faults", ["items": 1, "status": 429]).status == 200)
        let answer = user.bulk("/i/_doc/_bulk", ["index": ["_id": "1"]], [:], ["index": ["_id": "2"]], [:])
        #expect(NodeUser.statuses(answer) == [429, 201])
        #expect(answer["items"]?[0]?["index"]?["error"]?["type"]?.string == "es_rejected_execution_exception")
    }

    @Test func bodiesAreLimited() {
        let user = NodeUser("es-6.8", limits: NodeLimits(bodyBytes: 100))
        #expect(user.ask("PUT", "/i/_doc/1", ["t": .string(String(repeating: "x", count: 200))]).status == 413)
    }

    @Test func answersAreFiltered() {
        let user = NodeUser("es-7.10")
        _ = user.ask("PUT", "/i/_doc/1?refresh=true", ["a": ["b": 1, "c": 2]])
        #expect(
            user.ask("GET", "/i/_search?filter_path=hits.hits._source.a.b").answer
                == ["hits": ["hits": [["_source": ["a": ["b": 1]]]]]])
        #expect(user.ask("GET", "/i/_count?filter_path=-_shards").answer == ["count": 1])
        #expect(user.ask("GET", "/i/_count?filter_path=**.failed").answer == ["_shards": ["failed": 0]])
        #expect(user.ask("GET", "/i/_count?filter_path=none").answer == [:])
    }

    @Test func partsOfASourceAreLeftOut() {
        let user = NodeUser("es-7.10")
        _ = user.ask("PUT", "/i/_doc/1?refresh=true", ["a": ["b": 1, "c": 2], "d": [["e": 1, "f": 2]]])
        func source(_ filter: JSONValue) -> JSONValue? {
            user.ask("POST", "/i/_search", ["_source": filter]).answer["hits"]?["hits"]?[0]?["_source"]
        }
        #expect(source("a.b") == ["a": ["b": 1]])
        #expect(source(["includes": ["a", "d.e"], "excludes": ["a.c"]]) == ["a": ["b": 1], "d": [["e": 1]]])
        #expect(source("none") == [:])
        #expect(source(false) == Optional.none)
        #expect(user.ask("GET", "/i/_doc/1?_source=d.f").answer["_source"] == ["d": [["f": 2]]])
    }

    @Test func aSettingIsTakenBackByNull() {
        let user = NodeUser("es-6.8")
        _ = user.ask("PUT", "/i", ["settings": ["refresh_interval": "7s"]])
        _ = user.ask("PUT", "/i/_settings", ["index": ["refresh_interval": .null]])
        #expect(
            user.ask("GET", "/i/_settings").answer["i"]?["settings"]?["index"]?["refresh_interval"] == Optional.none)
    }

    @Test func templatesAndAliasesMakeAnIndex() {
        let user = NodeUser("es-6.8")
        _ = user.ask(
            "PUT", "/_template/t",
            [
                "index_patterns": ["log-*"], "settings": ["number_of_shards": 2],
                "mappings": ["_doc": ["properties": ["k": ["type": "keyword"]]]],
                "aliases": ["logs": ["filter": ["term": ["k": "seen"]]]],
            ])
        let lines: [JSONValue] = [["index": ["_id": "1"]], ["k": "seen"], ["index": ["_id": "2"]], ["k": "hidden"]]
        _ = user.send("POST", "/log-1/_doc/_bulk?refresh=true", lines.map { $0.text() + "\n" }.joined())
        #expect(user.count("log-1") == 2)
        #expect(user.count("logs") == 1)
        let made = user.ask("GET", "/log-1").answer["log-1"]
        #expect(made?["settings"]?["index"]?["number_of_shards"]?.string == "2")
        #expect(made?["mappings"]?["_doc"]?["properties"]?["k"]?["type"]?.string == "keyword")
    }

    @Test func aliasesChangeAllAtOnceOrNotAtAll() {
        let user = NodeUser("es-6.8")
        _ = user.ask("PUT", "/a")
        let refused = user.ask(
            "POST", "/_aliases",
            ["actions": [["add": ["index": "a", "alias": "x"]], ["remove": ["index": "a", "alias": "never"]]]])
        #expect(refused.status == 404)
        #expect(user.ask("GET", "/a/_alias").answer == ["a": ["aliases": [:]]])
    }

    @Test func whatItCannotDoIsSaid() {
        let user = NodeUser("es-8.17")
        _ = user.ask("PUT", "/i")
        let answer = user.ask("POST", "/i/_search", ["aggs": ["x": ["terms": ["field": "f"]]]])
        #expect(answer.status == 400)
        #expect(answer.answer["error"]?["reason"]?.string?.contains("embedded search node") == true)
        #expect(user.ask("POST", "/_sql", ["query": "SHOW TABLES"]).status == 405)
    }

    @Test(arguments: ["es-1.7", "es-6.8", "es-9.0", "os-3"])
    func bytesFromOutsideNeverStopIt(_ persona: String) {
        let user = NodeUser(persona)
        let texts = ["", "\n", "{", "[]\n", "{\"index\":{}}\n", "{\"index\":{\"_id\":1}}\n\u{0}\n", "\u{FEFF}{}\n"]
        for text in texts {
            for address in ["/i/_bulk", "/_bulk", "/i/_search", "/_mget", "/_aliases", "/i", "/%zz/%", "/i/_doc/%00"] {
                for method in ["GET", "PUT", "POST", "DELETE", "HEAD"] {
                    let status = user.send(method, address, text).status
                    #expect((200...599).contains(status), "\(method) \(address)")
                }
            }
        }
    }
}
