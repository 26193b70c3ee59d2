@testable import Recipe
import Testing
@testable import Migration

/// Each wrong recipe with exactly what is said of it.
struct BadRecipeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        var expected: [String]
        var testDescription: String { name }
    }

    @Test(arguments: keys + types + clusters + replays + selections + formats + steps)
    func isToldOf(_ bad: Case) {
        #expect(Reading.errors(bad.text) == bad.expected)
    }

    static func commands(_ more: String) -> [String: String] {
        ["commands": "commands:\n  bootstrap: b:1\n  topic: orders\n" + more]
    }

    static func indices(_ more: String) -> [String: String] { ["indices": "indices:\n" + more] }

    static let keys = [
        Case(
            name: "misspelt key", text: Reading.small(["name": "nmae: x"]),
            expected: ["1:1: unknown key \"nmae\" in the recipe -> name"]),
        Case(
            name: "key in the wrong place", text: Reading.small(more: "page: 5"),
            expected: [
                "9:1: unknown key \"page\" in the recipe; it belongs in copy or verify; known are name, commands, "
                    + "source, target, indices, copy, replay, dead_letters, limits, accept, tombstone_age, "
                    + "operations, verify, cutover, tests"
            ]),
        Case(
            name: "a key of later days", text: Reading.small(more: "gateway: { listen: 1 }"),
            expected: [
                "9:1: unknown key \"gateway\" in the recipe; known are name, commands, source, target, indices, copy, "
                    + "replay, dead_letters, limits, accept, tombstone_age, operations, verify, cutover, tests"
            ]),
        Case(
            name: "missing keys", text: "name: x\ntarget: { url: http://a }",
            expected: [
                "1:1: the recipe needs indices",
                "1:1: the recipe needs commands, or a source to copy from: nothing feeds the target",
            ]),
        Case(
            name: "no commands",
            text: Reading.small(
                ["commands": "", "indices": "indices: [ { from: orders, to: a, merge: deep }, { to: b } ]"],
                more: "replay: { from: beginning }\ndead_letters: { topic: d }\ncopy: { version: field }\n"
                    + "cutover: { handover: indexer }\n"),
            expected: [
                "5:35: merge does nothing: no command merges (commands.envelope.merge)",
                "5:50: this entry has no from, and without commands nothing feeds it",
                "6:1: replay is about the command topic, and the recipe has no commands",
                "7:1: dead_letters is about the command topic, and the recipe has no commands",
                "8:18: copy.version is field, and without commands nothing says which: say copy.version: { field: PATH "
                    + "}",
                "9:12: cutover.handover is a group of the command topic, and the recipe has no commands",
            ]),
        Case(
            name: "more for librdkafka than there is",
            text: Reading.small(
                commands(
                    "  format: document\n  kafka: { queued.max.messages.kbytes: 20000, fetch.max.bytes: 9000000 }\n"),
                more: "limits: { memory: 64MiB }"),
            expected: [
                "6:12: queued.max.messages.kbytes lets librdkafka hold more than a quarter of limits.memory: at most "
                    + "16384 goes with it"
            ]),
        Case(
            name: "twice", text: Reading.small(more: "name: other"),
            expected: ["9:1: the key \"name\" is given twice, first in line 1"]),
        Case(
            name: "empty where something is needed", text: Reading.small(["name": "name:"]),
            expected: ["1:6: name is empty; it must be a name"]),
        Case(name: "nothing", text: "# nothing\n", expected: ["1:1: the recipe is empty"]),
        Case(
            name: "a list", text: "- a\n",
            expected: [
                "1:1: the recipe is a list; it must be a mapping with name, commands, source, target, indices, copy, "
                    + "replay, dead_letters, limits, accept, tombstone_age, operations, verify, cutover or tests"
            ]),
        Case(
            name: "not YAML", text: "name: [a, b\ncommands: x\n",
            expected: [
                "2:9: not YAML: did not find expected ',' or ']' (while parsing a flow sequence of 1:7)"
            ]),
        Case(
            name: "braces without quotes", text: "target: { auth: { api_key: ${KEY} } }\n",
            expected: [
                "1:29: not YAML: did not find expected ',' or '}' (while parsing a flow mapping of 1:17); "
                    + "inside { } or [ ] write \"${NAME}\" in quotes"
            ]),
        Case(
            name: "two documents", text: Reading.small(more: "---\nname: b\n"),
            expected: ["9:1: a second document begins here; a recipe is one document"]),
        Case(
            name: "tag", text: "name: !!binary aGk=\n",
            expected: ["1:7: the tag tag:yaml.org,2002:binary is not used in recipes; leave it out"]),
    ]

    static let types = [
        Case(
            name: "numbers", text: Reading.small(more: "copy: { slices: 0, page: many, rate: 5 }"),
            expected: [
                "9:17: copy.slices is \"0\"; it must be a whole number from 1 to 1024",
                "9:26: copy.page is \"many\"; it must be a whole number from 1 to 10000",
                "9:38: copy.rate \"5\" is not a rate: documents such as 5000/s, or bytes such as 20MB/s",
            ]),
        Case(
            name: "rate twice", text: Reading.small(more: "copy: { rate: [5/s, 6/s] }"),
            expected: ["9:21: copy.rate bounds documents twice"]),
        Case(
            name: "verify",
            text: Reading.small(
                more: "verify: { rate: [5/s, 6/s], sample: -1, empty_array: absnt, settle: 60, ignore: a..b }"),
            expected: [
                "9:23: verify.rate bounds documents twice",
                "9:37: verify.sample is \"-1\"; it must be a whole number from 0 to 10000",
                "9:54: verify.empty_array is \"absnt\"; it must be \"distinct\" or \"absent\" -> absent",
                "9:69: verify.settle \"60\" is not a duration such as 90s, 15m, 1h or 2d",
                "9:81: verify.ignore \"a..b\" is not a field path: it has an empty name",
            ]),
        Case(
            name: "misspelt word", text: Reading.small(more: "copy: { rate: unlimted }"),
            expected: [
                "9:15: copy.rate is \"unlimted\"; it must be \"unlimited\" or a rate such as 5000/s or 20MB/s, "
                    + "or a list of such -> unlimited"
            ]),
        Case(
            name: "memory", text: Reading.small(more: "limits: { memory: 31MiB, in_flight: few }"),
            expected: [
                "9:19: limits.memory is less than the 32MiB that the work needs",
                "9:37: limits.in_flight is \"few\"; it must be \"auto\" or a whole number from 1 to 256",
            ]),
        Case(
            name: "where to listen", text: Reading.small(more: "operations: { listen: 9464, statds: a:1 }"),
            expected: [
                "9:23: operations.listen \"9464\" is not an address to listen on such as 127.0.0.1:9464",
                "9:29: unknown key \"statds\" in operations -> statsd",
            ]),
        Case(
            name: "listening nearly off", text: Reading.small(more: "operations: { listen: of, statsd: host:0 }"),
            expected: [
                "9:23: operations.listen is \"of\"; it must be \"off\" or an address to listen on such as "
                    + "127.0.0.1:9464 -> off",
                "9:35: operations.statsd \"host:0\" has no valid port (1 to 65535)",
            ]),
        Case(
            name: "addresses",
            text: Reading.small(more: "operations: { listen: \":9464\", statsd: \"::1:8125\" }"),
            expected: [
                "9:23: operations.listen \":9464\" has no host: 127.0.0.1 is this machine alone",
                "9:40: operations.statsd \"::1:8125\" has an IPv6 address without its [ ]",
            ]),
        Case(
            name: "duration", text: Reading.small(more: "tombstone_age: 1 hour"),
            expected: ["9:16: tombstone_age \"1 hour\" is not a duration such as 90s, 15m, 1h or 2d"]),
        Case(
            name: "short duration", text: Reading.small(more: "tombstone_age: 999ms"),
            expected: ["9:16: tombstone_age is less than a second, and any write may be later than that"]),
        Case(
            name: "size", text: Reading.small(more: "limits: { memory: 256 }"),
            expected: ["9:19: limits.memory \"256\" is not a size such as 256MiB or 64MB"]),
        Case(
            name: "quoted number", text: Reading.small(more: "copy: { slices: \"8\" }"),
            expected: ["9:17: copy.slices is \"8\"; it must be a whole number from 1 to 1024"]),
        Case(
            name: "yes", text: Reading.small(["target": "target: { url: https://n, verify_tls: no }"]),
            expected: ["7:39: target.verify_tls is \"no\"; it must be true or false -> false"]),
        Case(
            name: "list for a text", text: Reading.small(["name": "name: [a]"]),
            expected: ["1:7: name is a list; it must be a name"]),
        Case(
            name: "capitals in the name", text: Reading.small(["name": "name: Orders"]),
            expected: [
                "1:7: name \"Orders\" is not a name: up to 100 of a-z, 0-9, \"-\" and \"_\", beginning with a "
                    + "letter or digit"
            ]),
    ]

    static let clusters = [
        Case(
            name: "no url", text: Reading.small(["target": "target: { verify_tls: true }"]),
            expected: ["7:1: target needs url"]),
        Case(
            name: "url twice", text: Reading.small(["target": "target: { url: http://a, urls: [http://b] }"]),
            expected: ["7:26: target has url and urls, which are the same key"]),
        Case(
            name: "url with path", text: Reading.small(["target": "target: { url: http://a/b }"]),
            expected: ["7:16: target.url \"http://a/b\" has more than a host and a port"]),
        Case(
            name: "url with user", text: Reading.small(["target": "target: { url: \"http://me:hunter2@a\" }"]),
            expected: ["7:16: target.url <redacted> has a user in it; that belongs under auth"]),
        Case(
            name: "url without scheme", text: Reading.small(["target": "target: { url: \"new:9200\" }"]),
            expected: ["7:16: target.url \"new:9200\" is not a URL: it begins with http:// or https://"]),
        Case(
            name: "both auths",
            text: Reading.small(["target": "target: { url: http://a, auth: { user: a, password: b, api_key: c } }"]),
            expected: ["7:56: target.auth has an api_key and a user; it takes one of them"]),
        Case(
            name: "half an auth", text: Reading.small(["target": "target: { url: http://a, auth: { user: a } }"]),
            expected: ["7:26: target.auth needs password"]),
        Case(
            name: "half a client certificate",
            text: Reading.small([
                "target": "target: { url: https://a, client_key: /nowhere/key, client_key_password: x }"
            ]),
            expected: [
                "7:27: target.client_key needs client_certificate",
                "7:39: target.client_key: the file \"/nowhere/key\" does not exist",
            ]),
        Case(
            name: "ca_file without TLS",
            text: Reading.small(["target": "target: { url: http://a, ca_file: /nowhere/ca.pem }"]),
            expected: [
                "7:26: target.ca_file does nothing: no URL is https",
                "7:35: target.ca_file: the file \"/nowhere/ca.pem\" does not exist",
            ]),
        Case(
            name: "from == to",
            text: Reading.small([
                "target": "target: { url: http://OLD:9200/ }", "indices": "indices: [ { from: orders, to: orders } ]",
            ]),
            expected: ["8:32: from and to are the same index of the same cluster"]),
        Case(
            name: "from matches to",
            text: Reading.small([
                "target": "target: { url: http://old:9200 }",
                "indices": "indices: [ { from: orders*, to: orders-v2 } ]",
            ]),
            expected: ["8:33: to is among what from matches, and both are on the same cluster"]),
        Case(
            name: "no source", text: Reading.small(["source": ""], more: "copy: { slices: 2 }\n"),
            expected: [
                "8:14: from needs a source, and the recipe has none",
                "9:1: copy needs a source, and the recipe has none",
            ]),
        Case(
            name: "versions of copied documents",
            text: Reading.small(more: "copy: { version: source }\n"),
            expected: [
                "9:18: copy.version is source, and commands have their versions from the offset, which the source's "
                    + "_version has nothing to do with: it goes only with commands.version of field or header"
            ]),
        Case(
            name: "no field for copied documents", text: Reading.small(more: "copy: { version: field }\n"),
            expected: [
                "9:18: copy.version is field, and commands.version names no field: only the same field can be compared "
                    + "with theirs"
            ]),
        Case(
            name: "a field of their own for copied documents",
            text: Reading.small(more: "copy: { version: { field: rev } }\n"),
            expected: [
                "9:20: copy.version names a field of its own only without commands; with them it is "
                    + "commands.version.field: say copy.version: field"
            ]),
        Case(
            name: "source for nothing", text: Reading.small(["indices": "indices: [ { to: orders-v2 } ]"]),
            expected: ["6:1: source is never read: no entry of indices has from"]),
    ]

    static let replays = [
        Case(
            name: "recorded without group", text: Reading.small(more: "replay: { from: recorded }"),
            expected: ["9:17: replay.from is recorded, which needs commands.application_group"].map {
                $0.replacing("9:", with: "9:")
            }),
        Case(
            name: "time without zone",
            text: Reading.small(more: "replay: { from: { timestamp: 2026-11-01T00:00:00 } }"),
            expected: [
                "9:30: timestamp \"2026-11-01T00:00:00\" is not an ISO 8601 time with its zone, such as "
                    + "2026-11-01T00:00:00Z"
            ]),
        Case(
            name: "30 February", text: Reading.small(more: "replay: { from: { timestamp: 2026-02-30T00:00:00Z } }"),
            expected: [
                "9:30: timestamp \"2026-02-30T00:00:00Z\" is not an ISO 8601 time with its zone, such as "
                    + "2026-11-01T00:00:00Z"
            ]),
        Case(
            name: "partitions", text: Reading.small(more: "replay: { from: { offsets: { a: 1, -1: 2, 3: -4 } } }"),
            expected: [
                "9:30: offsets \"a\" is not a partition: a number from 0 on",
                "9:36: offsets \"-1\" is not a partition: a number from 0 on",
                "9:46: offsets.3 is \"-4\"; it must be a whole number of 0 or more",
            ]),
        Case(
            name: "both starts",
            text: Reading.small(more: "replay: { from: { timestamp: 2026-11-01T00:00:00Z, offsets: { 0: 1 } } }"),
            expected: ["9:52: replay.from has exactly one key, and \"timestamp\" is already there"]),
        Case(
            name: "misspelt start", text: Reading.small(more: "replay: { from: begining }"),
            expected: [
                "9:17: replay.from is \"begining\"; it must be \"beginning\", \"recorded\" or a mapping with "
                    + "timestamp or offsets -> beginning"
            ]),
        Case(
            name: "dead letters into the topic", text: Reading.small(more: "dead_letters: { topic: orders }"),
            expected: ["9:24: dead_letters.topic is the command topic itself"]),
    ]

    static let selections = [
        Case(
            name: "two without select",
            text: Reading.small(indices("  - { from: a, to: b }\n  - { from: c, to: d }\n")),
            expected: [
                "9:5: this entry has no select and takes every command, so that the entries after it get none; "
                    + "only the last may be without"
            ]),
        Case(
            name: "same target, same select",
            text: Reading.small(
                indices(
                    "  - { from: a, to: b, select: { field: k, equals: 1 } }\n"
                        + "  - { from: c, to: b, select: { field: k, equals: \"1\" } }\n")),
            expected: [
                "10:20: to is \"b\" as in line 9; each entry has an index of its own",
                "10:31: this select is that of the entry in line 9",
            ]),
        Case(
            name: "alias is an index", text: Reading.small(indices("  - { from: a, to: b, alias: b }\n")),
            expected: ["9:30: the alias \"b\" is the index of line 9"]),
        Case(
            name: "names of the cutover that no entry has",
            text: Reading.small(indices("  - { from: a, to: b, alias: readers }\n"))
                + "cutover: { filters: { reeders: { term: { k: 1 } } }, "
                + "warm: { queries: [{ index: c, body: {} }] } }\n",
            expected: [
                "11:21: no entry has the alias \"reeders\"; did you mean \"readers\"?",
                "11:81: no entry has `to` \"c\"; did you mean \"b\"?",
            ]),
        Case(
            name: "alias twice in a list", text: Reading.small(indices("  - { from: a, to: b, alias: [x, y, x] }\n")),
            expected: ["9:37: the alias \"x\" stands in this list already"]),
        Case(
            name: "{index} without pattern", text: Reading.small(indices("  - { from: a, to: \"new-{index}\" }\n")),
            expected: ["9:20: {index} in to needs a pattern in from, and \"a\" is one name"]),
        Case(
            name: "index name", text: Reading.small(indices("  - { from: a, to: Orders }\n")),
            expected: ["9:20: indices.to \"Orders\" has capital letters, which index names have not"]),
        Case(
            name: "id template", text: Reading.small(indices("  - { from: a, to: b, id: \"{typ}-{id}\" }\n")),
            expected: ["9:27: indices.id \"{typ}-{id}\" knows {type} and {id} and no other { }"]),
        Case(
            name: "merge without merges", text: Reading.small(indices("  - { from: a, to: b, merge: deep }\n")),
            expected: ["9:23: merge does nothing: no command merges (commands.envelope.merge)"]),
    ]

    static let steps = [
        step("- keytovalue: tags", ["12:9: unknown key \"keytovalue\" in a transform step -> keyToValue"]),
        step("- keyToValue: { feild: tags }", ["12:23: unknown key \"feild\" in keyToValue -> field"]),
        step("- keyToValue: { null: drop }", ["12:21: keyToValue needs field"]),
        step(
            "- cast: { field: a, to: int }",
            [
                "12:31: cast.to is \"int\"; it must be \"number\", \"boolean\", \"string\", \"date_iso\" or "
                    + "\"date_epoch\""
            ]),
        step("- rename: { from: a, to: a }", ["12:32: rename has the same field in from and to"]),
        step("- rename: { from: a }", ["12:17: rename needs to"]),
        step(
            "- rename: { from: a, to: crossfade_deleted }",
            ["12:9: this step makes the field \"crossfade_deleted\", which is Crossfade's mark of a deleted document"]),
        step("- split: { field: a, separator: \"\" }", ["12:39: split.separator \"\" is empty"]),
        step(
            "- { remove: a, keep: b }", ["12:22: a transform step has exactly one key, and \"remove\" is already there"]
        ),
        step("- remove: []", ["12:17: remove.field is an empty list"]),
        step(
            "- lowercase: { field: [a] }",
            [
                "12:29: lowercase.field is a list; it must be a field path such as message.org"
            ]),
        step("- keyToValue: tags\n      - keyToValue: tags", ["13:21: keyToValue of \"tags\" was done in line 12"]),
        step("- set: { field: a }", ["12:14: set needs value"]),
        step(
            "- keepp",
            [
                "12:9: indices.transform is a single value; it must be a mapping with keyToValue, rename, "
                    + "remove, keep, set, copy, cast, lowercase, split or join -> keep"
            ]),
    ]

    private static func step(_ text: String, _ expected: [String]) -> Case {
        let indices = "indices:\n  - from: a\n    to: b\n    transform:\n      " + text
        return Case(name: text, text: Reading.small(["indices": indices]), expected: expected)
    }
}
