import JSONText
import Testing

@testable import SearchCluster

/// A proxy that answered `200 {}` to a DELETE made `cancel` say "removed", and to `GET _settings` the gate `settings`
/// pass.
@Suite struct UnsaidTests {
    private typealias Request = @Sendable (Cluster) throws(ClusterError) -> Void

    private static let requests: [(String, Request)] = [
        ("createIndex", { c throws(ClusterError) in try c.writer.createIndex("a", body: [:]) }),
        ("deleteIndex", { c throws(ClusterError) in try c.writer.deleteIndex("a") }),
        ("putMapping", { c throws(ClusterError) in try c.writer.putMapping("a", [:]) }),
        ("putSettings", { c throws(ClusterError) in try c.writer.putSettings("a", [:]) }),
        ("updateAliases", { c throws(ClusterError) in try c.writer.updateAliases([]) }),
        ("settings", { c throws(ClusterError) in _ = try c.writer.settings("a") }),
        ("mapping", { c throws(ClusterError) in _ = try c.writer.mapping("a") }),
        ("indexUUID", { c throws(ClusterError) in _ = try c.writer.indexUUID("a") }),
        ("aliases", { c throws(ClusterError) in _ = try c.writer.aliases(of: "a") }),
        ("condition", { c throws(ClusterError) in _ = try c.reader.condition(of: "a") }),
        ("refresh", { c throws(ClusterError) in try c.writer.refresh("a") }),
        ("readersRefresh", { c throws(ClusterError) in _ = try c.reader.refresh("a") }),
        ("count", { c throws(ClusterError) in _ = try c.writer.count("a") }),
        ("health", { c throws(ClusterError) in _ = try c.writer.health("a") }),
        ("use", { c throws(ClusterError) in _ = try c.writer.use(of: "a") }),
        ("pendingTasks", { c throws(ClusterError) in _ = try c.writer.pendingTasks() }),
        ("putDocument", { c throws(ClusterError) in try c.writer.putDocument("a", "i", [:], expecting: .absent) }),
        (
            "deleteDocument",
            { c throws(ClusterError) in
                try c.writer.deleteDocument("a", "i", expecting: .sequence(number: 1, term: 1))
            }
        ),
        ("getDocument", { c throws(ClusterError) in _ = try c.writer.getDocument("a", "i") }),
        ("documents", { c throws(ClusterError) in _ = try c.writer.documents("a", member: "m") }),
        ("putProgress", { c throws(ClusterError) in try c.writer.putProgress("a", "i", [:]) }),
        ("deleteProgress", { c throws(ClusterError) in try c.writer.deleteProgress("a", "i") }),
    ]

    @Test(.enabled(if: FakeServer.python != nil)) func anEmptyAnswerIsNeverSuccess() throws {
        let server = try FakeServer("always={}")
        let cluster = try Cluster.connect(server.endpoint())
        for (name, request) in Self.requests {
            let error = #expect(throws: ClusterError.self, "\(name)") { try request(cluster) }
            #expect(error?.code == .malformedAnswer, "\(name): \(error?.message ?? "it was taken for success")")
        }
    }

    @Test(.enabled(if: FakeServer.python != nil)) func aChangeThatNotEveryNodeKnowsIsNotDone() throws {
        let server = try FakeServer(#"always={"acknowledged":false}"#)
        let cluster = try Cluster.connect(server.endpoint())
        for (name, request) in Self.requests.prefix(5) {
            let error = #expect(throws: ClusterError.self, "\(name)") { try request(cluster) }
            #expect(error?.code == .unavailable, "\(name)")
        }
    }
}
