import CommandLog
import Foundation
import HTTPServer
import SearchCluster

/// The command log and the two clusters: inside this process, or real servers.
final class DemoServers {
    let bootstrap: String
    let oldURL: String
    let newURL: String
    let names: DemoNames
    let isEmbedded: Bool
    private(set) var old: Cluster
    private(set) var new: Cluster
    /// `HOST:PORT` of the dashboard of Crossfade's commands. They run one after the other and share it.
    let dashboard: String
    private let stopping: () -> Void
    private var hasMade = false

    static let partitions = 6

    /// The most bytes of commands per partition of the embedded log, which keeps only the last 5 MiB.
    var partitionLimit: Int? { isEmbedded ? 4 << 20 : nil }

    /// Short sessions: Kafka soon gives the partitions of a killed follower to its successor.
    static let clientSettings = ["session.timeout.ms": "6000", "heartbeat.interval.ms": "500"]

    init(
        bootstrap: String, oldURL: String, newURL: String, names: DemoNames, isEmbedded: Bool,
        stopping: @escaping () -> Void = {}
    ) throws {
        (self.bootstrap, self.oldURL, self.newURL, self.names) = (bootstrap, oldURL, newURL, names)
        (self.isEmbedded, self.stopping) = (isEmbedded, stopping)
        dashboard = "127.0.0.1:\(Self.freePort(like: 9464))"
        old = try Cluster.connect(ClusterEndpoint(urls: [oldURL]))
        new = try Cluster.connect(ClusterEndpoint(urls: [newURL]))
        guard !old.isSame(as: new) else {
            throw DemoError("--old and --new are one cluster; the demo needs two.", code: .usage)
        }
    }

    /// A free port: the given one if possible. If another process takes it in the meantime, the command reports it.
    private static func freePort(like port: Int) -> Int {
        for address in ["127.0.0.1:\(port)", "127.0.0.1:0"] {
            guard
                let server = try? HTTPServer(
                    address: address, threads: 1, maximumBody: 0,
                    handler: { _ in HTTPResponse(contentType: "text/plain", text: "") })
            else { continue }
            defer { server.stop() }
            return server.port
        }
        return port
    }

    func settings(group: String) -> KafkaSettings {
        KafkaSettings(bootstrap: bootstrap, group: group, passthrough: Self.clientSettings)
    }

    /// Refuses to start when something with one of our names exists: it belongs to somebody else.
    func refuseWhatExists() throws {
        let admin = try LogAdmin(settings: settings(group: names.group))
        defer { admin.close() }
        for topic in [names.topic, names.deadLetters] {
            do {
                _ = try admin.describe(topic)
            } catch {
                guard error.code == .missingTopic else { throw error }
                continue
            }
            throw taken("topic \(topic) exists")
        }
        for (cluster, index) in [
            (old, names.old), (new, names.new), (new, names.wide), (new, names.state), (new, names.old),
        ]
        where try cluster.writer.indexExists(index) {
            throw taken("the index or alias \(index) exists on \(cluster.endpoint.urls.first ?? "-")")
        }
    }

    private func taken(_ what: String) -> DemoError {
        DemoError("\(what): the demo touches nothing that is there. Give it another --name.", code: .refused)
    }

    /// Creates the topics and the old index.
    func make(createTopic: (String, Int) throws -> Void) throws {
        hasMade = true
        try createTopic(names.topic, Self.partitions)
        try createTopic(names.deadLetters, 1)
        let properties: JSONProperties = [
            ("title", "text"), ("status", "keyword"), ("severity", "integer"), ("opened_at", "long"),
            ("load", "double"),
        ]
        try old.writer.createIndex(names.old, body: properties.body(old, shards: 2))
    }

    /// Stops embedded servers. On real servers, deletes what the demo created when `deleting` is true.
    func close(deleting: Bool) {
        if deleting, hasMade, !isEmbedded {
            for index in [names.new, names.wide, names.state] { _ = try? new.writer.deleteIndex(index) }
            _ = try? old.writer.deleteIndex(names.old)
            if let admin = try? LogAdmin(settings: settings(group: names.group)) {
                for topic in [names.topic, names.deadLetters] { _ = try? admin.deleteTopic(topic) }
                for group in [names.group, names.applicationGroup] { _ = try? admin.deleteGroup(group) }
                admin.close()
            }
        }
        old.close()
        new.close()
        stopping()
    }
}
