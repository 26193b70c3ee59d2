import Commands
import JSONText
import Testing

struct Case: Sendable {
    let format: CommandFormat
    let given: Given
    let expected: String
    init(_ format: CommandFormat, _ given: Given, _ expected: String) {
        (self.format, self.given, self.expected) = (format, given, expected)
    }
}

@Suite struct DecoderTests {
    static let document = CommandFormat(shape: .document)
    static let documents: [Case] = [
        Case(document, Given(#" {"a":1} "#), #"index 0 k v9 {"a":1}"#),
        Case(document, Given(nil), "delete 0 k v9"),
        Case(document, Given(#"{"a":1}"#, key: nil), "reject no_id"),
        Case(document, Given(nil, key: nil), "reject no_id"),
        Case(document, Given(#"{"a":1}"#, key: ""), "reject no_id"),
        Case(document, Given("", key: "k"), "reject not_json"),
        Case(document, Given("null"), "delete 0 k v9"),
        Case(document, Given("[1]"), "reject not_an_object"),
        Case(document, Given("{\"a\":1}{"), "reject not_json"),
        Case(document, Given(bytes: Array("{}".utf8), key: [0xC3]), "reject bad_utf8"),
        Case(document, Given(String(repeating: #"{"a":"#, count: 1_001)), "reject too_deep"),
        Case(document, Given("{}", key: String(repeating: "é", count: 257)), "reject id_too_long"),
        Case(
            document, Given("{}", key: String(repeating: "é", count: 256)),
            "index 0 \(String(repeating: "é", count: 256)) v9 {}"),
        Case(document, Given(bytes: [0, 0, 0, 0, 9] + Array(#"{"a":1}"#.utf8)), #"index 0 k v9 {"a":1}"#),
        Case(document, Given(bytes: [0, 0, 0, 0, 9, 6, 0x61]), "reject schema_not_json"),
        Case(document, Given(bytes: [0, 0, 0, 0, 9]), "reject schema_not_json"),
        Case(document, Given(bytes: [0, 0]), "reject not_json"),
        Case(CommandFormat(shape: .document, routing: path("r")), Given(nil), "reject no_routing"),
        Case(
            CommandFormat(shape: .document, version: .field(path("v"))), Given(nil), "reject bad_version"),
        Case(
            CommandFormat(shape: .document, version: .header("v")), Given(nil, headers: ["v": "12"]),
            "delete 0 k v12"),
        Case(
            CommandFormat(
                shape: .document,
                selectors: [CommandFormat.Selector(field: path("kind"), equals: "x")]), Given(nil), "reject no_entry"),
        Case(
            CommandFormat(
                shape: .document,
                selectors: [CommandFormat.Selector(field: path("kind"), equals: "x"), nil]), Given(nil),
            "reject no_entry"),
    ]

    static let envelopes: [Case] = [
        Case(envelope(), Given(#"{"id":"7","command":"Insert","message":{"x":1}}"#), #"index 0 7 v9 {"x":1}"#),
        Case(envelope(), Given(#"{"id":"7","command":"Put","message":{}}"#), "index 0 7 v9 {}"),
        Case(envelope(), Given(#"{"id":7,"command":"Update","message":{"x":null}}"#), #"merge 0 7 v9 {"x":null}"#),
        Case(envelope(), Given(#"{"id":1e3,"command":"Delete"}"#), "delete 0 1e3 v9"),
        Case(envelope(), Given(#"{"id":"7","command":"Delete","message":17}"#), "delete 0 7 v9"),
        Case(envelope(), Given(#"{"command":"Ping"}"#), "skip"),
        Case(envelope(), Given(nil), "reject no_value"),
        Case(envelope(), Given(#"{"id":"7","command":"Insrt","message":{}}"#), "reject unknown_operation"),
        Case(envelope(), Given(#"{"id":"7","command":4}"#), "reject no_operation"),
        Case(envelope(), Given(#"{"id":"7"}"#), "reject no_operation"),
        Case(envelope(), Given(#"{"id":"7","command":"Insert"}"#), "reject no_document"),
        Case(envelope(), Given(#"{"id":"7","command":"Insert","message":[]}"#), "reject not_an_object"),
        Case(envelope(), Given(#"{"command":"Delete"}"#), "reject no_id"),
        Case(envelope(), Given(#"{"id":null,"command":"Delete"}"#), "reject no_id"),
        Case(envelope(), Given(#"{"id":true,"command":"Delete"}"#), "reject no_id"),
        Case(envelope(), Given(#"{"id":{},"command":"Delete"}"#), "reject no_id"),
        Case(envelope(), Given(#"{"id":"","command":"Delete"}"#), "reject no_id"),
        Case(
            envelope(), Given(#"{"id":"a\"\u00e9\n","command":"\u0044elete"}"#), "delete 0 a\"é\n v9"),
        Case(envelope(), Given(#"{"id":"1","id":"2","command":"Delete"}"#), "delete 0 2 v9"),
        Case(envelope(), Given("17"), "reject not_an_object"),
        Case(envelope(), Given("not json"), "reject not_json"),
        Case(
            envelope(id: .key, document: nil), Given(#"{"command":"Insert"}"#, key: "a b"),
            #"index 0 a b v9 {"command":"Insert"}"#),
        Case(envelope(id: .header("id")), Given(#"{"command":"Delete"}"#, headers: ["id": "h"]), "delete 0 h v9"),
        Case(envelope(id: .header("id")), Given(#"{"command":"Delete"}"#), "reject no_id"),
    ]

    static let routed = envelope(routing: "message.org")
    static let routings: [Case] = [
        Case(
            routed, Given(#"{"id":"7","command":"Insert","message":{"org":"\u0061b"}}"#),
            #"index 0 7 r=ab v9 {"org":"\u0061b"}"#),
        Case(
            routed, Given(#"{"id":"7","command":"Insert","message":{"org":5}}"#), #"index 0 7 r=5 v9 {"org":5}"#),
        Case(routed, Given(#"{"id":"7","command":"Delete","message":{"org":true}}"#), "delete 0 7 r=true v9"),
        Case(routed, Given(#"{"id":"7","command":"Delete"}"#), "reject no_routing"),
        Case(routed, Given(#"{"id":"7","command":"Delete","message":{"org":""}}"#), "reject no_routing"),
        Case(routed, Given(#"{"id":"7","command":"Delete","message":{"org":null}}"#), "reject no_routing"),
        Case(routed, Given(#"{"id":"7","command":"Delete","message":{"org":[1]}}"#), "reject bad_routing"),
    ]

    static let byID = envelope(routing: "message.org", missingRoutingIsID: true)
    static let withoutRouting: [Case] = [
        Case(
            byID, Given(#"{"id":"7","command":"Insert","message":{"org":"a"}}"#), #"index 0 7 r=a v9 {"org":"a"}"#),
        Case(byID, Given(#"{"id":"7","command":"Insert","message":{}}"#), "index 0 7 v9 {}"),
        Case(byID, Given(#"{"id":"7","command":"Insert","message":{"org":null}}"#), #"index 0 7 v9 {"org":null}"#),
        Case(byID, Given(#"{"id":"7","command":"Insert","message":{"org":""}}"#), #"index 0 7 v9 {"org":""}"#),
        Case(byID, Given(#"{"id":"7","command":"Insert","message":{"org":{}}}"#), "reject bad_routing"),
        Case(byID, Given(#"{"id":"7","command":"Update","message":{"x":1}}"#), "reject no_routing"),
        Case(byID, Given(#"{"id":"7","command":"Delete"}"#), "reject no_routing"),
        Case(byID, Given(#"{"id":"7","command":"Delete","message":{"org":"a"}}"#), "delete 0 7 r=a v9"),
        Case(
            CommandFormat(shape: .document, routing: path("r"), missingRoutingIsID: true), Given(nil),
            "reject no_routing"),
    ]

    static func versioned(_ version: String, _ expected: String) -> Case {
        Case(
            envelope(version: .field(path("v"))), Given(#"{"id":"7","command":"Delete","v":\#(version)}"#), expected)
    }

    static let versions: [Case] = [
        versioned("1", "delete 0 7 v1"), versioned(#""42""#, "delete 0 7 v42"),
        versioned("9223372036854775807", "delete 0 7 v9223372036854775807"),
        versioned("9223372036854775808", "reject bad_version"),
        versioned("99999999999999999999999999", "reject bad_version"),
        versioned("0", "delete 0 7 v0"), versioned("-1", "reject bad_version"),
        versioned("1.0", "delete 0 7 v1"), versioned("1e3", "delete 0 7 v1000"), versioned("50e-1", "delete 0 7 v5"),
        versioned(#""5.0""#, "delete 0 7 v5"), versioned("9007199254740993.0", "delete 0 7 v9007199254740993"),
        versioned("5.5", "reject bad_version"), versioned(#""NaN""#, "reject bad_version"),
        versioned(#""""#, "reject bad_version"), versioned(#"" 1""#, "reject bad_version"),
        versioned("null", "reject bad_version"), versioned("true", "reject bad_version"),
        Case(envelope(version: .field(path("w"))), Given(#"{"id":"7","command":"Delete"}"#), "reject bad_version"),
        Case(
            envelope(version: .header("rev")), Given(#"{"id":"7","command":"Delete"}"#, headers: ["rev": "8"]),
            "delete 0 7 v8"),
        Case(
            envelope(version: .header("rev")), Given(#"{"id":"7","command":"Delete"}"#, headers: ["rev": "8.0"]),
            "delete 0 7 v8"),
        Case(envelope(version: .header("rev")), Given(#"{"id":"7","command":"Delete"}"#), "reject bad_version"),
        Case(
            envelope(epoch: 3), Given(#"{"id":"7","command":"Delete"}"#, offset: 0),
            "delete 0 7 v\((Int64(3) << 44) + 2)"),
        Case(envelope(), Given(#"{"id":"7","command":"Delete"}"#, offset: 1 << 44), "reject bad_version"),
        Case(envelope(), Given(#"{"id":"7","command":"Delete"}"#, offset: -5), "reject bad_version"),
        Case(
            envelope(version: .timestamp), Given(#"{"id":"7","command":"Delete"}"#, timestamp: 1_000, offset: 5),
            "delete 0 7 v\((Int64(1_000) << 20) + 5)"),
        Case(
            envelope(version: .timestamp), Given(#"{"id":"7","command":"Delete"}"#, timestamp: -1),
            "reject bad_version"),
        Case(
            envelope(version: .timestamp), Given(#"{"id":"7","command":"Delete"}"#, timestamp: .max),
            "reject bad_version"),
    ]

    static let selecting = envelope(selectors: [
        CommandFormat.Selector(field: path("kind"), equals: "a"),
        CommandFormat.Selector(field: path("kind"), equals: "5"),
        CommandFormat.Selector(field: path("on"), equals: "true"),
    ])
    static let selections: [Case] = [
        Case(selecting, Given(#"{"id":"7","command":"Delete","kind":"a","on":true}"#), "delete 0 7 v9"),
        Case(selecting, Given(#"{"id":"7","command":"Delete","kind":"\u0061"}"#), "delete 0 7 v9"),
        Case(selecting, Given(#"{"id":"7","command":"Delete","kind":5}"#), "delete 1 7 v9"),
        Case(selecting, Given(#"{"id":"7","command":"Delete","kind":"b","on":true}"#), "delete 2 7 v9"),
        Case(selecting, Given(#"{"id":"7","command":"Delete","kind":"b","on":false}"#), "skip"),
        Case(selecting, Given(#"{"id":"7","command":"Delete","kind":"b"}"#), "reject no_entry"),
        Case(selecting, Given(#"{"command":"Unknown","kind":["a"]}"#), "skip"),
    ]

    @Test func theNameOfACommandMayBeABoolean() {
        let marked = CommandFormat(
            shape: .envelope(
                CommandFormat.Envelope(
                    id: .key, operation: path("__deleted"), index: ["false"], merge: [], delete: ["true"], ignore: [],
                    document: nil)))
        let decoder = CommandDecoder(marked)
        #expect(Given(#"{"__deleted":true}"#).decoded(decoder) == "delete 0 k v9")
        #expect(Given(#"{"__deleted":"true"}"#).decoded(decoder) == "delete 0 k v9")
        #expect(Given(#"{"__deleted":false}"#).decoded(decoder) == #"index 0 k v9 {"__deleted":false}"#)
    }

    @Test(arguments: [documents, envelopes, routings, withoutRouting, versions, selections].flatMap { $0 })
    func decodes(_ row: Case) {
        #expect(row.given.decoded(CommandDecoder(row.format)) == row.expected, "\(row.given)")
    }

    /// Scratch space of one record must not shine through in the next.
    @Test func oneDecoderForAll() {
        let decoder = CommandDecoder(Self.routed)
        for _ in 0..<3 {
            for row in Self.routings { #expect(row.given.decoded(decoder) == row.expected) }
        }
    }
}
