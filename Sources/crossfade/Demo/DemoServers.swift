import CommandLog
import Foundation
import HTTPServer
import SearchCluster

/// What everything that the demo makes is called.
struct DemoNames: Sendable {
    let migration: String
    let topic: String
    let deadLetters: String
    let applicationGroup: String
    let old: String
    let new: String
    /// The index that shows what the new cluster says to documents as they are.
    let wide: String
    var group: String { "crossfade-\(migration)" }
    var state: String { ".crossfade-\(migration)" }

    /// `suffix`: keeps the runs of one set of servers apart; empty: short names.
    init(suffix: String) {
        let end = suffix.isEmpty ? "" : "-\(suffix)"
        migration = "alerts\(end)"
        topic = "alert-commands\(end)"
        deadLetters = "alert-commands-dead\(end)"
        applicationGroup = "alert-indexer\(end)"
        old = "alerts\(end)"
        new = "alerts-v2\(end)"
        wide = "alerts-as-they-are\(end)"
    }
}

/// The command log and the two clusters: within this process, or real ones.
final class DemoServers {
    let bootstrap: String
    let oldURL: String
    let newURL: String
    let names: DemoNames
    let isEmbedded: Bool
    private(set) var old: Cluster
    private(set) var new: Cluster
    /// Where Crossfade's commands are to be watched, one after the other: `HOST:PORT`.
    let dashboard: String
    private let stopping: () -> Void
    private var hasMade = false

    static let partitions = 6

    /// Bytes of commands that a partition of the embedded log may hold; it forgets what is older than its last 5 MiB.
    var partitionLimit: Int? { isEmbedded ? 4 << 20 : nil }

    /// What clients of the log need: short sessions, so that a killed follower's partitions are soon given away.
    static let clientSettings = ["session.timeout.ms": "6000", "heartbeat.interval.ms": "500"]

    init(
        bootstrap: String, oldURL: String, newURL: String, names: DemoNames, isEmbedded: Bool,
        stopping: @escaping () -> Void = {}
    ) throws {
        self.bootstrap = bootstrap
        self.oldURL = oldURL
        self.newURL = newURL
        self.names = names
        self.isEmbedded = isEmbedded
        self.stopping = stopping
        dashboard = "127.0.0.1:\(Self.freePort(like: 9464))"
        old = try Cluster.connect(ClusterEndpoint(urls: [oldURL]))
        new = try Cluster.connect(ClusterEndpoint(urls: [newURL]))
        guard !old.isSame(as: new) else {
            throw DemoError("--old and --new are one cluster; the demo needs two.", code: .usage)
        }
    }

    /// A port that nobody listens on: the one given, or else any. Should somebody take it meanwhile, the command says so.
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

    /// Whatever is there already is somebody's: it is not touched.
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
        for (cluster, index) in [(old, names.old), (new, names.new), (new, names.wide), (new, names.state)]
        where try cluster.writer.indexExists(index) {
            throw taken("the index or alias \(index) exists on \(cluster.endpoint.urls.first ?? "-")")
        }
    }

    private func taken(_ what: String) -> DemoError {
        DemoError("\(what): the demo touches nothing that is there. Give it another --name.", code: .refused)
    }

    /// The topics and the old index.
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

    /// Ends what runs here; on real servers, deletes what the demo made there.
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
