import JSONText
import Parity
import Pipeline
import SearchCluster

/// Whole documents of both sides for people to read.
extension VerifyWork {
    /// Documents of the old side in random order, with what the copy makes of them and what the new side has.
    ///
    /// - Parameter salt: of the digests that stand for what is redacted.
    func sample(_ plan: PipelinePlan, _ sides: ScanSides, salt: UInt64) throws -> [SampledDocument] {
        guard recipe.verify.sample > 0, let source = sides.source else { return [] }
        let form = CopyForm(plan)
        let share = max(1, recipe.verify.sample / max(1, sides.entries.reduce(0) { $0 + $1.source.count }))
        var documents: [SampledDocument] = []
        for (entry, side) in sides.entries.enumerated() {
            var stored: [DocumentKey: [UInt8]] = [:]
            for index in side.source {
                let page = try source.reader.samplePage(index.name, query: index.liveQuery, size: min(share, 1000))
                withExtendedLifetime(page) {
                    for hit in page.hits {
                        let name = form.name(hit, of: page, entry: entry)
                        let key = DocumentKey(entry: entry, id: Array(name.id), routing: name.routing.map(Array.init))
                        stored[key] = Array(page.bytes(hit.source))
                    }
                }
            }
            try LiveDocuments(prepared, plan).read(Array(stored.keys)) { key, pair in
                var expected: [UInt8]?
                if case .document(let bytes, _, _) = pair.old { expected = bytes }
                documents.append(
                    SampledDocument(
                        key: key, source: isRedacted ? nil : stored[key].map { String(decoding: $0, as: UTF8.self) },
                        expected: expected.map { shown($0, salt: salt) },
                        found: pair.new.map { shown($0, salt: salt) }))
            }
        }
        return Array(documents.prefix(recipe.verify.sample))
    }

    /// Redacted paths are those of the new form. The old form has their values elsewhere, so it is not shown at all.
    private var isRedacted: Bool { !recipe.verify.redact.isEmpty }

    private func shown(_ document: [UInt8], salt: UInt64) -> String {
        guard isRedacted else { return String(decoding: document, as: UTF8.self) }
        return DocumentRedaction(recipe.verify.redact, salt: salt).shown(document) ?? "not shown: it is no JSON"
    }
}
