import Commands
import Embedded
import Foundation
import Indexing
import JSONText
import Parity
import Pipeline
import SearchCluster
import Telemetry
import Testing
import Transform
import Verification

/// Two embedded clusters with one index each, `old` and `new`, and scans of both.
final class TwoSides {
    let source: EmbeddedSide
    let target: EmbeddedSide
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    var transform: [TransformStep] = []
    var id: String?
    var from = ["old"]
    var options = ParityScan.Options()

    init() throws {
        source = try EmbeddedSide(SearchNode(ServerPersona(.elasticsearch, ServerVersion(6, 8, 0))))
        target = try EmbeddedSide(SearchNode(ServerPersona(.elasticsearch, ServerVersion(8, 17, 0))))
        options.slices = 4
        options.page = 50
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Writes a document of the old side.
    func old(_ id: String, _ document: String, index: String = "old", routing: String? = nil) {
        let status = source.send(
            "PUT", "/\(index)/_doc/\(id)" + (routing.map { "?routing=\($0)" } ?? ""), document)
        #expect((200..<300).contains(status))
    }

    func new(_ id: String, _ document: String, routing: String? = nil) {
        let status = target.send("PUT", "/new/_doc/\(id)" + (routing.map { "?routing=\($0)" } ?? ""), document)
        #expect((200..<300).contains(status))
    }

    /// The same documents on both sides, in another spelling.
    func fill(_ count: Int) {
        for number in 0..<count {
            old("\(number)", #"{"number":\#(number),"text":"no \#(number)","tags":["a","b"],"more":{"x":1,"y":2.50}}"#)
            new(
                "\(number)",
                #"{"more":{"y":2.5,"x":1.0}, "tags":["a","b"],"text":"no \#(number)", "number":\#(number)}"#)
        }
    }

    func sides() throws -> ScanSides {
        for side in [source, target] { side.send("POST", "/_refresh") }
        let source = try Cluster.connect(ClusterEndpoint(urls: [source.url]))
        let target = try Cluster.connect(ClusterEndpoint(urls: [target.url]))
        return ScanSides(
            source: source, target: target,
            entries: [
                ScanSides.Entry(
                    index: "new", source: try from.flatMap { try source.reader.resolve($0) },
                    target: try target.reader.resolve("new").first)
            ])
    }

    func scan(digest: String = "one") throws -> ParityScan {
        let plan = PipelinePlan(
            name: "test", topic: "commands", format: CommandFormat(shape: .document, version: .offset),
            entries: [
                PipelinePlan.Entry(
                    index: "new", alias: "new", transform: transform, merge: .deep, missing: .create, from: from, id: id
                )
            ], copyUnfinished: false, memory: MemoryBudget(limit: 64 << 20), deadLetterTopic: "dead", workers: 1,
            longestStop: .max)
        return try ParityScan(
            options, plan: plan, sides: try sides(), folder: folder, digest: digest, logger: Logger(level: .error))
    }

    func run() throws -> ScanResult { try scan().run(begun: 1) { _ in } }

    /// The candidates as `id` or `id/routing`, sorted.
    static func candidates(_ result: ScanResult) throws -> [String] {
        var found: [String] = []
        try result.candidates.read(chunk: 100) { keys in
            found += keys.map { key in
                String(decoding: key.id, as: UTF8.self)
                    + (key.routing.map { "/" + String(decoding: $0, as: UTF8.self) } ?? "")
            }
        }
        return found.sorted()
    }
}
