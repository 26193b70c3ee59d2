import Commands
import JSONText
import Testing

/// Which entry a command belongs to, and which tombstones it needs elsewhere.
@Suite struct SelectionTests {
    /// The operation, and its companions as `+entry r=routing v`.
    static func decoded(_ given: Given, _ decoder: CommandDecoder) -> String {
        given.decoded(decoder)
            + decoder.companions.map { companion in
                " +\(companion.entry)"
                    + (companion.routing.map { " r=\(String(repairing: $0))" } ?? "") + " v\(companion.version)"
            }.joined()
    }

    static func selector(_ field: String, _ equals: String) -> CommandFormat.Selector? {
        CommandFormat.Selector(field: path(field), equals: equals)
    }

    static func rules(_ change: (inout CommandRules) -> Void) -> CommandRules {
        var rules = CommandRules()
        change(&rules)
        return rules
    }

    static func debezium(routing: String? = nil, last: Bool = false, _ rules: CommandRules = CommandRules())
        -> CommandFormat
    {
        var format = CommandFormat(
            shape: .debezium(id: nil), routing: routing.map(path),
            selectors: [selector("after.kind", "a"), last ? nil : selector("after.kind", "b")])
        format.rules = rules
        return format
    }

    static func enveloped(_ field: String = "message.kind", _ rules: CommandRules = CommandRules()) -> CommandFormat {
        var format = envelope(selectors: [selector(field, "a"), selector(field, "b"), nil])
        format.rules = rules
        return format
    }

    static let every = rules { $0.unattributed = .every }
    static let never = rules { $0.moves = .never }

