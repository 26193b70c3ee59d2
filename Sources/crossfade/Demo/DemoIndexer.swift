import CommandLog
import Foundation
import JSONText
import SearchCluster
import Synchronization

/// The application's own indexer: reads the topic in a group of its own and keeps the old index by it, as it did long
/// before anybody thought of moving. It knows nothing of Crossfade and of versions.
///
/// `@unchecked Sendable`: everything but what is behind a lock belongs to the thread.
final class DemoIndexer: LogConsumerDelegate, @unchecked Sendable {
    let index: String
    private let cluster: Cluster
    private let consumer: LogConsumer
    private var model = DemoModel()
    private var next: [Int32: Int64] = [:]
    private struct State {
        var applied: Int64 = 0
        var failure: String?
        var isAssigned = false
        var isStopped = false
    }

    private let state = Mutex(State())
    private let ended = DispatchSemaphore(value: 0)

    init(_ settings: KafkaSettings, topic: String, cluster: Cluster, index: String) throws {
        self.cluster = cluster
        self.index = index
        let relay = Relay()
        consumer = try LogConsumer(settings: settings, topic: topic, mode: .group, delegate: relay)
        self.relay = relay
        relay.indexer = self
    }

    /// The consumer wants its delegate before there is one.
    private final class Relay: LogConsumerDelegate {
        weak var indexer: DemoIndexer?
        func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] { try indexer?.assigned(partitions) ?? [:] }
        func revoked(_ partitions: [Int32], lost: Bool) { indexer?.revoked(partitions, lost: lost) }
    }

    private let relay: Relay

    /// Commands that are in the old index, why it stopped, if it did, and whether it has got its partitions.
    var progress: (applied: Int64, failure: String?, isAssigned: Bool) {
        state.withLock { ($0.applied, $0.failure, $0.isAssigned) }
    }

    func start() {
        let thread = Thread { [self] in
            do {
                try run()
            } catch {
                state.withLock { $0.failure = "\(error)" }
            }
            consumer.close(seconds: 3)
            ended.signal()
        }
        thread.name = "demo-indexer"
        thread.start()
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        _ = ended.wait(timeout: .now() + 8)
    }

    func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] {
        let committed = try consumer.committed(partitions)
        state.withLock { $0.isAssigned = true }
        return Dictionary(uniqueKeysWithValues: partitions.map { ($0, committed[$0]?.offset ?? next[$0] ?? 0) })
    }

    func revoked(_ partitions: [Int32], lost: Bool) {}

    private func run() throws {
        let batch = RecordBatch(capacity: 200)
        while !state.withLock({ $0.isStopped }) {
            try consumer.poll(into: batch, timeoutMs: 100)
            guard batch.count > 0 else { continue }
            try apply(batch)
            batch.releaseAll()
        }
    }

    /// Writes each command's document as it was right after it, and commits.
    private func apply(_ batch: RecordBatch) throws {
        var changed: [(String, JSONObject?)] = []
        for at in 0..<batch.count {
            let message = batch[at]
            next[message.partition] = message.offset + 1
            guard let value = message.value, let id = model.apply(String(repairing: value)) else { continue }
            changed.append((id, model.documents[id]))
        }
        try DemoBulk.write(changed, to: index, cluster)
        try consumer.commit(next, synchronously: true)
        state.withLock { $0.applied += Int64(batch.count) }
    }
}

/// Plain bulk requests, as an application sends them.
enum DemoBulk {
    /// Writes the documents, or deletes those that are nil. Throws the first refusal.
    static func write(_ documents: [(id: String, document: JSONObject?)], to index: String, _ cluster: Cluster) throws {
        guard !documents.isEmpty else { return }
        if let refusal = try send(documents, to: index, cluster) {
            throw DemoError("the old index \(index) refused document \(refusal.id): \(refusal.reason)")
        }
    }

    struct Refusal {
        var id: String
        var position: Int
        /// The server's own words.
        var type: String
        var reason: String
    }

    /// The first document that the server refused; nil: none.
    static func send(
        _ documents: [(id: String, document: JSONObject?)], to index: String, _ cluster: Cluster
    ) throws -> Refusal? {
        let body = ByteBuffer()
        for (id, document) in documents {
            let action: JSONValue = [document == nil ? "delete" : "index": ["_id": .string(id)]]
            action.write(into: body)
            body.append(UInt8(ascii: "\n"))
            guard let document else { continue }
            JSONValue.object(document).write(into: body)
            body.append(UInt8(ascii: "\n"))
        }
        let writer = cluster.writer
        let response = try cluster.transport.perform(writer.bulkRequest(writer.bulkPath(index), body: body))
        defer { cluster.transport.recycle(response.body) }
        let answer = try JSONValue(parsing: response.body.bytes)
        guard response.status < 300 else { throw DemoError("writing to \(index) was refused: \(answer.text())") }
        for (position, item) in (answer["items"]?.array ?? []).enumerated() {
            guard let result = item.object?.first?.value, let status = result["status"]?.int, status >= 300,
                status != 404
            else { continue }
            let error = result["error"]
            return Refusal(
                id: documents.indices.contains(position) ? documents[position].id : "-", position: position,
                type: error?["type"]?.string ?? "",
                reason: error?["reason"]?.string ?? error?.string ?? "status \(status)")
        }
        return nil
    }
}
