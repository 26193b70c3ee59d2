import Foundation
import JSONText
@testable import Recipe
import Testing
@testable import Migration

/// A folder that is gone when the test is.
final class Folder {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/crossfade-recipe-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String) throws {
        try text.write(toFile: path + "/" + name, atomically: true, encoding: .utf8)
    }
}

enum Reading {
    /// The recipe, as if it lay in `folder`.
    static func load(
        _ text: String, environment: [String: String] = [:], folder: Folder? = nil
    ) throws -> Recipe {
        let path = folder.map { $0.path + "/r.yaml" } ?? "r.yaml"
        return try RecipeLoader.load(text: Array(text.utf8), path: path, environment: environment)
    }

    /// What is wrong with the recipe, as `line:column: message -> suggestion`.
    static func errors(
        _ text: String, environment: [String: String] = [:], folder: Folder? = nil
    ) -> [String] {
        do {
            _ = try load(text, environment: environment, folder: folder)
            return []
        } catch let errors as RecipeErrors {
            return errors.diagnostics.map { diagnostic in
                "\(diagnostic.line):\(diagnostic.column): \(diagnostic.message)"
                    + (diagnostic.suggestion.map { " -> \($0)" } ?? "")
            }
        } catch {
            return ["\(error)"]
        }
    }

    /// The smallest recipe with a source, with some of its lines replaced.
    static func small(_ changes: [String: String] = [:], more: String = "") -> String {
        let parts = [
            ("name", "name: small"),
            (
                "commands",
                """
                commands:
                  bootstrap: localhost:9092
                  topic: orders
                  format: document
                """
            ),
            ("source", "source: { url: http://old:9200 }"),
            ("target", "target: { url: http://new:9200 }"),
            ("indices", "indices: [ { from: orders, to: orders-v2 } ]"),
        ]
        return parts.map { changes[$0.0] ?? $0.1 }.joined(separator: "\n") + "\n" + more
    }

    /// A recipe with nearly everything in it.
    static let incidents = """
        name: incidents                         # names state, consumer group, metrics
        commands:
          bootstrap: kafka:9092
          topic: incident-commands
          group: crossfade-incidents            # default: crossfade-<name>
          kafka: { security.protocol: SASL_SSL }
          format: envelope                      # document | envelope | debezium
          envelope:                             # dotted paths; a literal dot is written \\.
            id: id                              # or: key (the record key), header:name
            operation: command
            index:  [InsertMessageCommand]
            merge:  [UpdateMessageCommand]
            delete: [DeleteMessageCommand]
            ignore: [PingCommand]
            document: message
            routing: message.org
          application_group: incident-indexer
          version: offset
          epoch: 0
        source: { url: http://old:9200 }        # only ever read
        target: { url: https://new:9200, auth: { api_key: "${NEW_KEY}" } }
        indices:
          - from: incidents
            to: incidents-v2
            alias: incidents
            mapping: incidents.json
            settings: { number_of_shards: 4 }
            transform:
              - keyToValue: { field: tags }
              - remove: { field: legacy }
        copy:   { slices: 16, page: 2000, rate: unlimited }
        replay: { from: beginning }
        dead_letters: { topic: incident-commands-dead }
        limits: { memory: 256MiB, in_flight: auto }
        """
}
