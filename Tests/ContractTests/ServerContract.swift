import Foundation
import Embedded
import JSONText
import SearchCluster
import Testing

/// The expected features of one server.
struct ServerRow: Sendable, CustomTestStringConvertible {
    var name: String
    var product: ServerInfo.Product
    var version: ServerVersion

    var testDescription: String { name }

    static let all: [ServerRow] = [
        ServerRow(name: "es-1.7", product: .elasticsearch, version: ServerVersion(1, 7, 6)),
        ServerRow(name: "es-2.4", product: .elasticsearch, version: ServerVersion(2, 4, 6)),
        ServerRow(name: "es-5.6", product: .elasticsearch, version: ServerVersion(5, 6, 16)),
        ServerRow(name: "es-6.8", product: .elasticsearch, version: ServerVersion(6, 8, 23)),
        ServerRow(name: "es-7.10", product: .elasticsearch, version: ServerVersion(7, 10, 2)),
        ServerRow(name: "es-7.17", product: .elasticsearch, version: ServerVersion(7, 17, 28)),
        ServerRow(name: "es-8.17", product: .elasticsearch, version: ServerVersion(8, 17, 0)),
        ServerRow(name: "es-9.0", product: .elasticsearch, version: ServerVersion(9, 0, 4)),
        ServerRow(name: "os-3", product: .opensearch, version: ServerVersion(3, 3, 2)),
    ]

    /// The versions that an embedded node imitates: all of these, and some without a real server here.
    static let embedded: [ServerRow] =
        all + [
            ServerRow(name: "es-5.2", product: .elasticsearch, version: ServerVersion(5, 2, 2)),
            ServerRow(name: "es-6.1", product: .elasticsearch, version: ServerVersion(6, 1, 4)),
            ServerRow(name: "es-6.3", product: .elasticsearch, version: ServerVersion(6, 3, 2)),
            ServerRow(name: "es-6.5", product: .elasticsearch, version: ServerVersion(6, 5, 4)),
            ServerRow(name: "os-1", product: .opensearch, version: ServerVersion(1, 3, 20)),
            ServerRow(name: "os-2", product: .opensearch, version: ServerVersion(2, 19, 3)),
        ]
}

/// Checks every capability row on a real server, one server after the other.
@Suite(.serialized) struct ServerContract {
    @Test(
        "a real server keeps the contract",
        .enabled(if: ServerRow.all.contains { Stack.has($0.name) }, "no stack program and no CROSSFADE_TEST_ address"),
        arguments: ServerRow.all.filter { Stack.has($0.name) })
    func contract(_ row: ServerRow) throws {
        try Stack.with(row.name) { url in try keep(row, url) }
    }

    @Test("an embedded node keeps the contract", arguments: ServerRow.embedded)
    func embedded(_ row: ServerRow) throws {
        let server = try EmbeddedSearchServer(SearchNode(ServerPersona(row.product, row.version)))
        defer { server.stop() }
        try keep(row, server.url)
    }

    private func keep(_ row: ServerRow, _ url: String) throws {
        let cluster = try Cluster.connect(ClusterEndpoint(urls: [url]))
        defer { cluster.close() }
        let run = ContractRun(row: row, cluster: cluster, url: url)
        try run.identifies()
        try run.createsIndices()
        try run.answersBulkItems()
        try run.limitsIDs()
        try run.readsEveryDocumentOnce()
        try run.getsManyAtOnce()
        try run.hidesTombstones()
        try run.purgesTombstones()
        try run.closesAliasToWrites()
        try run.makesNoIndexOfALateWrite()
        try run.comparesAndSets()
        try run.resolves()
        try run.noticesLostScrolls()
        try run.refusesIndexWithoutSource()
        try run.carriesParents()
        try run.answersQueries()
        try run.administers()
    }
}
