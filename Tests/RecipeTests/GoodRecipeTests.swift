import Basics
import CommandLog
import Commands
import JSONText
@testable import Planning
@testable import Recipe
import SearchCluster
import Telemetry
import Testing
import Transform
@testable import Migration

/// What good recipes become.
struct GoodRecipeTests {
    @Test func designsExample() throws {
        let folder = try Folder()
        try folder.write("incidents.json", "{\"properties\": {\"id\": {\"type\": \"keyword\"}}}")
        let recipe = try Reading.load(Reading.incidents, environment: ["NEW_KEY": "k"], folder: folder)
        #expect(recipe.name == "incidents")
        #expect(recipe.commands.bootstrap == "kafka:9092")
        #expect(recipe.commands.kafka == ["security.protocol": "SASL_SSL"])
        #expect(recipe.commands.applicationGroup == "incident-indexer")
        let format = recipe.commands.format
        guard case .envelope(let envelope) = format.shape else {
            Issue.record("not an envelope")
            return
        }
        #expect(envelope.id == .field(try JSONPath(parsing: "id")))
        #expect(envelope.index == ["InsertMessageCommand"] && envelope.merge == ["UpdateMessageCommand"])
        #expect(envelope.delete == ["DeleteMessageCommand"] && envelope.ignore == ["PingCommand"])
        #expect(envelope.document?.names == ["message"] && format.routing?.names == ["message", "org"])
        #expect(format.version == .offset && format.epoch == 0 && format.selectors == [nil])
        #expect(recipe.source == ClusterEndpoint(urls: ["http://old:9200"]))
        #expect(recipe.target == ClusterEndpoint(urls: ["https://new:9200"], auth: .apiKey(Secret("k"))))
        let entry = try #require(recipe.indices.first)
        #expect(entry.from == "incidents" && entry.to == "incidents-v2" && entry.aliases == ["incidents"])
        #expect(entry.mapping == "{\"properties\":{\"id\":{\"type\":\"keyword\"}}}")
        #expect(entry.settings == "{\"number_of_shards\":4}")
        #expect(
            entry.transform == [
                .keyToValue(KeyToValue(field: try JSONPath(parsing: "tags"))),
                .remove([try JSONPath(parsing: "legacy")]),
            ])
        #expect(recipe.copy.slices == 16 && recipe.copy.page == 2000 && recipe.copy.documentsPerSecond == nil)
        #expect(recipe.replay == .beginning && recipe.deadLetterTopic == "incident-commands-dead")
        #expect(recipe.limits.memory == 256 << 20 && recipe.limits.inFlight == nil)
        #expect(recipe.tombstoneAge == 3_600_000)
    }

    @Test func defaults() throws {
        let recipe = try Reading.load(Reading.small())
        #expect(recipe.commands.group == "crossfade-small" && recipe.deadLetterTopic == "orders-dead")
        #expect(recipe.copy.slices == 16 && recipe.copy.page == 1000 && recipe.limits.memory == 256 << 20)
        #expect(recipe.target.verifyTLS && recipe.target.auth == .none)
        #expect(recipe.indices[0].merge == .deep && recipe.indices[0].missing == .create)
        #expect(!recipe.indices[0].saysMissing)
        let shown = RecipeText.canonical(recipe)
        #expect(shown["commands"]?["group"] == "crossfade-small")
        #expect(shown["dead_letters"]?["topic"] == "orders-dead")
        #expect(shown["copy"]?["rate"] == "unlimited")
        #expect(
            recipe.operations == Recipe.Operations(listen: "127.0.0.1:9464", listenIsGiven: false, statsd: nil))
        #expect(shown["operations"]?["listen"] == "127.0.0.1:9464")
    }

    @Test func operationsAreNoPartOfTheWork() throws {
        let recipe = try Reading.load(Reading.small())
        let other = try Reading.load(Reading.small(more: "operations: { listen: off, statsd: stats:8125 }"))
        #expect(other.operations == Recipe.Operations(listen: nil, listenIsGiven: true, statsd: "stats:8125"))
        #expect(RecipeText.canonical(recipe) != RecipeText.canonical(other))
        #expect(Survey.meaning(recipe) == Survey.meaning(other))
    }

    @Test func verificationIsNoPartOfTheWork() throws {
        let recipe = try Reading.load(Reading.small(more: "copy: { slices: 3, page: 7 }"))
        #expect(recipe.verify == Recipe.Verify(page: 7))
        let other = try Reading.load(
            Reading.small(more: "copy: { slices: 3, page: 7 }\nverify: { ignore: updated, empty: accept }"))
        let empty = "indices: [ { from: orders, to: orders-v2, empty: accept } ]"
        let entry = try Reading.load(Reading.small(["indices": empty], more: "copy: { slices: 3, page: 7 }"))
        #expect(entry.indices[0].empty == .accept && recipe.indices[0].empty == .refuse)
        #expect(Survey.meaning(recipe) == Survey.meaning(entry))
        #expect(Survey.meaning(recipe)["indices"]?[0]?["empty"] == nil)
        #expect(other.verify.ignore == [try JSONPath(parsing: "updated")])
        #expect(RecipeText.canonical(recipe) != RecipeText.canonical(other))
        #expect(Survey.meaning(recipe) == Survey.meaning(other))
    }

    @Test func folderOfVerifications() throws {
        let recipe = try Reading.load(Reading.small())
        #expect(recipe.defaultFolder(["XDG_STATE_HOME": "/s", "HOME": "/h"]) == "/s/crossfade/small")
        #expect(recipe.defaultFolder(["XDG_STATE_HOME": "s", "HOME": "/h"]) == "/h/.local/state/crossfade/small")
        #expect(recipe.defaultFolder([:]) == nil)
    }

    @Test func shortForms() throws {
        let transform = """
            indices:
              - from: a
                to: b
                transform:
                  - keyToValue: tags
                  - remove: [a, b]
                  - keep: { field: c }
                  - lowercase: d
            """
        let steps = try Reading.load(Reading.small(["indices": transform])).indices[0].transform
        func path(_ text: String) throws -> JSONPath { try JSONPath(parsing: text) }
        #expect(
            steps == [
                .keyToValue(KeyToValue(field: try path("tags"))), .remove([try path("a"), try path("b")]),
                .keep([try path("c")]), .change(try path("d"), .lowercase),
            ])
    }

    /// Every key of the table, each doing something, in one of these recipes.
    @Test func everyKey() throws {
        let folder = try Folder()
        for name in ["ca.pem", "me.pem", "me.key"] { try folder.write(name, "-----BEGIN CERTIFICATE-----\n") }
        let recipes = [EveryKey.envelope, EveryKey.document, EveryKey.debezium, EveryKey.keys, EveryKey.alone]
        var used: Set<String> = []
        for text in recipes {
            let recipe = try Reading.load(text, folder: folder)
            collect(try #require(try YAMLLoader.load(Array(text.utf8)).root), .section(RecipeSchema.root), &used)
            // What is shown is itself a recipe, and means the same.
            let shown = RecipeText.canonical(recipe)
            let again = try Reading.load(shown.text(), folder: folder)
            for key in shown.object?.keys ?? [] where key != "target" && key != "source" && key != "commands" {
                #expect(RecipeText.canonical(again)[key] == shown[key])
            }
            #expect(again.indices.map(\.transform) == recipe.indices.map(\.transform))
        }
        // `source` and `target` have the same keys.
        used = Set(used.map { $0.hasPrefix("target") ? "source" + $0.dropFirst(6) : $0 })
        let all = Set(
            RecipeSchema.sections.flatMap { section in
                section.title.hasPrefix("target") ? [] : section.keys.map { "\(section.title).\($0.name)" }
            })
        #expect(all.subtracting(used).sorted() == [])
    }

    private func collect(_ node: YAMLNode, _ type: RecipeType, _ used: inout Set<String>) {
        switch (type, node.content) {
        case (.section(let section), .mapping(let pairs)):
            for pair in pairs {
                used.insert("\(section.title).\(pair.key)")
                if let key = section.key(pair.key) { collect(pair.value, key.type, &used) }
            }
        case (.list(let item, _, _), .sequence(let items)): for node in items { collect(node, item, &used) }
        case (.words(_, let other), _): collect(node, other, &used)
        default: break
        }
    }

    @Test func withoutCommandsCopiesAreNumbered() throws {
        var recipe = try Reading.load(EveryKey.alone)
        #expect(recipe.copy.since?.margin == 300_000)
        #expect(!recipe.hasCommands && recipe.commands.topic.isEmpty && recipe.deadLetterTopic.isEmpty)
        let path = try JSONPath(parsing: "modified.at")
        #expect(recipe.commands.format.versionInDocument == path && recipe.commands.format.copiedVersion == .field)
        // A document that gets its first number later must not be stale then.
        #expect(DocumentVersion.floor(recipe.commands.format) == DocumentVersion.lowest)
        recipe = try Reading.load(EveryKey.alone.replacing("version: { field: modified.at }, ", with: ""))
        var format = recipe.commands.format
        #expect(format.copiedVersion == .floor && DocumentVersion.floor(format) == 1)
        format.round = 7
        #expect(DocumentVersion.floor(format) == 7)
        let shown = RecipeText.canonical(recipe).object?.keys ?? []
        #expect(!shown.contains("replay") && !shown.contains("dead_letters"))
    }

    @Test func everyKeysValues() throws {
        let folder = try Folder()
        for name in ["ca.pem", "me.pem", "me.key"] { try folder.write(name, "x") }
        let envelope = try Reading.load(EveryKey.envelope, folder: folder)
        #expect(envelope.source?.caFile == folder.path + "/ca.pem")
        #expect(envelope.source?.auth == .basic(user: "reader", password: Secret("p")))
        #expect(envelope.target.verifyTLS == false && envelope.target.auth == .apiKey(Secret("k")))
        #expect(envelope.commands.format.version == .field(try JSONPath(parsing: "message.rev")))
        #expect(envelope.commands.format.epoch == 3)
        #expect(envelope.copy.documentsPerSecond == 5000 && envelope.copy.bytesPerSecond == 20_000_000)
        #expect(envelope.replay == .timestamp(1_793_491_200_000))
        #expect(envelope.limits.memory == 64_000_000 && envelope.limits.inFlight == 4)
        #expect(envelope.tombstoneAge == 5_400_000)
        #expect(
            envelope.operations
                == Recipe.Operations(listen: "[::1]:0", listenIsGiven: true, statsd: "127.0.0.1:8125"))
        var verify = Recipe.Verify(page: 50)
        verify.slices = 4
        verify.ignore = [try JSONPath(parsing: "updated"), try JSONPath(parsing: "meta.seen")]
        (verify.emptyArray, verify.empty, verify.uncopied) = (.absent, .accept, .accept)
        verify.redact = [try JSONPath(parsing: "message.body")]
        (verify.sample, verify.reportLimit, verify.settle) = (3, 20, 120_000)
        (verify.documentsPerSecond, verify.bytesPerSecond) = (500, 2_000_000)
        verify.patience = 30_000
        verify.histogram = try JSONPath(parsing: "created")
        verify.folder = folder.path + "/spill"
        #expect(envelope.verify == verify)
        #expect(envelope.indices[0].merge == .shallow && envelope.indices[0].missing == .reject)
        #expect(envelope.indices[0].saysMissing)
        #expect(envelope.indices[0].id == "{type}-{id}")
        let selector = CommandFormat.Selector(field: try JSONPath(parsing: "message.kind"), equals: "incident")
        #expect(envelope.commands.format.selectors == [selector, nil])
        let document = try Reading.load(EveryKey.document, folder: folder)
        #expect(document.commands.format.routing?.names == ["org"])
        #expect(document.commands.format.missingRoutingIsID && document.commands.format.key == .int64)
        let keys = try Reading.load(EveryKey.keys, folder: folder)
        guard case .envelope(let templated) = keys.commands.format.shape else {
            Issue.record("no envelope")
            return
        }
        #expect(
            templated.id
                == .template(try CommandIDTemplate(parsing: "{message.kind}-{key}"))
                && keys.commands.format.key == .confluent)
        #expect(
            document.indices[0].transform.contains(
                .set(
                    field: try JSONPath(parsing: "schema"), json: "{\"version\":2,\"by\":[null,true,\"x\"]}",
                    ifMissing: true)))
        #expect(document.replay == .offsets([0: 17, 3: 0]))
        #expect(document.commands.format.version == .header("rev") && document.source == nil)
        let debezium = try Reading.load(EveryKey.debezium, folder: folder)
        guard case .debezium(let id) = debezium.commands.format.shape else {
            Issue.record("not debezium")
            return
        }
        #expect(id == ["a", "b"] && debezium.commands.format.routing?.names == ["org"])
        #expect(debezium.replay == .recorded && debezium.target.urls == ["http://n1:9200", "http://n2:9200"])
    }

    @Test(
        arguments: [
            ("2026-11-01T00:00:00Z", 1_793_491_200_000), ("1970-01-01T00:00Z", 0), ("1969-12-31T23:59:59.5Z", -500),
            ("2024-02-29t12:00:00.1239+01:00", 1_709_204_400_123), ("2000-01-01 00:00:00-0530", 946_704_600_000),
        ] as [(String, Int64)])
    func times(_ text: String, _ expected: Int64) { #expect(ISOTime.milliseconds(text) == expected) }

    @Test func aliasesOfYAML() throws {
        let indices = """
            indices:
              - { from: a, to: b, transform: &steps [ { keyToValue: tags } ], select: { field: k, equals: 1 } }
              - { from: c, to: d, transform: *steps }
            """
        let recipe = try Reading.load(Reading.small(["indices": indices]))
        #expect(recipe.indices[0].transform == recipe.indices[1].transform)
    }
}

