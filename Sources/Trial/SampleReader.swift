import CommandLog
import Failures
import JSONText
import Recipe
import Runtime
import SearchCluster
import Telemetry

/// Fetches samples from the recipe's own topic and source; nothing is changed by it.
package enum SampleReader {
    /// The record at that place of the command topic.
    package static func record(
        _ recipe: Recipe, partition: Int32, offset: Int64, logger: Logger
    ) throws -> SampleRecord {
        let admin = try LogAdmin(settings: recipe.kafkaSettings, log: logger.kafka)
        defer { admin.close() }
        let topic = try admin.describe(recipe.commands.topic)
        guard topic.partitions.contains(partition) else {
            throw WorkError(
                .log, "topic \(recipe.commands.topic) has no partition \(partition); it has \(topic.partitions.count)")
        }
        let marks = try admin.watermarks(recipe.commands.topic, partitions: [partition])
        guard let mark = marks[partition], offset >= mark.low, offset < mark.high else {
            let mark = marks[partition] ?? (0, 0)
            throw WorkError(
                .log,
                "partition \(partition) of topic \(recipe.commands.topic) has no offset \(offset): it goes from "
                    + "\(mark.low) to before \(mark.high)")
        }
        let consumer = try LogConsumer(
            settings: recipe.kafkaSettings, topic: recipe.commands.topic, mode: .assigned([partition: offset]),
            log: logger.kafka)
        defer { consumer.close(seconds: 2) }
        let batch = RecordBatch(capacity: 1)
        let end = MonotonicClock.milliseconds() + 15_000
        while MonotonicClock.milliseconds() < end, !StopSignal.isAsked {
            try consumer.poll(into: batch, timeoutMs: 100)
            defer { batch.releaseAll() }
            if batch.count > 0 {
                guard batch[0].offset == offset else { break }
                return copy(batch[0])
            }
            if case .endOfPartition? = batch.events.first { break }
        }
        throw WorkError(
            .log,
            "there is no record at offset \(offset) of partition \(partition) of topic \(recipe.commands.topic): it "
                + "was "
                + "compacted away, or belongs to a transaction's bookkeeping")
    }

    private static func copy(_ message: LogMessage) -> SampleRecord {
        SampleRecord(
            key: message.key.map(Array.init), value: message.value.map(Array.init),
            headers: message.copiedHeaders().map { SampleRecord.Header(name: $0.0, value: $0.1) },
            partition: message.partition, offset: message.offset, timestamp: message.timestamp)
    }

    /// The source, from which samples are read.
    package final class Source {
        private let recipe: Recipe
        private let cluster: Cluster

        package init(_ recipe: Recipe) throws {
            guard let endpoint = recipe.source else {
                throw WorkError(.recipe, "the recipe has no source to take a document from")
            }
            self.recipe = recipe
            cluster = try Cluster.connect(endpoint)
        }

        deinit { cluster.close() }

        /// Per entry the mapping of the first index that it is copied from; nil: there is none.
        package func mappings() throws -> [JSONValue?] {
            try recipe.indices.map { entry in
                guard entry.mapping == nil, let from = entry.from else { return nil }
                return try cluster.reader.resolve(from).first?.mappings
            }
        }

        /// Every document with that id, of all types and entries.
        package func documents(_ id: String) throws -> [(entry: Int, index: String, document: SampleDocument)] {
            var found: [(entry: Int, index: String, document: SampleDocument)] = []
            for (entry, from) in recipe.indices.enumerated().compactMap({ entry in entry.1.from.map { (entry.0, $0) } })
            {
                for index in try cluster.reader.resolve(from) {
                    for slice in cluster.reader.slices(index, wanted: 1) {
                        let scroll = cluster.reader.openScroll(
                            slice, pageSize: 100, query: ClusterReader.query(ids: [id]))
                        defer { scroll.close() }
                        while let page = try scroll.nextPage() {
                            found += try page.hits.map { (entry, index.name, try Self.document($0, page)) }
                        }
                    }
                }
            }
            guard !found.isEmpty else {
                throw WorkError(.cluster, "the source has no document with the id \(id) in what the recipe copies")
            }
            return found
        }

        private static func document(_ hit: Hit, _ page: Page) throws -> SampleDocument {
            try withExtendedLifetime(page) {
                func text(_ range: Range<Int>?) throws -> String? {
                    try range.flatMap { try JSONValue(parsing: page.bytes($0)).string }
                }
                return SampleDocument(
                    id: try text(hit.id) ?? "", type: try text(hit.type), routing: try text(hit.routing ?? hit.parent),
                    version: hit.version, source: Array(page.bytes(hit.source)))
            }
        }
    }
}
