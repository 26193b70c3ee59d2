import CommandLog
import Foundation
import JSONText
import SearchCluster
import Synchronization

/// The application's own indexer. It reads the topic in its own consumer group and writes the old index, as it did
/// long before the migration. It knows nothing of Crossfade or of versions.
///
/// `@unchecked Sendable`: a lock protects what threads share; everything else belongs to the indexer's thread.
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
        (self.cluster, self.index) = (cluster, index)
        let relay = Relay()
        consumer = try LogConsumer(settings: settings, topic: topic, mode: .group, delegate: relay)
        self.relay = relay
        relay.indexer = self
    }

    /// The consumer needs its delegate at creation, before the indexer exists.
    private final class Relay: LogConsumerDelegate {
        weak var indexer: DemoIndexer?
        func assigned(_ partitions: [Int32]) throws -> [Int32: Int64] { try indexer?.assigned(partitions) ?? [:] }
        func revoked(_ partitions: [Int32], lost: Bool) { indexer?.revoked(partitions, lost: lost) }
    }

    private let relay: Relay

    /// The number of commands in the old index, the failure that stopped the indexer, and whether it has its
    /// partitions.
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

    /// Writes the state of each command's document after that command, then commits.
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

/// Sends plain bulk requests, as an application does.
enum DemoBulk {
    /// Writes the documents, and deletes those that are nil. Throws the first refusal.
    static func write(_ documents: [(id: String, document: JSONObject?)], to index: String, _ cluster: Cluster) throws {
        guard !documents.isEmpty else { return }
        if let refusal = try send(documents, to: index, cluster) {
            throw DemoError("the old index \(index) refused document \(refusal.id): \(refusal.reason)")
        }
    }

    struct Refusal {
        var id: String
        var position: Int
        /// The server's own message.
        var type: String
        var reason: String
    }

    /// Writes the documents, and deletes those that are nil. Returns the first refusal; nil: there is none.
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
            guard let result = item.object?.first?.value, let status = result["status"]?.count, status >= 300,
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
