import CommandLog
import Embedded
import Foundation
import JSONText
import SearchCluster

/// The servers that the demo runs on.
struct DemoStage {
    let servers: DemoServers
    let createTopic: (String, Int) throws -> Void

    static func real(_ addresses: DemoCommand.Addresses) throws -> DemoStage {
        let servers = try DemoServers(
            bootstrap: addresses.kafka, oldURL: addresses.old, newURL: addresses.new,
            names: DemoNames(suffix: addresses.name), isEmbedded: false)
        try servers.refuseWhatExists()
        return DemoStage(servers: servers) { topic, partitions in
            let admin = try LogAdmin(settings: servers.settings(group: servers.names.group))
            defer { admin.close() }
            try admin.createTopic(topic, partitions: partitions, config: ["retention.ms": "-1"])
        }
    }

    /// A broker and two nodes inside this process.
    static func embedded() throws -> DemoStage {
        let log = try MockLog()
        var nodes: [EmbeddedSearchServer] = []
        func stop() {
            for node in nodes { node.stop() }
            log.close()
        }
        do {
            for version in [ServerVersion(1, 7, 6), ServerVersion(6, 8, 23)] {
                nodes.append(try EmbeddedSearchServer(SearchNode(ServerPersona(.elasticsearch, version))))
            }
            let servers = try DemoServers(
                bootstrap: log.bootstrap, oldURL: nodes[0].url, newURL: nodes[1].url, names: DemoNames(suffix: ""),
                isEmbedded: true, stopping: stop)
            return DemoStage(servers: servers) { try log.createTopic($0, partitions: $1) }
        } catch {
            stop()
            throw error
        }
    }
}
