import Commands
import JSONText
import Seeds
import Testing

@Suite struct KeyTests {
    private static func keyed(_ key: KeyEncoding, _ given: String, _ expected: String) -> Case {
        Case(CommandFormat(shape: .document, key: key), Given("{}", key: given), expected)
    }

    private static func bytes(_ key: KeyEncoding, _ given: [UInt8], _ expected: String) -> Case {
        Case(CommandFormat(shape: .document, key: key), Given(bytes: Array("{}".utf8), key: given), expected)
    }

    private static let prefix: [UInt8] = [0, 0, 0, 0, 7]

    static let keys: [Case] = [
        keyed(.text, "\"42\"", "index 0 \"42\" v9 {}"), keyed(.text, "{x}", "index 0 {x} v9 {}"),
        keyed(.text, #"{"id":42}"#, #"index 0 {"id":42} v9 {}"#),
        keyed(.text, #"{"schema":{"type":"string"},"payload":"42"}"#, "reject bad_key"),
        keyed(.text, #"{"payload":42,"schema":null}"#, "reject bad_key"),
        keyed(.json, "\"42\"", "index 0 42 v9 {}"), keyed(.json, "42", "index 0 42 v9 {}"),
        keyed(.json, " \"a\\u00e9\" ", "index 0 aé v9 {}"), keyed(.json, "-7", "index 0 -7 v9 {}"),
        keyed(.json, #"{"schema":{"type":"string"},"payload":"42"}"#, "index 0 42 v9 {}"),
        keyed(.json, #"{"schema":{"type":"int64"},"payload":42}"#, "index 0 42 v9 {}"),
        keyed(.json, #"{"schema":{"type":"struct"},"payload":{"id":42}}"#, "index 0 42 v9 {}"),
        keyed(.json, #"{"id":"42"}"#, "index 0 42 v9 {}"),
        keyed(.json, #"{"a":"42","b":1}"#, "reject bad_key"), keyed(.json, #"{"a":{"b":1}}"#, "reject bad_key"),
        keyed(.json, #"{"schema":null,"payload":null}"#, "reject bad_key"),
        keyed(.json, "null", "reject bad_key"), keyed(.json, "true", "reject bad_key"),
        keyed(.json, "[42]", "reject bad_key"), keyed(.json, "42abc", "reject bad_key"),
        keyed(.json, "", "reject bad_key"), keyed(.json, "\"\"", "reject bad_key"),
        keyed(.json, "\"\(String(repeating: "x", count: 513))\"", "reject id_too_long"),
        bytes(.json, prefix + Array("\"42\"".utf8), "index 0 42 v9 {}"),
        bytes(.int32, [0, 0, 0, 42], "index 0 42 v9 {}"), bytes(.int32, [0xFF, 0xFF, 0xFF, 0xFE], "index 0 -2 v9 {}"),
        bytes(.int32, [0, 0, 0, 0, 42], "reject bad_key"), bytes(.int32, [], "reject bad_key"),
        bytes(.int64, [0, 0, 0, 0, 0, 0, 1, 0], "index 0 256 v9 {}"),
        bytes(.int64, [0x80, 0, 0, 0, 0, 0, 0, 0], "index 0 -9223372036854775808 v9 {}"),
        bytes(.int64, [0, 0, 0, 42], "reject bad_key"), keyed(.int64, "12345678", "index 0 3544952156018063160 v9 {}"),
        bytes(.confluent, prefix + Array("42".utf8), "index 0 42 v9 {}"),
        bytes(.confluent, prefix + Array("\"42\"".utf8), "index 0 42 v9 {}"),
        bytes(.confluent, prefix + Array(#"{"id":"42"}"#.utf8), "index 0 42 v9 {}"),
        bytes(.confluent, prefix + Array("\"42".utf8), "reject bad_key"),
        bytes(.confluent, prefix, "reject bad_key"), keyed(.confluent, "42", "reject bad_key"),
        // Avro: a short text, a long one, and a number.
        bytes(.confluent, prefix + [4, 0x34, 0x32], "reject bad_key"),
        bytes(.confluent, prefix + [72] + Array("123e4567-e89b-42d3-a456-426614174000".utf8), "reject bad_key"),
        bytes(.confluent, prefix + [0xFF, 0x01], "reject bad_key"),
        Case(CommandFormat(shape: .document, key: .json), Given(nil, key: "\"42\""), "delete 0 42 v9"),
        Case(CommandFormat(shape: .document, key: .int64), Given(nil, key: nil), "reject no_id"),
        Case(
            CommandFormat(shape: .debezium(id: nil), key: .text),
            Given(#"{"op":"d","before":null}"#, key: "a-7"), "delete 0 a-7 v9"),
        Case(
            withKey(.json, id: .header("h")), Given(#"{"command":"Delete"}"#, headers: ["h": "\"42\""]),
            "delete 0 42 v9"),
        Case(
            withKey(.text, id: .header("h")), Given(#"{"command":"Delete"}"#, headers: ["h": "\"42\""]),
            "delete 0 \"42\" v9"),
        Case(withKey(.json), Given(#"{"command":"Delete"}"#, key: "\"42\""), "delete 0 42 v9"),
    ]

    private static func withKey(_ key: KeyEncoding, id: CommandFormat.IDSource = .key) -> CommandFormat {
        var format = envelope(id: id)
        format.key = key
        return format
    }

    private static let document = CommandFormat(shape: .document)
    static let wrapped: [Case] = [
        Case(
            document, Given(#"{"schema":{"type":"struct","fields":[]},"payload":{"a":1}}"#), #"index 0 k v9 {"a":1}"#),
        Case(document, Given(#" { "payload" : {"a":1} , "schema" : null } "#), #"index 0 k v9 {"a":1}"#),
        Case(document, Given(#"{"schema":{"type":"struct"},"payload":null}"#), "delete 0 k v9"),
        // Older versions of Kafka Connect's JSON converter write a tombstone as the text null.
        Case(document, Given(" null "), "delete 0 k v9"),
        Case(CommandFormat(shape: .debezium(id: nil)), Given("null", key: #"{"id":7}"#), "delete 0 7 v9"),
        Case(envelope(), Given("null"), "reject no_value"),
        Case(document, Given(#"{"schema":{"type":"string"},"payload":"x"}"#), "reject not_an_object"),
        // Documents that have such fields.
        Case(
            document, Given(#"{"schema":"v1","payload":{"a":1}}"#),
            #"index 0 k v9 {"schema":"v1","payload":{"a":1}}"#),
        Case(
            document, Given(#"{"schema":{"type":"x"},"payload":{},"b":1}"#),
            #"index 0 k v9 {"schema":{"type":"x"},"payload":{},"b":1}"#),
        Case(document, Given(#"{"schema":null}"#), #"index 0 k v9 {"schema":null}"#),
        Case(document, Given(#"{"payload":{"a":1}}"#), #"index 0 k v9 {"payload":{"a":1}}"#),
        Case(
            CommandFormat(shape: .document, routing: path("org"), version: .field(path("rev"))),
            Given(#"{"schema":{"type":"struct"},"payload":{"org":"o","rev":3}}"#),
            #"index 0 k r=o v3 {"org":"o","rev":3}"#),
        Case(
            envelope(),
            Given(#"{"schema":{"type":"struct"},"payload":{"id":"7","command":"Insert","message":{"x":1}}}"#),
            #"index 0 7 v9 {"x":1}"#),
        Case(envelope(), Given(#"{"schema":{"type":"struct"},"payload":{"id":"7"}}"#), "reject no_operation"),
        Case(envelope(), Given(#"{"schema":{"type":"struct"},"payload":7}"#), "reject not_an_object"),
    ]

    private static func templated(_ text: String, key: KeyEncoding = .text) -> CommandFormat {
        guard let template = try? CommandIDTemplate(parsing: text) else { return document }
        var format = envelope(id: .template(template))
        format.key = key
        return format
    }

    static let templates: [Case] = [
        Case(
            templated("{message.kind}-{id}"), Given(#"{"command":"Insert","id":7,"message":{"kind":"no\"te"}}"#),
            #"index 0 no"te-7 v9 {"kind":"no\"te"}"#),
        Case(templated("x{id}y"), Given(#"{"command":"Delete","id":"7"}"#), "delete 0 x7y v9"),
        Case(
            templated("{kind}-{key}", key: .int64), Given(#"{"command":"Delete","kind":"note"}"#, key: "12345678"),
            "delete 0 note-3544952156018063160 v9"),
        Case(
            templated("{kind}-{key}", key: .json), Given(#"{"command":"Delete","kind":"n\u0061"}"#, key: "\"\\u0061\""),
            "delete 0 na-a v9"),
        Case(
            templated("{header:t}/{id}"), Given(#"{"command":"Delete","id":"7"}"#, headers: ["t": "note"]),
            "delete 0 note/7 v9"),
        Case(templated("{header:t}/{id}"), Given(#"{"command":"Delete","id":"7"}"#), "reject no_id"),
        Case(templated("{kind}-{id}"), Given(#"{"command":"Delete","id":"7"}"#), "reject no_id"),
        Case(templated("{kind}-{id}"), Given(#"{"command":"Delete","id":"7","kind":""}"#), "reject no_id"),
        Case(templated("{kind}-{id}"), Given(#"{"command":"Delete","id":"7","kind":["a"]}"#), "reject no_id"),
    ]

    private static func made(
        _ text: String, _ shape: CommandFormat.Shape = .document, key: KeyEncoding? = nil
    ) -> CommandFormat {
        var isStruct = false
        if case .debezium = shape { isStruct = true }
        let template = try? CommandIDTemplate(parsing: text).ofKey(isStruct: isStruct)
        var format = CommandFormat(shape: isStruct ? .debezium(id: template?.names) : shape, key: key)
        format.keyTemplate = template
        return format
    }

    /// Ids of the formats whose deletes have nothing but their key.
    static let keyTemplates: [Case] = [
        Case(made("incident-{key}"), Given("{}", key: "7"), "index 0 incident-7 v9 {}"),
        Case(made("incident-{key}"), Given(nil, key: "7"), "delete 0 incident-7 v9"),
        Case(made("i{key}x", key: .json), Given(nil, key: #"{"id":"a"}"#), "delete 0 iax v9"),
        Case(made("i{key}x", key: .int64), Given(nil, key: "12345678"), "delete 0 i3544952156018063160x v9"),
        Case(made("i{key}"), Given(nil, key: nil), "reject no_id"),
        Case(made("i{key}"), Given("{}", key: String(repeating: "k", count: 512)), "reject id_too_long"),
        Case(made("{a}-{b}", key: .json), Given("{}", key: #"{"b":2,"a":"x"}"#), "index 0 x-2 v9 {}"),
        Case(
            made("<{a}/{b}>", key: .json), Given(nil, key: #"{"schema":{"type":"struct"},"payload":{"a":1,"b":2}}"#),
            "delete 0 <1/2> v9"),
        Case(made("{a}-{b}", key: .json), Given("{}", key: #"{"a":"x"}"#), "reject bad_key"),
        Case(made("{a}-{b}", key: .json), Given("{}", key: "7"), "reject bad_key"),
        Case(made("x{a}", key: .json), Given("{}", key: "7"), "index 0 x7 v9 {}"),
        Case(
            made("{t}-{id}", .debezium(id: nil)), Given(#"{"op":"c","after":{"x":1}}"#, key: #"{"id":7,"t":"note"}"#),
            #"index 0 note-7 v9 {"x":1}"#),
        Case(
            made("n-{key}", .debezium(id: nil)), Given(#"{"op":"d","before":null}"#, key: #"{"key":7}"#),
            "delete 0 n-7 v9"),
        Case(made("n-{id}", .debezium(id: nil)), Given(nil, key: #"{"id":7}"#), "delete 0 n-7 v9"),
        Case(made("n-{id}", .debezium(id: nil)), Given(nil, key: "7"), "delete 0 n-7 v9"),
        Case(made("{a}-{b}", .debezium(id: nil)), Given(nil, key: "7"), "reject no_id"),
    ]

    @Test(arguments: [keys, wrapped, templates, keyTemplates].flatMap { $0 })
    func decodes(_ row: Case) {
        #expect(row.given.decoded(CommandDecoder(row.format)) == row.expected, "\(row.given)")
    }

    @Test func aBadKeyIsSaidWithItsBytes() {
        let key: [UInt8]? = [0, 1, 2]
        key.borrowed { key in
            let record = Record(key: key, value: nil, partition: 0, offset: 0)
            guard case .reject(let reject) = CommandDecoder(CommandFormat(shape: .document, key: .int64)).decode(record)
            else {
                Issue.record("it is decoded")
                return
            }
            #expect(reject.detail.contains("00 01 02") && reject.detail.contains("commands.document.key"))
        }
    }

    @Test(arguments: ["{", "a}b", "{a", "{}", "{a..b}", "{header:}", "{a{b}}"])
    func noTemplate(_ text: String) {
        #expect(throws: CommandIDTemplate.Fault.self) { try CommandIDTemplate(parsing: text) }
    }

    /// An id that was written in some encoding is read back, whatever wraps the document.
    @Test func whatWasWrittenIsRead() {
        let seed = newSeed("whatWasWrittenIsRead")
        var random = Seeded(seed)
        let decoders = KeyEncoding.allCases.map { CommandDecoder(CommandFormat(shape: .document, key: $0)) }
        for _ in 0..<10_000 {
            let number = Int64(bitPattern: random.next()) >> Int64(random.below(64))
            let id = random.chance(50) ? String(number) : Self.text(&random)
            for (place, encoding) in KeyEncoding.allCases.enumerated() {
                guard let key = Self.write(id, encoding, &random) else { continue }
                let document = random.chance(50) ? "{}" : #"{"schema":{"type":"struct"},"payload":{}}"#
                let given = Given(bytes: Array(document.utf8), key: key)
                let expected = "index 0 \(id) v9 {}"
                #expect(given.decoded(decoders[place]) == expected, "seed \(seed) \(encoding) \(key)")
            }
        }
    }

    private static func text(_ random: inout Seeded) -> String {
        let letters = Array("abcxyzABC0189-_:/.é\u{1F600} ")
        return "i" + String((0..<random.below(40)).map { _ in random.pick(letters) })
    }

    /// Nil: the encoding cannot say this id.
    private static func write(_ id: String, _ encoding: KeyEncoding, _ random: inout Seeded) -> [UInt8]? {
        let number = Int64(id).flatMap { String($0) == id ? $0 : nil }
        let prefix: [UInt8] = [0, 0, 0, 1, UInt8(random.below(256))]
        switch encoding {
        case .text: return Array(id.utf8)
        case .json: return (random.chance(30) ? prefix : []) + json(id, number != nil, &random)
        case .int32: return number.flatMap { Int32(exactly: $0) }.map(bigEndian)
        case .int64: return number.map(bigEndian)
        case .confluent:
            let text = Array(id.utf8)
            guard random.chance(50), Int(text[0]) != 2 * (text.count - 1) else {
                return prefix + json(id, false, &random)
            }
            return prefix + text
        }
    }

    private static func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }

    private static func json(_ id: String, _ isNumber: Bool, _ random: inout Seeded) -> [UInt8] {
        let text = isNumber && random.chance(50) ? id : JSONValue.string(id).text()
        switch random.below(4) {
        case 0: return Array(#"{"schema":{"type":"string","optional":false},"payload":\#(text)}"#.utf8)
        case 1: return Array(#"{"id": \#(text) }"#.utf8)
        case 2: return Array(#"{"schema":{"type":"struct"},"payload":{"id":\#(text)}}"#.utf8)
        default: return Array(text.utf8)
        }
    }
}
