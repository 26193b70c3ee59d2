import JSONText
import Seeds
import Testing
import Transform

@Suite struct KeyToValueTests {
    @Test(arguments: [
        (
            #"{"tags":{"host":"db-1","check":"cpu"}}"#,
            #"{"tags":[{"keyToValue":"check:cpu","value":"cpu"},{"keyToValue":"host:db-1","value":"db-1"}]}"#
        ),
        (#"{"a":1,"b":"x"}"#, #"{"a":1,"b":"x"}"#), (#"{"tags":null}"#, #"{"tags":null}"#),
        (#"{"tags":{}}"#, #"{"tags":[]}"#), (#"{"tags":[]}"#, #"{"tags":[]}"#),
        (#"{"tags":{"a:b\\c":"v"}}"#, #"{"tags":[{"keyToValue":"a\\:b\\\\c:v","value":"v"}]}"#),
        (#"{"tags":{"\u003a":"v"}}"#, #"{"tags":[{"keyToValue":"\\::v","value":"v"}]}"#),
        (#"{"tags":{"q\"\n":"v"}}"#, #"{"tags":[{"keyToValue":"q\"\n:v","value":"v"}]}"#),
        (
            #"{"tags":{"a":0.10,"b":1e400,"c":9223372036854775808,"d":true}}"#,
            #"{"tags":[{"keyToValue":"a:0.10","value":"0.10"},{"keyToValue":"b:1e400","value":"1e400"},"#
                + #"{"keyToValue":"c:9223372036854775808","value":"9223372036854775808"},"#
                + #"{"keyToValue":"d:true","value":"true"}]}"#
        ),
        (#"{"tags":{"a":null,"b":""}}"#, #"{"tags":[{"keyToValue":"b:","value":""}]}"#),
        (
            #"{"tags":{"a":[2,"x",[1]]}}"#,
            #"{"tags":[{"keyToValue":"a:2","value":"2"},{"keyToValue":"a:x","value":"x"},"#
                + #"{"keyToValue":"a:1","value":"1"}]}"#
        ),
        (
            #"{"tags":{"a":{"c":1,"b":{"":2}},"a-":3}}"#,
            #"{"tags":[{"keyToValue":"a-:3","value":"3"},{"keyToValue":"a.b.:2","value":"2"},"#
                + #"{"keyToValue":"a.c:1","value":"1"}]}"#
        ),
        (
            #"{"tags":{"a":[{"x":1},{"x":2,"y":3}]}}"#,
            #"{"tags":[{"keyToValue":"a.x:1","value":"1"},{"keyToValue":"a.x:2","value":"2"},"#
                + #"{"keyToValue":"a.y:3","value":"3"}]}"#
        ),
        (#"{"tags":{"":"x"}}"#, #"{"tags":[{"keyToValue":":x","value":"x"}]}"#),
        (
            #"{"tags":{"a":1,"b":2,"a":3,"a":4}}"#,
            #"{"tags":[{"keyToValue":"a:4","value":"4"},{"keyToValue":"b:2","value":"2"}]}"#
        ),
        (
            #"{"tags":{"a":1,"\u0061":[2,3]}}"#,
            #"{"tags":[{"keyToValue":"a:2","value":"2"},{"keyToValue":"a:3","value":"3"}]}"#
        ),
        (#"{"tags":{"n":{"x":1,"x":2},"n":{"y":1}}}"#, #"{"tags":[{"keyToValue":"n.y:1","value":"1"}]}"#),
        (#"{"tags":{"x":1},"tags":{"y":2}}"#, #"{"tags":[{"keyToValue":"y:2","value":"2"}]}"#),
        (
            #"{"tags":[{"keyToValue":"b:1","value":"1"},{"value":null,"keyToValue":"a:"}]}"#,
            #"{"tags":[{"keyToValue":"b:1","value":"1"},{"value":null,"keyToValue":"a:"}]}"#
        ),
        (
            #"{"tags":[{"b":1},{"a":2}]}"#,
            #"{"tags":[{"keyToValue":"a:2","value":"2"},{"keyToValue":"b:1","value":"1"}]}"#
        ),
        (#"{"tags":{"a.b":1}}"#, #"{"tags":[{"keyToValue":"a.b:1","value":"1"}]}"#),
        (
            #"{"tags":{"é":"ü","z":"\u00e9"}}"#,
            #"{"tags":[{"keyToValue":"z:\u00e9","value":"\u00e9"},{"keyToValue":"é:ü","value":"ü"}]}"#
        ),
        (
            "{ \"tags\" : {\n \"a\" : \"b\" } ,\r\n \"x\" : [ 1 ] }",
            #"{"tags":[{"keyToValue":"a:b","value":"b"}],"x":[1]}"#
        ),
    ])
    func flattens(_ text: String, _ expected: String) throws { #expect(try apply([tags()], text) == expected) }

    @Test func options() throws {
        let text = #"{"tags":{"a":null,"b":"","C":"ÄX\n","D":[null,"","Y"]}}"#
        #expect(
            try apply([tags(null: .keep, empty: .drop, lowercase: true)], text)
                == #"{"tags":[{"keyToValue":"C:äx\n","value":"äx\n"},{"keyToValue":"D:","value":null},"#
                + #"{"keyToValue":"D:y","value":"y"},{"keyToValue":"a:","value":null}]}"#)
    }

    @Test(arguments: [
        "1", "\"\"", "\"x\"", "true", "[1]", #"[{"a":1},2]"#, #"[{"keyToValue":"a:1","value":"1"},{"b":1}]"#,
    ])
    func notAMap(_ value: String) {
        #expect(reason([tags()], "{\"tags\":\(value)}") == "not_a_map")
        do { _ = try apply([tags("x.tags")], "{\"x\":[{\"tags\":\(value)}]}") } catch {
            #expect((error as? TransformError)?.detail.contains("\"x.tags\"") == true)
        }
    }

    @Test func pathsThroughArraysAndEscapedDots() throws {
        #expect(
            try apply([tags("e.t")], #"{"e":[{"t":{"a":1}},5,[{"t":{"b":2}}],null,{"x":1}]}"#)
                == #"{"e":[{"t":[{"keyToValue":"a:1","value":"1"}]},5,[{"t":[{"keyToValue":"b:2",""#
                + #"value":"2"}]}],null,{"x":1}]}"#
        )
        #expect(
            try apply([tags("a\\.b")], #"{"a.b":{"k":1},"a":{"b":{"k":2}}}"#)
                == #"{"a.b":[{"keyToValue":"k:1","value":"1"}],"a":{"b":{"k":2}}}"#)
        #expect(try apply([tags("a.b")], #"{"a.b":{"k":1}}"#) == #"{"a.b":{"k":1}}"#)
    }

    @Test func manyKeysAreSorted() throws {
        let keys = (0..<3000).map { "key-\($0 * 7919 % 3000)" }
        let text = "{\"tags\":{" + keys.map { "\"\($0)\":\"\($0)\"" }.joined(separator: ",") + "}}"
        let pairs = try JSONValue(parsing: try apply([tags()], text))["tags"]?.array?.compactMap { $0["value"]?.string }
        #expect(pairs == keys.sorted())
    }

    /// Few keys are sorted and short values written another way than many and long ones, and the last ones of a text
    /// than others.
    @Test func everyNumberOfKeysAndLengthOfValues() throws {
        var random = Seeded(newSeed("everyNumberOfKeysAndLengthOfValues"))
        for count in 0...40 {
            for _ in 0..<8 {
                var map: [String: String] = [:]
                while map.count < count {
                    // Alike in their first eight bytes, or not.
                    let start = random.pick(["", "a", "commonbeginning", "b:", "commonbe"])
                    let value = String(repeating: "v", count: random.below(40)) + random.pick(["", "é", "\\n"])
                    map[start + String(random.below(1000))] = value
                }
                let text = "{\"tags\":{" + map.map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",") + "}}"
                let wanted = map.sorted { Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8)) }.map {
                    let key = $0.key.replacing(":", with: #"\\:"#)
                    return "{\"keyToValue\":\"\(key):\($0.value)\",\"value\":\"\($0.value)\"}"
                }
                #expect(try apply([tags()], text) == "{\"tags\":[" + wanted.joined(separator: ",") + "]}")
            }
        }
    }

    @Test func mapping() {
        #expect(
            Transformer.mappingProperties(KeyToValue(field: path("tags"), nested: true, ignoreAbove: 256)).text()
                == #"{"type":"nested","properties":{"keyToValue":{"type":"keyword","ignore_above":256},"#
                + #""value":{"type":"keyword","ignore_above":256}}}"#)
        #expect(
            Transformer.mappingProperties(KeyToValue(field: path("tags"))).text()
                == #"{"properties":{"keyToValue":{"type":"keyword"},"value":{"type":"keyword"}}}"#)
    }
}

@Suite struct DocumentTests {
    @Test func whatIsNotADocument() {
        for text in ["[1]", "1", "\"a\"", "null", " true "] { #expect(reason([tags()], text) == "not_an_object") }
        for text in ["", " ", "{", "{}x", "[", "{\"a\":01}", "{\"a\":\"\u{1}\"}"] {
            #expect(reason([tags()], text) == "not_json", "\(text)")
        }
    }

    @Test func outIsRestored() throws {
        let out = ByteBuffer()
        out.append("before")
        let transformer = Transformer([tags("a"), tags("b")])
        #expect(throws: TransformError.self) {
            try withBytes(#"{"a":{"x":1},"b":2}"#) { try transformer.apply($0, into: out) }
        }
        #expect(String(decoding: out.bytes, as: UTF8.self) == "before")
        try withBytes(#"{"a":{}}"#) { try transformer.apply($0, into: out) }
        #expect(String(decoding: out.bytes, as: UTF8.self) == #"before{"a":[]}"#)
    }

    @Test func untouchedTextStays() throws {
        let text = #"{"x":[ 1.0, {"d":1,"d":2} ],"x":"\u00e9\/","n":-0.0}"#
        #expect(try apply([tags()], text) == text)
        #expect(try apply([], text) == text)
        #expect(try apply([tags("t")], #"{"u":1,"t":null,"u":2}"#) == #"{"u":1,"t":null,"u":2}"#)
    }

    @Test func depthOfAThousand() throws {
        func nest(_ open: String, _ close: String, _ levels: Int) -> String {
            String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels)
        }
        let arrays = "{\"tags\":" + nest("[", "]", 999) + "}"
        #expect(try apply([], arrays) == arrays)
        #expect(reason([], "{\"tags\":" + nest("[", "]", 1000) + "}") == "too_deep")
        let objects = "{\"tags\":" + nest("{\"k\":", "}", 999) + "}"
        let flat = try JSONValue(parsing: try apply([tags()], objects))
        #expect(flat["tags"]?[0]?["value"]?.string == "1")
        let inArrays = "{\"tags\":{\"a\":" + nest("[", "]", 998) + "}}"
        #expect(try apply([tags()], inArrays) == #"{"tags":[{"keyToValue":"a:1","value":"1"}]}"#)
        let walked = "{\"e\":" + nest("[", "]", 998).replacing("1", with: "{\"t\":1}") + "}"
        #expect(try apply([.remove([path("e.t")])], walked) == walked.replacing("\"t\":1", with: ""))
        let key = Array(repeating: "k", count: 999).joined(separator: ".")
        #expect(
            try merge([tags()], "{\"tags\":[]}", objects)
                == "{\"tags\":[{\"keyToValue\":\"\(key):1\",\"value\":\"1\"}]}")
        let deep = "{\"x\":" + nest("{\"k\":", "}", 999) + "}"
        #expect(try merge([tags()], deep, deep) == deep)
    }

    @Test func twentyMegabytes() throws {
        let body = String(repeating: "abcdefghij", count: 100_000)
        let text =
            "{" + (0..<20).map { "\"f\($0)\":\"\(body)\"" }.joined(separator: ",") + ",\"tags\":{\"a\":\"\(body)\"}}"
        #expect(try apply([tags()], text).utf8.count == text.utf8.count + body.utf8.count + 24)
    }

    @Test func amplificationIsBounded() {
        let name = String(repeating: "n", count: 1_000_000)
        let text = "{\"tags\":{\"\(name)\":{" + (0..<400).map { "\"k\($0)\":1" }.joined(separator: ",") + "}}}"
        #expect(reason([tags()], text) == "too_large")
    }
}
