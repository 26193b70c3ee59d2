import Commands
import JSONText
import Testing

@Suite struct DebeziumTests {
    static let plain = CommandFormat(shape: .debezium(id: nil))
    static let joined = CommandFormat(shape: .debezium(id: ["a", "b"]))
    static let created = #"{"before":null,"after":{"id":5,"n":"x"},"op":"c","ts_ms":3}"#

    static let rows: [Case] = [
        Case(plain, Given(created, key: #"{"id":5}"#), #"index 0 5 v9 {"id":5,"n":"x"}"#),
        Case(plain, Given(#"{"after":{},"op":"r"}"#, key: #" { "id" : "a\"b" } "#), #"index 0 a"b v9 {}"#),
        Case(
            plain, Given(#"{"before":{"n":1},"after":{"n":2},"op":"u"}"#, key: #"{"id":5}"#), #"index 0 5 v9 {"n":2}"#),
        Case(plain, Given(#"{"before":{"n":1},"after":null,"op":"d"}"#, key: #"{"id":5}"#), "delete 0 5 v9"),
        Case(plain, Given(nil, key: #"{"id":5}"#), "delete 0 5 v9"),
        Case(plain, Given(nil, key: nil), "reject no_id"),
        Case(plain, Given(#"{"op":"t"}"#, key: nil), "reject truncate"),
        Case(plain, Given(#"{"op":"m"}"#, key: nil), "skip"),
        Case(plain, Given(#"{"op":"q"}"#, key: nil), "reject unknown_operation"),
        Case(plain, Given(#"{"op":5}"#, key: nil), "reject no_operation"),
        Case(plain, Given(#"{"a":5}"#, key: nil), "reject no_operation"),
        Case(plain, Given("[]", key: nil), "reject not_an_object"),
        Case(plain, Given(created, key: nil), "reject no_id"),
        Case(plain, Given(created, key: "{}"), "reject no_id"),
        Case(plain, Given(created, key: #"{"a":1,"b":2}"#), "reject no_id"),
        Case(plain, Given(created, key: #"{"a":null}"#), "reject no_id"),
        Case(plain, Given(created, key: #"{"a":[1]}"#), "reject no_id"),
        Case(plain, Given(created, key: "abc"), "reject not_json"),
        Case(plain, Given(created, key: "17"), #"index 0 17 v9 {"id":5,"n":"x"}"#),
        Case(plain, Given(created, key: "null"), "reject no_id"),
        Case(plain, Given(#"{"after":null,"op":"c"}"#, key: "1"), "reject not_an_object"),
        Case(plain, Given(#"{"op":"c"}"#, key: "1"), "reject no_document"),
        Case(
            plain,
            Given(
                #"{"schema":{"op":"q"},"payload":\#(created)}"#,
                key: #"{"schema":{"type":"struct"},"payload":{"id":5}}"#), #"index 0 5 v9 {"id":5,"n":"x"}"#),
        Case(plain, Given(#"{"schema":null,"payload":null}"#, key: "1"), "delete 0 1 v9"),
        Case(
            plain,
            Given(bytes: [0, 0, 0, 0, 1] + Array(created.utf8), key: [0, 0, 0, 0, 2] + Array(#"{"id":5}"#.utf8)),
            #"index 0 5 v9 {"id":5,"n":"x"}"#),
        Case(plain, Given(bytes: Array(created.utf8), key: [0, 0, 0, 0, 2, 8]), "reject schema_not_json"),
        Case(joined, Given(created, key: #"{"b":"\u0079","a":1}"#), #"index 0 1:y v9 {"id":5,"n":"x"}"#),
        Case(
            joined, Given(created, key: #"{"schema":{},"payload":{"b":"y","a":1}}"#),
            #"index 0 1:y v9 {"id":5,"n":"x"}"#),
        Case(joined, Given(created, key: #"{"a":1}"#), "reject no_id"),
    ]

    static let full = CommandFormat(
        shape: .debezium(id: nil), routing: path("org"), version: .field(path("rev")),
        selectors: [
            CommandFormat.Selector(field: path("after.kind"), equals: "a"),
            CommandFormat.Selector(field: path("source.table"), equals: "t"),
        ])
    static let fromRows: [Case] = [
        Case(
            full, Given(#"{"op":"c","after":{"kind":"a","org":"o","rev":4}}"#, key: "1"),
            #"index 0 1 r=o v4 {"kind":"a","org":"o","rev":4}"#),
        Case(
            full, Given(#"{"op":"d","before":{"kind":"a","org":"o","rev":4},"after":null}"#, key: "1"),
            "delete 0 1 r=o v4"),
        Case(
            full, Given(#"{"op":"d","before":{"org":"o","rev":4},"source":{"table":"t"}}"#, key: "1"),
            "reject no_entry"),
        Case(
            full, Given(#"{"op":"d","before":{"kind":"z","org":"o","rev":4},"source":{"table":"t"}}"#, key: "1"),
            "delete 1 1 r=o v4"),
        Case(
            full, Given(#"{"op":"d","before":{"kind":"z","rev":4},"source":{"table":"t"}}"#, key: "1"),
            "reject no_routing"),
        Case(full, Given(#"{"op":"d","before":null,"source":{"table":"t"}}"#, key: "1"), "reject no_entry"),
        Case(full, Given(#"{"op":"c","after":{"kind":"z"},"source":{"table":"u"}}"#, key: "1"), "skip"),
    ]

    @Test(arguments: rows + fromRows) func decodes(_ row: Case) {
        #expect(row.given.decoded(CommandDecoder(row.format)) == row.expected, "\(row.given)")
    }
}