/// Recipes that together have every key.
enum EveryKey {
    static let envelope = """
        name: every
        commands:
          bootstrap: b:1
          topic: t
          group: g
          kafka: { fetch.min.bytes: 10, sasl.password: p }
          allow_exec: true
          format: envelope
          envelope:
            id: "header:id"
            operation: command
            index: A
            merge: [B]
            delete: [C]
            ignore: [D]
            document: message
            routing: message.org
            tombstone: ignore
          application_group: app
          version: { field: message.rev }
          epoch: 3
        source: { url: https://old:9200, ca_file: ca.pem, verify_tls: true, client_certificate: me.pem,
                  client_key: me.key, client_key_password: w, auth: { user: reader, password: p } }
        target: { urls: [https://new:9200], verify_tls: false, proxy: http://proxy:3128, auth: { api_key: k } }
        indices:
          - from: incidents
            filter: alias
            to: incidents-v2
            alias: [incidents, incidents-open]
            empty: accept
            mapping: { properties: { id: { type: keyword } } }
            settings: { number_of_shards: 4 }
            merge: shallow
            missing: reject
            id: "{type}-{id}"
            select: { field: message.kind, equals: incident, missing: every, moves: tombstone }
            transform:
              - remove: [secret]
          - { from: "rest-*", to: "new-{index}" }
        copy:
          { slices: 2, page: 10, rate: [5000/s, 20MB/s], version: source, dead_letters: { share: 0.25, count: 7 } }
        replay: { from: { timestamp: 2026-11-01T00:00:00Z }, recorded_margin: 5m }
        dead_letters: { topic: dead }
        limits: { memory: 64MB, in_flight: 4 }
        accept: [{ rail: identity, why: parents have no routing }, { rail: one_partition, why: stray, ids: [B6] }]
        tombstone_age: 90m
        operations: { listen: "[::1]:0", statsd: "127.0.0.1:8125" }
        verify:
          ignore: [updated, meta.seen]
          empty_array: absent
          redact: message.body
          sample: 3
          report_limit: 20
          rate: [500/s, 2MB/s]
          slices: 4
          page: 50
          settle: 2m
          patience: 30s
          histogram: created
          folder: spill
          empty: accept
          uncopied: accept
        cutover:
          parity_age: 1h
          writers: alias
          command: [move-readers, now]
          before: check-everything
          timeout: 5s
          hold: hold
          handover: new-indexer
          quiet_for: 1m
          warm: { queries: [{ index: incidents-v2, body: { size: 0 } }], within: 10s }
          filters: { incidents: { term: { kind: a } } }
        tests:
          - name: a record
            record: { key: k, value: { a: 1 }, headers: { h: v }, partition: 1, offset: 2, timestamp: 3 }
            base: { a: 0 }
            expect: { operation: index, index: incidents-v2, id: k, routing: r, version: 4, document: { a: 1 } }
          - name: a document
            document: { id: k, type: t, routing: r, version: 7, source: { a: 1 }, index: incidents-v2 }
            expect: { operation: index }
          - { name: a reject, record: { value: x }, expect: { reject: not_json } }
        """

