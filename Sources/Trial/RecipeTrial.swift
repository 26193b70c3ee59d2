import Commands
import Failures
import Indexing
import JSONText
import Pipeline
import Recipe
import Runtime
import Schema
import SearchCluster
import Transform

/// Shows what a recipe makes of single records and documents. It uses the write path's decoder, transform and bulk
/// lines, but no topic and no cluster. Not safe for several threads.
package final class RecipeTrial {
    /// A write as it would be sent.
    package struct Write: Sendable {
        package var kind: OperationKind
        /// Index into the recipe's `indices`.
        package var entry: Int
        /// `to` of the entry, as the recipe writes it.
        package var index: String
        package var id: String
        package var routing: String?
        package var version: Int64
        /// The document in target form, for a merge with the base merged in; nil: a delete.
        package var document: JSONValue?
        /// Action and source line of the bulk request.
        package var lines: [UInt8]
    }

    /// What becomes of a sample.
    package enum Fate: Sendable {
        case write(Write)
        /// Nothing is written. The text says why.
        case skipped(String)
        /// It becomes a dead letter.
        case rejected(Reject)
    }

    private let recipe: Recipe
    private let decoder: CommandDecoder
    private let transformers: [Transformer]
    private let versions: CopyVersions
    private let routes: CopyRouting

    package init(_ recipe: Recipe) {
        self.recipe = recipe
        decoder = CommandDecoder(recipe.commands.format)
        transformers = recipe.indices.map { Transformer($0.transform) }
        versions = CopyVersions(recipe.commands.format)
        routes = CopyRouting(recipe.commands.format)
    }

    /// What becomes of a record. `base` returns the JSON text of the indexed document, for a merge; nil: there is no
    /// such document.
    package func decide(_ record: SampleRecord, base: (_ entry: Int, _ id: String, _ routing: String?) -> [UInt8]?)
        -> Fate
    {
        record.withRecord { record in
            switch decoder.decode(record) {
            case .skip: .skipped(SkipReason.of(record, recipe.commands.format))
            case .reject(let reject): .rejected(reject)
            case .operation(let operation): fate(operation, base: base)
            }
        }
    }

    /// What becomes of a document that is copied to the entry.
    package func decide(_ document: SampleDocument, entry: Int) -> Fate {
        let id = IDTemplate(recipe.indices[entry].id).id(document.id, type: document.type)
        return Array(id.utf8).withUnsafeBufferPointer { id in
            document.source.withUnsafeBufferPointer { source in
                let routing = document.routing.map { Array($0.utf8) }
                guard let routing else { return copied(id, nil, document, source, entry) }
                return routing.withUnsafeBufferPointer { copied(id, $0, document, source, entry) }
            }
        }
    }

    private func copied(
        _ id: Bytes, _ routing: Bytes?, _ document: SampleDocument, _ source: Bytes, _ entry: Int
    ) -> Fate {
        do throws(Reject) {
            let version = try versions.version(of: source, stored: document.version)
            var routing = routing
            if routing == nil, routes.isNeeded { routing = try routes.routing(of: source) }
            return fate(
                Operation(
                    kind: .index, entry: entry, id: id, routing: routing, version: version, document: source)
            ) { _, _, _ in nil }
        } catch {
            return .rejected(error)
        }
    }

    private func fate(_ operation: Operation, base: (Int, String, String?) -> [UInt8]?) -> Fate {
        let id = String(repairing: operation.id)
        let routing = operation.routing.map { String(repairing: $0) }
        let body = ByteBuffer(capacity: operation.document.count + 1024)
        BulkBody.appendIndex(
            to: body, id: operation.id, routing: operation.routing, version: operation.version,
            isTombstone: operation.kind == .delete)
        let start = body.count
        do throws(TransformError) {
            switch operation.kind {
            case .index: try transformers[operation.entry].apply(operation.document, into: body)
            case .delete: Tombstone.append(to: body, time: WallClock.now())
            case .leave:
                guard base(operation.entry, id, routing) != nil else { return .skipped("no entry of indices takes it") }
                return .rejected(
                    Reject(reason: "moves", detail: "the part would take its document out of all entries of indices"))
            case .keep:
                try keep(operation, base(operation.entry, id, routing), body)
            case .merge:
                let entry = recipe.indices[operation.entry]
                let present = base(operation.entry, id, routing)
                if present == nil, entry.missing == .ignore {
                    return .skipped("there is no document \(id) to merge into, and the recipe says missing: ignore")
                }
                guard present != nil || entry.missing == .create else {
                    return .rejected(
                        Reject(
                            reason: "missing_document",
                            detail: "there is no document \(id) to merge into, and the recipe says missing: reject"))
                }
                try merge(operation, into: present, mode: entry.merge, body)
            }
        } catch {
            return .rejected(Reject(reason: error.reason, detail: error.detail))
        }
        let document = try? JSONValue(parsing: body.slice(start..<body.count))
        body.append(UInt8(ascii: "\n"))
        return .write(
            Write(
                kind: operation.kind, entry: operation.entry, index: recipe.indices[operation.entry].to, id: id,
                routing: routing, version: operation.version,
                document: operation.kind == .delete ? nil : document, lines: Array(body.bytes)))
    }

    private func keep(_ operation: Operation, _ base: [UInt8]?, _ body: ByteBuffer) throws(TransformError) {
        let entry = recipe.indices[operation.entry]
        let unavailable = UnavailableColumns(placeholder: recipe.commands.format.rules.placeholder)
        guard let base else {
            throw TransformError(
                reason: "missing_document", detail: "there is no document whose columns could be kept")
        }
        try base.withUnsafeBufferPointer { base throws(TransformError) in
            try transformers[operation.entry].replace(
                base: base, with: operation.document, keeping: unavailable, steps: entry.transform, into: body)
        }
    }

    private func merge(
        _ operation: Operation, into base: [UInt8]?, mode: MergeMode, _ body: ByteBuffer
    ) throws(TransformError) {
        let transformer = transformers[operation.entry]
        guard let base else {
            return try transformer.merge(base: nil, partial: operation.document, mode: mode, into: body)
        }
        let buffer = ByteBuffer(capacity: base.count)
        base.withUnsafeBufferPointer { buffer.append($0) }
        defer { withExtendedLifetime(buffer) {} }
        try transformer.merge(base: buffer.bytes, partial: operation.document, mode: mode, into: body)
    }

    /// The body with which `init` would create the entry's index on such a server. If neither the recipe nor the source
    /// has a mapping, all fields are dynamic.
    package func createBody(
        entry: Int, capabilities: Capabilities, sourceMapping: JSONValue? = nil
    ) throws(WorkError) -> JSONValue {
        let entry = recipe.indices[entry]
        let own = entry.mapping.flatMap { try? JSONValue(parsing: $0) }
        let given = own ?? sourceMapping ?? [:]
        let mapping = try TargetMapping.complete(
            TargetMapping.bare(given), index: entry.to, transform: entry.transform,
            routingRequired: recipe.commands.format.requiresRouting, fromSource: own == nil,
            tombstoneProperties: capabilities.tombstoneProperties)
        let settings = entry.settings.flatMap { try? JSONValue(parsing: $0) }
        return TargetMapping.createBody(mapping: mapping, settings: settings, documentType: capabilities.mappingType)
    }
}
