@testable import Recipe

/// Formats of commands that cannot be.
extension BadRecipeTests {
    static let formats = [
        Case(
            name: "misspelt format", text: Reading.small(commands("  format: documnt")),
            expected: [
                "5:11: commands.format is \"documnt\"; it must be \"document\", \"envelope\" or \"debezium\" -> "
                    + "document"
            ]),
        Case(
            name: "envelope missing", text: Reading.small(commands("  format: envelope")),
            expected: ["5:3: format: envelope needs commands.envelope, which says where the parts are"]),
        Case(
            name: "section of another format",
            text: Reading.small(commands("  format: document\n  debezium: { id: [a] }")),
            expected: ["6:3: commands.debezium is for format: debezium, and the format is document"]),
        Case(
            name: "command in two lists",
            text: Reading.small(
                commands(
                    "  format: envelope\n  envelope: { id: key, operation: c, index: [A, B], delete: [B], "
                        + "ignore: A }")),
            expected: [
                "6:62: the command \"B\" is in envelope.index and in envelope.delete",
                "6:74: the command \"A\" is in envelope.index and in envelope.ignore",
            ]),
        Case(
            name: "envelope that writes nothing",
            text: Reading.small(commands("  format: envelope\n  envelope: { id: key, operation: c, ignore: [A] }")),
            expected: ["6:3: commands.envelope names no command that writes: fill index, merge or delete"]),
        Case(
            name: "paths",
            text: Reading.small(
                commands(
                    "  format: envelope\n  envelope: { id: \"header:\", operation: a..b, index: A, "
                        + "routing: x. }")),
            expected: [
                "6:19: commands.envelope.id \"header:\" names no header",
                "6:41: commands.envelope.operation \"a..b\" is not a field path: it has an empty name",
                "6:66: commands.envelope.routing.path \"x.\" is not a field path: it has an empty name",
            ]),
        Case(
            name: "templates of ids",
            text: Reading.small(
                commands("  format: envelope\n  envelope: { id: \"{a}-{b\", operation: c, index: A }")),
            expected: ["6:19: commands.envelope.id \"{a}-{b\" has a \"{\" without its \"}\""]),
        Case(
            name: "ids that a delete does not have",
            text: Reading.small(commands("  format: document\n  document: { id: \"{a.kind}-{key}\" }")),
            expected: [
                "6:19: commands.document.id \"{a.kind}-{key}\" has {a.kind} in it, and an id is made of the record's "
                    + "key alone, whose fields lie beside each other: a delete may have no value"
            ]),
        Case(
            name: "a key and its fields",
            text: Reading.small(commands("  format: document\n  document: { id: \"{kind}-{key}\" }")),
            expected: [
                "6:19: commands.document.id \"{kind}-{key}\" has {key} in it beside other parts, and {key} is all of "
                    + "the key"
            ]),
        Case(
            name: "fields of a key that is a text",
            text: Reading.small(commands("  format: document\n  document: { id: \"{kind}-{id}\" }")),
            expected: ["6:15: id names fields of the key, so the key is a struct: say `key: json` (or confluent)"]),
        Case(
            name: "a template among fields",
            text: Reading.small(commands("  format: debezium\n  debezium: { id: [a, \"x{b}\"] }")),
            expected: ["6:23: a template is the whole id: say it alone, without other fields beside it"]),
        Case(
            name: "a template without the key",
            text: Reading.small(commands("  format: debezium\n  debezium: { id: \"{header:h}\" }")),
            expected: [
                "6:19: commands.debezium.id \"{header:h}\" has a header in it, and an id is made of the record's key "
                    + "alone"
            ]),
        Case(
            name: "paths of a change event",
            text: Reading.small(
                commands("  format: debezium\n  debezium: { routing: after.org }\n  version: { field: before.rev }")
                    .merging(["indices": "indices: [ { from: orders, to: o2, select: { field: kind, equals: a } } ]"]) {
                        $1
                    }),
            expected: [
                "6:24: routing counts from the row, and \"after.org\" would be looked for inside it: say \"org\"",
                "7:21: version.field counts from the row, and \"before.rev\" would be looked for inside it: say "
                    + "\"rev\"",
                "10:53: select.field counts from the root of the change event, which has no \"kind\": say "
                    + "\"after.kind\", or \"source.table\" for the table",
            ]),
        Case(
            name: "a routing in a header",
            text: Reading.small(
                commands("  format: envelope\n  envelope: { id: key, operation: c, index: A, routing: \"header:r\" }")),
            expected: [
                "6:57: routing is \"header:r\", and a routing can only be a field: headers are not looked at"
            ]),
        Case(
            name: "the record's key as routing",
            text: Reading.small(
                commands("  format: envelope\n  envelope: { id: key, operation: c, index: A, routing: key }")),
            expected: [
                "6:57: routing: key would look for a field named key, not at the record's key, which cannot be the "
                    + "routing. If there is such a field, say { path: key }"
            ]),
        Case(
            name: "a field named key as routing",
            text: Reading.small(
                commands(
                    "  format: envelope\n  envelope: { id: key, operation: c, index: A, routing: { path: key } }")),
            expected: []),
        Case(
            name: "a key that is no id",
            text: Reading.small(
                commands("  format: envelope\n  envelope: { id: a.b, key: json, operation: c, index: A }")),
            expected: [
                "6:24: key says how the record's key or header is written, and the id is not there but in \"a.b\""
            ]),
        Case(
            name: "fields of a key that is a number",
            text: Reading.small(commands("  format: debezium\n  debezium: { id: [a], key: int64 }")),
            expected: ["6:24: id names fields of the key, and a key of the kind int64 has none"]),
        Case(
            name: "a step that parts of documents cannot take",
            text: Reading.small([
                "commands": commands(
                    "  format: envelope\n  envelope: { id: key, operation: c, index: A, merge: B }")["commands"] ?? "",
                "indices": indices(
                    "  - from: a\n    to: b\n    transform: [ { set: { field: x, value: 1, if_missing: true } } ]")[
                        "indices"] ?? "",
            ]),
            expected: [
                "12:18: this step cannot be done to a part of a document: `if_missing` cannot tell a field that \"x\" "
                    + "lacks from one that the update leaves out"
            ]),
        Case(
            name: "version of two kinds",
            text: Reading.small(commands("  format: document\n  version: { field: a, header: b }")),
            expected: ["6:24: commands.version has exactly one key, and \"field\" is already there"]),
        Case(
            name: "the application's group is ours",
            text: Reading.small(commands("  format: document\n  application_group: crossfade-small")),
            expected: [
                "6:22: application_group is Crossfade's own group; it would take partitions away from the application"
            ]),
        Case(
            name: "handover to our own group", text: Reading.small(more: "cutover: { handover: crossfade-small }"),
            expected: ["9:22: cutover.handover is Crossfade's own group; name that of your new indexer"]),
        Case(
            name: "properties of Kafka",
            text: Reading.small(
                commands("  format: document\n  kafka: { group.id: x, securty.protocol: SSL, fetch.min.bytes: few }")),
            expected: [
                "6:12: group.id belongs to Crossfade: say it as commands.group",
                "6:25: librdkafka \(KafkaVersion.text) knows no property \"securty.protocol\" -> security.protocol",
                "6:48: fetch.min.bytes cannot have this value: Invalid value for configuration property "
                    + "\"fetch.min.bytes\"",
            ]),
    ]
}