    static let document = """
        name: every
        commands:
          bootstrap: b:1
          topic: t
          format: document
          document: { id: "d-{key}", key: int64, routing: { path: org, missing: id }, tombstone: delete }
          version: { header: rev }
        target: { url: http://n1:9200 }
        indices:
          - to: d
            transform:
              - keyToValue: { field: tags, null: keep, empty: drop, nested: true, ignore_above: 256, lowercase: true }
              - set: { field: schema, value: { version: 2, by: [null, true, x] }, if_missing: true }
              - rename: { from: a, to: b }
              - remove: { field: c }
              - keep: { field: [b, d] }
              - copy: { from: b, to: d }
              - cast: { field: e, to: date_epoch }
              - lowercase: { field: f }
              - split: { field: g, separator: "," }
              - join: { field: h, separator: " " }
        replay: { from: { offsets: { 0: 17, 3: 0 } } }
        """

    static let keys = """
        name: every
        commands:
          bootstrap: b:1
          topic: t
          format: envelope
          envelope: { id: "{message.kind}-{key}", key: confluent, operation: command, index: A }
        target: { url: http://n1:9200 }
        indices: [ { to: d } ]
        tests:
          - { name: bytes, record: { key_base64: AAAAAAc0Mg==, value: { command: A } }, expect: { reject: no_id } }
        """

    static let alone = """
        name: every
        source: { url: http://old:9200 }
        target: { url: http://n1:9200 }
        indices: [ { from: a, to: b }, { from: c, to: d } ]
        copy: { version: { field: modified.at }, since: { field: modified.at, margin: 5m } }
        """

    static let debezium = """
        name: every
        commands:
          bootstrap: b:1
          topic: t
          format: debezium
          debezium:
            { id: [a, b], key: json, routing: org, unavailable: keep, unavailable_placeholder: gone, truncate: ignore }
          application_group: app
        source: { url: http://old:9200 }
        target: { url: [http://n1:9200, http://n2:9200] }
        indices: [ { from: a, to: b } ]
        replay: { from: recorded }
        """
}
