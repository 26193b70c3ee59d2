import Commands
import Indexing
import Transform

/// The table of all keys that a recipe may have.
package enum RecipeSchema {
    package static let root = RecipeSection(
        title: "the recipe",
        keys: [
            RecipeKey("name", .scalar(.name), required: true, "Names the state, the consumer group and the metrics."),
            RecipeKey(
                "commands", .section(commands),
                "The application's command topic. Without it only the copy feeds the target."),
            RecipeKey(
                "source", .section(cluster("source")),
                "The old cluster, only ever read. Without it only the topic feeds the target."),
            RecipeKey("target", .section(cluster("target")), required: true, "The new cluster."),
            RecipeKey(
                "indices", .list(.section(entry), orOne: false), required: true, "What goes where, in which shape."),
            RecipeKey("copy", .section(copy), "The bulk copy from the source."),
            RecipeKey("replay", .section(replay), "The replay of the topic."),
            RecipeKey("dead_letters", .section(deadLetters), "Where records go when they can never be applied."),
            RecipeKey("limits", .section(limits), "Limits on memory and requests."),
            RecipeKey(
                "accept", .list(.section(accept), orOne: false, allowsEmpty: true),
                "Refusals that are known and right in this case."),
            RecipeKey(
                "tombstone_age", .scalar(.duration), standard: "1h",
                "How long a deleted document's tombstone stays before it may be purged; longer than any write can be "
                    + "late."
            ),
            RecipeKey("operations", .section(operations), "Where a running command can be watched."),
            RecipeKey("verify", .section(verify), "How `crossfade verify` compares both sides."),
            RecipeKey("cutover", .section(cutover), "What must hold when readers are moved, and what moves them."),
            RecipeKey(
                "tests", .list(.section(RecipeTestSchema.test), orOne: false, allowsEmpty: true),
                "Samples, and what must become of them, for `crossfade recipe test`."),
        ])

    package static let commands = RecipeSection(
        title: "commands",
        keys: [
            RecipeKey(
                "bootstrap", .scalar(.nonEmpty), required: true,
                "Kafka brokers to begin with: `host:port`, several with commas."),
            RecipeKey("topic", .scalar(.topic), required: true, "The topic with the application's commands."),
            RecipeKey(
                "group", .scalar(.nonEmpty), standardInWords: "`crossfade-<name>`", "Crossfade's own consumer group."),
            RecipeKey(
                "kafka", .properties,
                "Properties of librdkafka, passed through, e.g. `security.protocol`; Crossfade's own are refused."
            ),
            RecipeKey(
                "allow_exec", .flag, standard: "false",
                "Whether properties under `kafka` may run programs or load code: `sasl.kerberos.kinit.cmd`, "
                    + "`ssl.engine.location`, `ssl.providers`."),
            RecipeKey(
                "format", .choice(["document", "envelope", "debezium"]), required: true,
                "How a record says what is to be done."),
            RecipeKey("envelope", .section(envelope), "Where the parts are, for `format: envelope`."),
            RecipeKey("document", .section(document), "Further parts, for `format: document`."),
            RecipeKey("debezium", .section(debezium), "Further parts, for `format: debezium`."),
            RecipeKey(
                "application_group", .scalar(.nonEmpty),
                "The application's own consumer group, for `from: recorded` and for its lag beside ours; only read."
            ),
            RecipeKey(
                "version", .words(["offset", "timestamp"], or: .section(version)), standard: "offset",
                "Where the versions of documents come from."),
            RecipeKey(
                "epoch", .integer(0...(1 << 18) - 1), standard: "0",
                "Raised when the topic was recreated, so that its new offsets are newer than the old."),
        ])

    package static let version = RecipeSection(
        title: "commands.version",
        keys: [
            RecipeKey(
                "field", .scalar(.fieldPath), "Path of a whole number that grows with every change of a document."),
            RecipeKey("header", .scalar(.nonEmpty), "Name of the record header that holds it."),
        ], exactlyOne: true)

    package static let envelope = RecipeSection(
        title: "commands.envelope",
        keys: [
            RecipeKey(
                "id", .scalar(.idSource), required: true,
                "Where the document's id is: a path, the record's key, a header, or a template of these such as "
                    + "`{message.kind}-{id}`."),
            key(standard: "`text`"),
            RecipeKey("operation", .scalar(.fieldPath), required: true, "Where the command's name is."),
            RecipeKey("index", names, standard: "[]", "Names of commands that bring the whole document."),
            RecipeKey(
                "merge", names, standard: "[]",
                "Names of commands that bring a part of it, to be merged into what is there."),
            RecipeKey("delete", names, standard: "[]", "Names of commands that delete it."),
            RecipeKey(
                "ignore", names, standard: "[]",
                "Names of commands that mean nothing to the index. Any other name is rejected to the dead letters."),
            RecipeKey(
                "document", .scalar(.fieldPath), standardInWords: "the whole value", "The part that is the document."),
            RecipeKey("routing", .section(routing), "Where the routing value is."),
            RecipeKey(
                "tombstone", .choice(CommandRules.NullValue.allCases.map(\.rawValue)), standard: "reject",
                "What a record without a value means: a dead letter, nothing, or the delete of its id."),
        ])

    /// A path alone stands for it.
    package static let routing = RecipeSection(
        title: "routing",
        keys: [
            RecipeKey("path", .scalar(.fieldPath), required: true, "Where the routing value is."),
            RecipeKey(
                "missing", .choice(["reject", "id"]), standard: "reject",
                "What becomes of a whole document without it: `reject`, a dead letter; `id`, it goes by its id. "
                    + "Deletes and parts of documents without it are always dead letters."),
        ], shorthand: "path")

    private static let names = RecipeType.list(.scalar(.nonEmpty), orOne: true, allowsEmpty: true)

    package static let document = RecipeSection(
        title: "commands.document",
        keys: [
            RecipeKey(
                "id", .scalar(.documentID), standardInWords: "the key",
                "The id, where it is more than the record's key: `incident-{key}`; or, of a key that is a struct "
                    + "(`key: json`), its fields: `{table}-{id}`."),
            key(standard: "`text`"),
            RecipeKey("routing", .section(routing), "Where the routing value is in the document."),
            RecipeKey(
                "tombstone", .choice(CommandRules.NullValue.allCases.map(\.rawValue)), standardInWords: "`delete`",
                "What a record without a value means: a dead letter, nothing, or the delete of its key's document."),
        ])

    private static func key(standard: String) -> RecipeKey {
        RecipeKey(
            "key", .choice(KeyEncoding.allCases.map(\.rawValue)), standardInWords: standard,
            "How the record's key, or the header with the id, says it.")
    }

    package static let debezium = RecipeSection(
        title: "commands.debezium",
        keys: [
            RecipeKey(
                "id", .list(.scalar(.keyField)), standardInWords: "the key's only field",
                "Fields of the record's key that make the id, joined by `:`; or one template of such fields: "
                    + "`{table}-{id}`."),
            key(standard: "`json`"),
            RecipeKey("routing", .section(routing), "Where the routing value is in the row."),
            RecipeKey(
                "unavailable", .choice(CommandRules.Unavailable.allCases.map(\.rawValue)), standardInWords: "reject",
                "What is done with a row whose large column Debezium did not get, because it did not change: a dead "
                    + "letter, or the document keeps what it has there."),
            RecipeKey(
                "unavailable_placeholder", .scalar(.nonEmpty), standardInWords: "`__debezium_unavailable_value`",
                "What stands in such a column: the connector's `unavailable.value.placeholder`."),
            RecipeKey(
                "truncate", .choice(CommandRules.Truncate.allCases.map(\.rawValue)), standardInWords: "stop",
                "What an event does that empties the whole table: it stops the work, or it is passed over."),
        ])

    package static let entry = RecipeSection(
        title: "an entry of indices",
        keys: [
            RecipeKey(
                "from", .scalar(.sourceIndex),
                "Index, alias or pattern on the source. Without it only the topic feeds the index."),
            RecipeKey(
                "filter", .choice(Recipe.AliasFilter.allCases.map(\.rawValue)),
                "Where `from` is an alias with a filter. `source`: only what it shows is copied, and commands concern "
                    + "nothing else. `alias`: all is copied, and `<to>-crossfade-read` has the filter."),
            RecipeKey(
                "to", .scalar(.targetIndex), required: true,
                "Index on the target; `{index}` stands for the source index that a pattern found."),
            RecipeKey(
                "alias", .list(.scalar(.alias), orOne: true, allowsEmpty: false),
                "The alias that the application reads; a list of several, which are moved in one request."),
            RecipeKey(
                "mapping", .jsonObject, standardInWords: "the source's",
                "The mapping: a JSON file relative to the recipe, or inline."),
            RecipeKey(
                "settings", .jsonObject, standardInWords: "the target's defaults",
                "The index settings: a JSON file relative to the recipe, or inline."),
            RecipeKey(
                "transform", .list(.section(step), orOne: false, allowsEmpty: true), standard: "[]",
                "What is done to every document, in this order."),
            RecipeKey(
                "select", .section(select), standardInWords: "all that no entry before it took",
                "Which commands belong to this entry."),
            RecipeKey(
                "merge", .choice(MergeMode.allCases.map(\.rawValue)), standard: "deep",
                "How a part of a document is merged: `deep` as the update API does, `shallow` by top-level fields."
            ),
            RecipeKey(
                "missing", .choice(MissingDocument.allCases.map(\.rawValue)), standard: "create",
                "What a merge does when its document does not exist and the copy is done: `create`, the part becomes "
                    + "the document; `ignore`, nothing, as after the update API's 404; `reject`, it is a dead letter."),
            RecipeKey(
                "id", .scalar(.idTemplate), standardInWords: "the id alone",
                "The copied documents' ids, where the source has several types. `{id}` says that no id is used twice."
            ),
            RecipeKey(
                "empty", .choice(Recipe.Verify.Empty.allCases.map(\.rawValue)), standard: "refuse",
                "What `verify` says where this entry has no document on either side: `empty`, or that this is right as "
                    + "long as another entry has one."),
        ])

    package static let select = RecipeSection(
        title: "select",
        keys: [
            RecipeKey(
                "field", .scalar(.fieldPath), required: true,
                "Path from the root of the record's value (for debezium of the event: `after.kind`, which for a delete "
                    + "is looked up in `before`)."
            ),
            RecipeKey("equals", .scalar(.text), required: true, "The value that it must have."),
            RecipeKey(
                "missing", .choice(CommandRules.Unattributed.allCases.map(\.rawValue)),
                standardInWords: "reject",
                "What a delete does that lacks the field: it is a dead letter, or it deletes its id in every entry. "
                    + "One select says it for all."),
            RecipeKey(
                "moves", .choice(CommandRules.Moves.allCases.map(\.rawValue)),
                standardInWords: "`tombstone` if a field lies inside the document",
                "Whether a document that goes into one entry is deleted in the others, where it may have been before. "
                    + "One select says it for all."),
        ])

    package static let copy = RecipeSection(
        title: "copy",
        keys: [
            RecipeKey(
                "slices", .integer(1...1024), standard: "16",
                "Parts that are copied side by side, and the units of resuming."),
            RecipeKey("page", .integer(1...10_000), standard: "1000", "Documents per page."),
            RecipeKey(
                "rate", .words(["unlimited"], or: .list(.scalar(.rate))), standard: "unlimited",
                "Bounds the reading: `5000/s`, `20MB/s`, or both in a list."),
            RecipeKey(
                "version", .words(CommandFormat.CopiedVersion.allCases.map(\.rawValue), or: .section(copyVersion)),
                standardInWords: "`field` where the document has the version field, else `floor`",
                "Where copied documents have their versions: `floor`, below every command; `field`, as commands have "
                    + "it; `source`, the source's own `_version`. Without commands: `floor`, the number of the copy; "
                    + "`source`; or the field."),
            RecipeKey(
                "since", .section(copySince),
                "Where `copy --since last` finds what was written since the copies before."),
            RecipeKey(
                "dead_letters", .section(copyDeadLetters),
                "When so many documents of a page become dead letters, the copy stops."),
        ])

    package static let copySince = RecipeSection(
        title: "copy.since",
        keys: [
            RecipeKey(
                "field", .scalar(.fieldPath), required: true,
                "The field with the time of a document's last change: a date, or a number of milliseconds since 1970."),
            RecipeKey(
                "margin", .scalar(.duration), standard: "60s",
                "How much earlier it begins. Longer than clocks differ, and than a write takes from that time on."),
        ])

    package static let copyVersion = RecipeSection(
        title: "copy.version",
        keys: [
            RecipeKey(
                "field", .scalar(.fieldPath), required: true,
                "Without commands: path of a whole number that grows with every change of a document.")
        ])

    package static let copyDeadLetters = RecipeSection(
        title: "copy.dead_letters",
        keys: [
            RecipeKey("share", .scalar(.share), standard: "50%", "The part of a page's documents."),
            RecipeKey(
                "count", .integer(1...1_000_000_000), standard: "100",
                "Fewer dead letters never stop the copy, unless all documents of an index are among them."),
        ])

    package static let replay = RecipeSection(
        title: "replay",
        keys: [
            RecipeKey(
                "from", .words(["beginning", "recorded"], or: .section(replayStart)), standard: "beginning",
                "Where the replay starts. `recorded`: where `application_group` stood when the copy began; that group "
                    + "must be what feeds the old index."),
            RecipeKey(
                "recorded_margin", .scalar(.duration), standard: "60s",
                "With `recorded`: how much earlier the replay starts. Longer than the application takes from a commit "
                    + "to the write of what it has committed."),
        ], shorthand: nil)

    package static let replayStart = RecipeSection(
        title: "replay.from",
        keys: [
            RecipeKey("timestamp", .scalar(.timestamp), "Records of this time and later."),
            RecipeKey(
                "offsets", .offsets, "Partition and first offset; partitions not named start at their beginning."),
        ], exactlyOne: true)

    package static let deadLetters = RecipeSection(
        title: "dead_letters",
        keys: [
            RecipeKey("topic", .scalar(.topic), standardInWords: "`<commands.topic>-dead`", "The dead-letter topic.")
        ])

    package static let accept = RecipeSection(
        title: "accept",
        keys: [
            RecipeKey("rail", .scalar(.acceptableRail), required: true, "The rail whose refusals are accepted."),
            RecipeKey("why", .scalar(.sentence), required: true, "Why that is right, for everyone who looks at it."),
            RecipeKey(
                "ids", .list(.scalar(.nonEmpty), orOne: true, allowsEmpty: false), standardInWords: "none",
                "Of rail `one_partition`: the ids that are accepted."),
        ])

    package static let operations = RecipeSection(
        title: "operations",
        keys: [
            RecipeKey(
                "listen", .words(["off"], or: .scalar(.listenAddress)), standard: "127.0.0.1:9464",
                "Where `follow`, `replay`, `copy` and `verify` serve dashboard, health and metrics; port 0 is any "
                    + "free one."),
            RecipeKey(
                "statsd", .scalar(.destination), standardInWords: "none", "Where figures are sent by UDP, as StatsD."),
        ])

    package static let limits = RecipeSection(
        title: "limits",
        keys: [
            RecipeKey(
                "memory", .scalar(.size), standard: "256MiB",
                "Bytes in flight between poll and acknowledgement; at least 32MiB."),
            RecipeKey(
                "in_flight", .words(["auto"], or: .integer(1...256)), standard: "auto",
                "Bulk requests under way at once; `auto` adapts to what the target bears."),
        ])
}

extension RecipeSchema {
    /// The section that knows a key which stands in the wrong place, or the two; nil: none does, or more.
    package static func home(of key: String) -> String? {
        var homes: [String] = []
        for section in sections where section.key(key) != nil && !homes.contains(section.title) {
            homes.append(section.title)
        }
        return (1...2).contains(homes.count) ? RecipeType.either(homes, quote: false) : nil
    }

    /// All sections, outermost first, in the order of the table.
    package static let sections: [RecipeSection] = sections(in: root)

    private static func sections(in section: RecipeSection) -> [RecipeSection] {
        [section] + section.keys.flatMap { sections(in: $0.type) }
    }

    private static func sections(in type: RecipeType) -> [RecipeSection] {
        switch type {
        case .section(let section): sections(in: section)
        case .list(let item, _, _): sections(in: item)
        case .words(_, let other): sections(in: other)
        default: []
        }
    }
}
