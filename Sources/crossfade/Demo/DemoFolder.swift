import Foundation
import JSONText
import SearchCluster

/// The plain fields of a mapping, with type names of Elasticsearch 5 and later.
typealias JSONProperties = [(name: String, type: String)]

extension JSONProperties {
    var json: JSONValue {
        .object(JSONObject(map { ($0.name, ["type": .string($0.type)]) }))
    }

    /// The body that creates an index with these fields on `cluster`, in the type names of its version.
    func body(_ cluster: Cluster, shards: Int) -> JSONValue {
        let isString = cluster.server.product == .elasticsearch && cluster.server.version.major < 5
        let properties = map { field -> (String, JSONValue) in
            guard isString else { return (field.name, ["type": .string(field.type)]) }
            switch field.type {
            case "text": return (field.name, ["type": "string"])
            case "keyword": return (field.name, ["type": "string", "index": "not_analyzed"])
            default: return (field.name, ["type": .string(field.type)])
            }
        }
        let mapping: JSONValue = ["properties": .object(JSONObject(properties))]
        let typed = cluster.capabilities.typed
        return [
            "settings": ["number_of_shards": .number(shards), "number_of_replicas": 0],
            "mappings": typed ? .object(JSONObject([(cluster.capabilities.documentType, mapping)])) : mapping,
        ]
    }
}

/// The demo's folder: recipe, mapping, and the output of the commands.
struct DemoFolder {
    let url: URL
    static let recipe = "alerts.yaml"

    /// Creates the folder in the system's temporary folder.
    init(_ servers: DemoServers) throws {
        let name = "crossfade-demo-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        url = FileManager.default.temporaryDirectory.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
        try write(Self.recipe, Self.recipe(servers))
        try write("mapping.json", Self.mapping.text(pretty: true) + "\n")
    }

    private func write(_ name: String, _ text: String) throws {
        try Data(text.utf8).write(to: url.appendingPathComponent(name))
    }

    /// The receipt of the verification, as a page.
    static let receipt = "receipt.html"

    /// Where the readers search.
    static let readers = "search.url"

    func remove() { try? FileManager.default.removeItem(at: url) }

    private static let mapping: JSONValue = [
        "properties": [
            "title": ["type": "text"], "status": ["type": "keyword"], "severity": ["type": "integer"],
            "opened_at": ["type": "long"], "load": ["type": "double"],
            "host": ["properties": ["name": ["type": "keyword"], "address": ["type": "keyword"]]],
            "tags": ["properties": ["keyToValue": ["type": "keyword"], "value": ["type": "keyword"]]],
        ]
    ]

    private static func recipe(_ servers: DemoServers) -> String {
        let names = servers.names
        let kafka = DemoServers.clientSettings.sorted { $0.key < $1.key }.map { "\($0.key): \"\($0.value)\"" }
        return """
            # Alerts move to a new cluster while their application keeps writing.
            name: \(names.migration)
            commands:
              bootstrap: "\(servers.bootstrap)"
              topic: \(names.topic)
              application_group: \(names.applicationGroup)
              kafka: { \(kafka.joined(separator: ", ")) }
              format: envelope
              envelope:
                id: id
                operation: command
                index:  [InsertMessageCommand]
                merge:  [UpdateMessageCommand]
                delete: [DeleteMessageCommand]
                ignore: [PingCommand]
                document: message
            source: { url: "\(servers.oldURL)" }
            target: { url: "\(servers.newURL)" }
            indices:
              - from: \(names.old)
                to: \(names.new)
                mapping: mapping.json
                settings: { number_of_shards: 2, number_of_replicas: 0 }
                transform:
                  - keyToValue: { field: tags }
            dead_letters: { topic: \(names.deadLetters) }
            operations: { listen: "\(servers.dashboard)" }
            verify: { folder: verify }
            cutover:
              command:
                - sh
                - -c
                - case $CROSSFADE_DIRECTION in rollover) to=$CROSSFADE_TARGET;; *) to=$CROSSFADE_SOURCE;; esac;
                  echo $to > \(readers)
            """
    }
}
