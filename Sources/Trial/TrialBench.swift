import Commands
import Failures
import Indexing
import JSONText
import Recipe
import Schema
import SearchCluster

/// Sends samples through a recipe into indices of a cluster that exists for the trial only, and shows what each becomes
/// and what it does to the mapping. Not safe for several threads.
package final class TrialBench {
    /// What became of one sample.
    package struct Result: Sendable {
        /// Where the sample came from, for people.
        package var label: String
        package var outcome: Outcome
        /// The write that was sent; nil: nothing was sent.
        package var write: RecipeTrial.Write?
        /// Why the sample became a dead letter or was skipped.
        package var reason: String?
        package var detail: String?
        /// Fields that the document added to the mapping.
        package var newFields: [Field]
        /// How many fields the mapping has after it, and how many it may have; nil: nothing was indexed.
        package var fields: (count: Int, limit: Int)?
        /// How the sample's line was understood; nil: the sample came from no file.
        package var reading: SampleLine.Reading?
        /// A hint about a mistyped key of that line.
        package var hint: String?
    }

    /// A mapped field.
    package struct Field: Sendable, Equatable {
        package var path: String
        package var type: String
    }

    private let recipe: Recipe
    private let trial: RecipeTrial
    private let cluster: Cluster
    /// The indexed documents by entry, id and routing, as bases of merges.
    private var bases: [String: [UInt8]] = [:]
    private var mapped: [Int: [String: String]] = [:]

    /// Creates the recipe's indices on the cluster, as `init` would. `sourceMappings`: per entry the source's mapping,
    /// for entries without their own; nil: unknown.
    package init(_ recipe: Recipe, on cluster: Cluster, sourceMappings: [JSONValue?]) throws {
        (self.recipe, self.cluster) = (recipe, cluster)
        trial = RecipeTrial(recipe)
        for entry in recipe.indices.indices {
            let mapping = sourceMappings.indices.contains(entry) ? sourceMappings[entry] : nil
            let body = try trial.createBody(entry: entry, capabilities: cluster.capabilities, sourceMapping: mapping)
            do throws(ClusterError) {
                try cluster.writer.createIndex(index(entry), body: body)
            } catch {
                guard error.code == .badRequest else { throw error }
                throw WorkError(
                    .recipe,
                    "\(cluster.server) does not take the mapping or the settings of \(recipe.indices[entry].to)",
                    underlying: error.underlying ?? error.message)
            }
            mapped[entry] = try fields(entry)
        }
    }

    /// The entry's index on the trial cluster. The placeholder `{index}` becomes the word index.
    private func index(_ entry: Int) -> String { recipe.indices[entry].to.replacing("{index}", with: "index") }

    /// Decodes, transforms and indexes a record. A merge finds what earlier samples wrote.
    package func run(_ record: SampleRecord, label: String) throws -> Result {
        let fate = trial.decide(record) { entry, id, routing in bases[Self.key(entry, id, routing)] }
        return try conclude(fate, label: label)
    }

    /// Transforms and indexes a document of the source, as the copy would.
    package func run(_ document: SampleDocument, entry: Int, label: String) throws -> Result {
        try conclude(trial.decide(document, entry: entry), label: label)
    }

    private static func key(_ entry: Int, _ id: String, _ routing: String?) -> String {
        "\(entry)\u{0}\(id)\u{0}\(routing ?? "")"
    }

    private func conclude(_ fate: RecipeTrial.Fate, label: String) throws -> Result {
        switch fate {
        case .skipped(let why):
            return Result(label: label, outcome: .skipped, reason: nil, detail: why, newFields: [])
        case .rejected(let reject):
            return Result(
                label: label, outcome: .deadLettered, reason: reject.reason, detail: reject.detail, newFields: [])
        case .write(let write): return try index(write, label: label)
        }
    }

    private func index(_ write: RecipeTrial.Write, label: String) throws -> Result {
        let (verdict, detail) = try send(write)
        var result = Result(label: label, outcome: .indexed, write: write, newFields: [])
        switch verdict {
        case .done(.stale):
            result.outcome = .stale
            result.detail = "the index holds a newer version of this document"
        case .done:
            result.outcome = write.kind == .merge ? .merged : write.kind == .delete ? .deleted : .indexed
            let key = Self.key(write.entry, write.id, write.routing)
            bases[key] = write.document.map { Array($0.text().utf8) }
        case .dead(let reason):
            result.outcome = .deadLettered
            result.reason = reason
            result.detail = detail
        case .again, .stop:
            throw WorkError(
                .cluster, "the index for the trial does not take writes: \(detail ?? "it does not say why")")
        }
        let now = try fields(write.entry)
        let before = mapped[write.entry] ?? [:]
        result.newFields = now.filter { before[$0.key] == nil }.map { Field(path: $0.key, type: $0.value) }
            .sorted { $0.path < $1.path }
        mapped[write.entry] = now
        let settings = recipe.indices[write.entry].settings.flatMap { try? JSONValue(parsing: $0) }
        result.fields = (now.count, TargetMapping.limit(settings))
        return result
    }

    /// Sends the write as one bulk request, and classifies its item as the sink does.
    private func send(_ write: RecipeTrial.Write) throws -> (ItemClass, String?) {
        let body = ByteBuffer(capacity: write.lines.count)
        write.lines.withUnsafeBufferPointer { body.append($0) }
        let path = cluster.writer.bulkPath(index(write.entry))
        let answer = try cluster.transport.perform(cluster.writer.bulkRequest(path, body: body))
        if let error = ClusterError(answer: answer, from: cluster.transport, doing: "indexing a sample") {
            // If a request of one item is refused whole, the item is the reason.
            guard answer.status == 400 || answer.status == 413 else { throw error }
            let verdict = ItemClass.classify(
                kind: write.kind, status: answer.status, errorType: error.serverType, reason: error.message)
            return (verdict, error.message)
        }
        return try withExtendedLifetime(answer.body) {
            let bytes = answer.body.bytes
            func text(_ range: Range<Int>?) -> String? { range.map { String(repairing: Bytes(rebasing: bytes[$0])) } }
            var found: (ItemClass, String?) = (.again(throttled: false), nil)
            try BulkResponse.scan(bytes, expected: 1, sent: { _ in .index }) { _, item in
                let reason = text(item.errorReason)
                let type = text(item.errorType)
                found = (
                    // A tombstone is an ordinary document to the cluster.
                    ItemClass.classify(kind: .index, status: item.status, errorType: type, reason: reason),
                    reason ?? type
                )
            }
            return found
        }
    }

    /// Path to type of every field as the total-fields limit counts them.
    private func fields(_ entry: Int) throws -> [String: String] {
        let mapping = try cluster.writer.mapping(index(entry))
        let bare =
            cluster.capabilities.typed
            ? mapping.object?[cluster.capabilities.documentType] ?? mapping.object?.first?.value ?? [:] : mapping
        var found: [String: String] = [:]
        Self.collect(bare, under: "", into: &found)
        return found
    }

    private static func collect(_ mapping: JSONValue, under prefix: String, into found: inout [String: String]) {
        for part in ["properties", "fields"] {
            for (name, field) in mapping[part]?.object ?? JSONObject() {
                found[prefix + name] = field["type"]?.string ?? "object"
                collect(field, under: prefix + name + ".", into: &found)
            }
        }
    }
}
