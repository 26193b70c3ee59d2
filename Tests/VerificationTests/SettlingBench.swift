import CommandLog
import Embedded
import Foundation
import JSONText
import Migration
import Parity
import Pipeline
import Planning
import Recipe
import SearchCluster
import State
import Synchronization
import Telemetry
import Testing
@testable import Verification

/// A whole migration inside the process: two embedded clusters, librdkafka's own broker with the topic `orders` of one
/// partition, and both groups, whose offsets are set by the test. Documents are written on each side as its own writer
/// would.
final class SettlingBench: @unchecked Sendable {
    let source: EmbeddedSide
    let target: EmbeddedSide
    let mock: MockLog
    let recipe: Recipe
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    private let admin: LogAdmin
    private let producer: DeadLetterProducer
    private let written = Counter()
    private var ends: [Int32: Int64] = [:]
    private var end: Int64 { ends[0] ?? 0 }
    private var readers: [GroupReader] = []
    let logger = Logger(level: .error)
    var options: Settling.Options

    private final class Counter: Sendable {
        let count = Mutex(0)
    }

    /// - Parameters:
    ///   - begin: makes the old side's indices; nil: one, `old`.
    ///   - routing: where commands have their routing.
    ///   - entry: what else the recipe says of the entry.
    ///   - rest: what else the recipe says.
    init(
        group: Bool = true, partitions: Int = 1, rest: String = "",
        version: ServerVersion = ServerVersion(6, 8, 0), routing: String? = nil,
        entry: String = "transform: [{ rename: { from: name, to: title } }]", begin: ((EmbeddedSide) -> Void)? = nil
    ) throws {
        mock = try MockLog()
        try mock.createTopic("orders", partitions: partitions)
        ends = Dictionary(uniqueKeysWithValues: (0..<partitions).map { (Int32($0), 0) })
        source = try EmbeddedSide(SearchNode(ServerPersona(.elasticsearch, version)))
        target = try EmbeddedSide(SearchNode(ServerPersona(.elasticsearch, ServerVersion(8, 17, 0))))
        let plain: (EmbeddedSide) -> Void = {
            $0.send("PUT", "/old", #"{"mappings":{"_doc":{"properties":{"name":{"type":"keyword"}}}}}"#)
        }
        (begin ?? plain)(source)
        let text = """
            name: small
            source: { url: "\(source.url)" }
            target: { url: "\(target.url)" }
            commands:
              bootstrap: \(mock.bootstrap)
              topic: orders
              \(group ? "application_group: indexer" : "")
              format: envelope
              envelope:
                { id: id, operation: op, index: put, merge: part, delete: del, document: doc\(
                    routing.map { ", routing: \($0)" } ?? "") }
            indices:
              - from: old
                to: new
                mapping: { properties: { title: { type: keyword } } }
                \(entry)
            dead_letters: { topic: orders-dead }
            \(rest)
            """
        recipe = try RecipeLoader.load(text: Array(text.utf8), path: "small.yaml", environment: [:])
        admin = try LogAdmin(settings: recipe.kafkaSettings)
        producer = try DeadLetterProducer(settings: recipe.kafkaSettings) { [written] _, error in
            if error == nil { written.count.withLock { $0 += 1 } }
        }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        options = Settling.Options(folder: folder)
        options.book.grace = 100
        options.book.bound = 3000
        let prepared = try Preflight.prepare(recipe, for: .initialise, depth: .facts, logger: logger)
        _ = try Initialisation.run(prepared, confirmation: prepared.fingerprint, logger: logger)
    }

    deinit {
        for reader in readers { reader.close() }
        admin.close()
        mock.close()
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: What happens

    /// Appends a command and gives its version.
    @discardableResult func command(_ json: String, in partition: Int32 = 0) throws -> Int64 {
        let isSent = try Array(json.utf8).withUnsafeBufferPointer {
            try producer.send(topic: "orders", key: nil, value: $0, token: 0, partition: partition, waitMs: 10_000)
        }
        #expect(isSent && producer.flush(seconds: 10))
        let end = ends[partition, default: 0] + 1
        ends[partition] = end
        #expect(written.count.withLock { $0 } == Int(ends.values.reduce(0, +)))
        return end + 1
    }

    /// What the groups have applied; nil: everything. `both`: whether both commit, or only the one that is named.
    func applied(application: Int64? = nil, crossfade: Int64? = nil, both: Bool = true) throws {
        if both || application != nil {
            try admin.commit(group: "indexer", topic: "orders", offsets: application.map { [0: $0] } ?? ends)
        }
        if both || crossfade != nil {
            try admin.commit(group: recipe.commands.group, topic: "orders", offsets: crossfade.map { [0: $0] } ?? ends)
        }
    }

    func old(_ id: String, _ document: String, routing: String? = nil) {
        let status = source.send("PUT", "/old/_doc/\(id)" + (routing.map { "?routing=\($0)" } ?? ""), document)
        #expect((200..<300).contains(status))
    }

    func new(_ id: String, _ document: String, version: Int64, routing: String? = nil) {
        let status = target.send(
            "PUT",
            "/new/_doc/\(id)?version=\(version)&version_type=external"
                + (routing.map { "&routing=\($0)" } ?? ""), document)
        #expect((200..<300).contains(status), "\(id)")
    }

    func refresh() { for side in [source, target] { side.send("POST", "/_refresh") } }

    // MARK: What is asked

    func prepared() throws -> Preflight {
        try Preflight.prepare(recipe, for: .verify, depth: .facts, logger: logger)
    }

    func plan(_ prepared: Preflight) throws -> PipelinePlan {
        let state = try #require(try StateStore(target: prepared.survey.target, name: "small").load())
        return prepared.pipelinePlan(state: state, writing: .log)
    }

    func groups(_ prepared: Preflight, against basis: Receipt.Basis = .source) throws -> GroupReader {
        let reader = try GroupReader(prepared, against: basis, logger: logger)
        readers.append(reader)
        return reader
    }

    func keys(_ keys: [DocumentKey]) throws -> KeyFile {
        let file = try KeyFile(folder.appendingPathComponent(UUID().uuidString))
        for key in keys { try file.append(key) }
        return file
    }

    static func key(_ id: String, routing: String? = nil) -> DocumentKey {
        DocumentKey(entry: 0, id: Array(id.utf8), routing: routing.map { Array($0.utf8) })
    }

    func settle(
        _ ids: [DocumentKey], line: Int64? = nil, progress: @escaping (SettlingProgress) -> Void = { _ in }
    ) throws -> SettlingResult {
        refresh()
        let prepared = try prepared()
        let plan = try plan(prepared)
        let settling = try Settling(
            prepared, plan, expectations: LiveDocuments(prepared, plan), groups: try groups(prepared),
            options: options, logger: logger, progress: progress)
        return try settling.run(try keys(ids), line: [0: line ?? end])
    }

    func repair(_ ids: [DocumentKey], performing: Bool = true, trusts: Bool = false) throws -> RepairReport {
        let prepared = try prepared()
        return try RepairWork(
            prepared, try plan(prepared), groups: try groups(prepared), options: options, trustsSource: trusts,
            logger: logger
        ).run(try keys(ids), performing: performing)
    }

    /// The document of the new side and its version, as JSON; nil: there is none.
    func held(_ id: String, routing: String? = nil) throws -> (text: String, version: Int64)? {
        let prepared = try prepared()
        var found: (String, Int64)?
        try LiveDocuments(prepared, try plan(prepared), readsSource: false).read([Self.key(id, routing: routing)]) {
            if let document = $1.new, let version = $1.newVersion {
                found = (String(decoding: document, as: UTF8.self), version)
            }
        }
        return found
    }
}