    static func row(_ op: String, before: String = "null", after: String = "null", key: String = #"{"id":5}"#) -> Given
    {
        Given(#"{"op":"\#(op)","before":\#(before),"after":\#(after)}"#, key: key)
    }

    // MARK: What does not say where it belongs

    static let deletes: [Case] = [
        Case(debezium(), row("d", before: #"{"id":5}"#), "reject no_entry"),
        Case(debezium(), row("d", before: #"{"id":5,"kind":null}"#), "reject no_entry"),
        // What Debezium fills columns with that may not be null, where the replica identity is the key.
        Case(debezium(), row("d", before: #"{"id":5,"kind":"","title":""}"#), "reject no_entry"),
        Case(debezium(last: true), row("d", before: #"{"id":5}"#), "reject no_entry"),
        Case(debezium(last: true), row("d", before: #"{"id":5,"kind":0,"title":""}"#), "reject no_entry"),
        Case(debezium(last: true), row("d", before: #"{"id":5,"kind":0,"title":"x"}"#), "delete 1 5 v9"),
        Case(debezium(), row("d", before: #"{"id":5,"kind":"b"}"#), "delete 1 5 v9"),
        Case(debezium(), row("d", before: #"{"id":5,"kind":"z"}"#), "skip"),
        Case(debezium(), row("d"), "reject no_entry"),
        Case(debezium(every), row("d", before: #"{"id":5}"#), "delete 0 5 v9 +1 v9"),
        Case(debezium(every), Given(nil, key: #"{"id":5}"#), "delete 0 5 v9 +1 v9"),
        Case(debezium(), Given(nil, key: #"{"id":5}"#), "reject no_entry"),
        Case(enveloped(), Given(#"{"id":"7","command":"Delete"}"#), "reject no_entry"),
        Case(enveloped("message.kind", every), Given(#"{"id":"7","command":"Delete"}"#), "delete 0 7 v9 +1 v9 +2 v9"),
        Case(enveloped(), Given(#"{"id":"7","command":"Delete","message":{"kind":"z"}}"#), "delete 2 7 v9"),
        Case(enveloped(), Given(#"{"id":"7","command":"Update","message":{"title":"x"}}"#), "reject no_entry"),
        Case(
            enveloped("message.kind", every), Given(#"{"id":"7","command":"Update","message":{"title":"x"}}"#),
            "reject no_entry"),
        // A whole document says all that it has.
        Case(
            enveloped("message.kind", never), Given(#"{"id":"7","command":"Insert","message":{"t":1}}"#),
            #"index 2 7 v9 {"t":1}"#),
        // A column that is stored apart and did not change.
        Case(
            debezium(last: true), row("u", after: #"{"kind":"__debezium_unavailable_value"}"#), "reject no_entry"),
    ]

    // MARK: Moves

    static let moves: [Case] = [
        Case(
            debezium(), row("u", before: #"{"kind":"a"}"#, after: #"{"kind":"b"}"#), #"index 1 5 v9 {"kind":"b"} +0 v9"#
        ),
        Case(debezium(), row("u", before: #"{"kind":"b"}"#, after: #"{"kind":"b"}"#), #"index 1 5 v9 {"kind":"b"}"#),
        Case(debezium(), row("u", after: #"{"kind":"b"}"#), #"index 1 5 v9 {"kind":"b"} +0 v9"#),
        Case(
            debezium(), row("u", before: #"{"id":5,"kind":null}"#, after: #"{"kind":"b"}"#),
            #"index 1 5 v9 {"kind":"b"} +0 v9"#),
        Case(debezium(), row("c", after: #"{"kind":"b"}"#), #"index 1 5 v9 {"kind":"b"}"#),
        Case(debezium(), row("r", after: #"{"kind":"b"}"#), #"index 1 5 v9 {"kind":"b"} +0 v9"#),
        Case(debezium(), row("u", before: #"{"kind":"b"}"#, after: #"{"kind":"z"}"#), "delete 1 5 v9"),
        Case(debezium(), row("u", before: #"{"kind":"z"}"#, after: #"{"kind":"z"}"#), "skip"),
        Case(debezium(), row("u", after: #"{"kind":"z"}"#), "delete 0 5 v9 +1 v9"),
        Case(debezium(), row("c", after: #"{"kind":"z"}"#), "skip"),
        Case(
            debezium(never), row("u", before: #"{"kind":"a"}"#, after: #"{"kind":"b"}"#),
            #"index 1 5 v9 {"kind":"b"}"#),
        Case(debezium(never), row("u", before: #"{"kind":"a"}"#, after: #"{"kind":"z"}"#), "skip"),
        Case(
            debezium(rules { $0.beforeIsProof = false }), row("u", before: #"{"kind":"b"}"#, after: #"{"kind":"b"}"#),
            #"index 1 5 v9 {"kind":"b"} +0 v9"#),
        Case(
            enveloped(), Given(#"{"id":"7","command":"Insert","message":{"kind":"b"}}"#),
            #"index 1 7 v9 {"kind":"b"} +0 v9 +2 v9"#),
        Case(enveloped(), Given(#"{"id":"7","command":"Delete","message":{"kind":"b"}}"#), "delete 1 7 v9"),
        // The kind of the command, which no document changes.
        Case(
            enveloped("kind"), Given(#"{"id":"7","command":"Insert","kind":"b","message":{}}"#), "index 1 7 v9 {}"),
        Case(
            enveloped("kind", rules { $0.moves = .tombstone }),
            Given(#"{"id":"7","command":"Insert","kind":"b","message":{}}"#), "index 1 7 v9 {} +0 v9 +2 v9"),
        Case(
            CommandFormat(shape: .document, selectors: [selector("kind", "a")]), Given(#"{"kind":"z"}"#, key: "7"),
            "delete 0 7 v9"),
        Case(
            CommandFormat(shape: .document, selectors: [selector("kind", "a")]), Given(#"{"kind":"a"}"#, key: "7"),
            #"index 0 7 v9 {"kind":"a"}"#),
    ]

    static let routed = CommandFormat(shape: .debezium(id: nil), routing: path("org"))
    static let routings: [Case] = [
        // In the same index: both routings may lead to one shard, where the document must win.
        Case(
            routed, row("u", before: #"{"org":"x"}"#, after: #"{"org":"y"}"#),
            #"index 0 5 r=y v9 {"org":"y"} +0 r=x v8"#),
        Case(routed, row("u", before: #"{"org":"y"}"#, after: #"{"org":"y"}"#), #"index 0 5 r=y v9 {"org":"y"}"#),
        Case(routed, row("u", after: #"{"org":"y"}"#), #"index 0 5 r=y v9 {"org":"y"}"#),
        Case(
            debezium(routing: "org"),
            row("u", before: #"{"org":"x","kind":"a"}"#, after: #"{"org":"y","kind":"b"}"#),
            #"index 1 5 r=y v9 {"org":"y","kind":"b"} +0 r=x v9"#),
        Case(
            debezium(routing: "org"), row("u", before: #"{"org":"x","kind":"a"}"#, after: #"{"org":"y","kind":"z"}"#),
            "delete 0 5 r=x v9"),
    ]

    @Test(arguments: [deletes, moves, routings].flatMap { $0 }) func decodes(_ row: Case) {
        let decoder = CommandDecoder(row.format)
        #expect(Self.decoded(row.given, decoder) == row.expected, "\(row.given)")
    }

    // MARK: Records without a value

    @Test func theTombstoneBehindADeleteSaysNothingNew() {
        let decoder = CommandDecoder(Self.debezium())
        var delete = Self.row("d", before: #"{"id":5,"kind":"b"}"#)
        delete.offset = 20
        var null = Given(nil, key: #"{"id":5}"#)
        null.offset = 21
        #expect(delete.decoded(decoder) == "delete 1 5 v22")
        #expect(null.decoded(decoder) == "skip")
        // Compaction has taken the delete of this one.
        var other = Given(nil, key: #"{"id":6}"#)
        other.offset = 22
        #expect(other.decoded(decoder) == "reject no_entry")
    }

    @Test(arguments: [
        (CommandRules.NullValue.reject, "reject no_value"), (.ignore, "skip"), (.delete, "delete 0 k v9"),
    ]) func envelopeWithoutAValue(_ said: CommandRules.NullValue, _ expected: String) {
        var format = envelope(id: .key)
        format.rules.nullValue = said
        #expect(Given(nil).decoded(CommandDecoder(format)) == expected)
    }

    @Test func truncate() {
        var format = CommandFormat(shape: .debezium(id: nil))
        #expect(Given(#"{"op":"t"}"#).decoded(CommandDecoder(format)) == "reject truncate")
        format.rules.truncate = .ignore
        #expect(Given(#"{"op":"t"}"#).decoded(CommandDecoder(format)) == "skip")
    }
}
