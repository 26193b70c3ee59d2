import CommandLog
import Failures
import Indexing
import JSONText
import Recipe
import Runtime
import SearchCluster
import Telemetry

/// A bounded sample of the documents that the copy would read, taken once for all rails that look at the source.
package struct SourceSample: Sendable {
    /// A document with its text.
    package struct Document: Sendable {
        package var name: FoundDocument
        package var version: Int64?
        /// The stored JSON text, as the source gave it.
        package var source: [UInt8]
    }

    /// The sample of one entry.
    package struct Entry: Sendable {
        /// Ids, routing and types of up to 1,000 documents, in random order where the source knows one.
        package var names: [FoundDocument] = []
        /// Up to 200 whole documents, at most some 8 MB.
        package var documents: [Document] = []
        /// Why there are no names, or no whole documents; nil: there are, or the source has none.
        package var unknown: String?
        package var documentsUnknown: String?
        /// Ids that several documents of the entry's indices have, with these documents.
        package var twins: [[FoundDocument]] = []
        /// Ids that one index has under several routings.
        package var doubles: [[FoundDocument]] = []
    }

    package static let namesWanted = 1000
    package static let documentsWanted = 200
    private static let documentBytes = 8 << 20

    /// By the place of the entry in the survey. Empty without a source.
    package private(set) var entries: [Entry] = []

    package static func take(_ survey: Survey) -> SourceSample {
        var sample = SourceSample()
        guard let source = survey.source else { return sample }
        let end = MonotonicClock.milliseconds() + 8000
        for entry in survey.entries { sample.entries.append(look(entry, source.reader, until: end)) }
        return sample
    }

    private static func look(_ entry: Survey.Entry, _ reader: ClusterReader, until end: Int64) -> Entry {
        var found = Entry()
        // Indices of which other documents are meant would need a search of their own.
        let readable = readable(entry)
        let indices = readable.filter { $0.filter == readable.first?.filter }
        guard !indices.isEmpty, entry.documents > 0 else { return found }
        guard MonotonicClock.milliseconds() < end else {
            found.unknown = "there was no time left to look at it"
            found.documentsUnknown = found.unknown
            return found
        }
        let path = indices.map(\.name).joined(separator: ",")
        let query = indices.compactMap(\.liveQuery).first
        do throws(ClusterError) {
            let window = window(indices)
            found.names = try reader.names(path, query: query, size: min(namesWanted, window))
            let isRouted = found.names.contains { $0.routing != nil }
            if Set(indices.flatMap(\.types)).count > 1 || indices.count > 1 || isRouted {
                let same = Dictionary(
                    grouping: try find(Array(Set(found.names.map(\.id))), indices, reader), by: \.id
                ).values.filter { $0.count > 1 }.sorted { $0[0].id < $1[0].id }
                found.twins = same.filter { Set($0.map(place)).count > 1 }
                found.doubles = same.filter { Set($0.map(place)).count < $0.count }
            }
        } catch {
            found.unknown = "\(error)"
        }
        guard MonotonicClock.milliseconds() < end else {
            found.documentsUnknown = "there was no time left to look at it"
            return found
        }
        do throws(ClusterError) {
            found.documents = try documents(path, query, reader)
        } catch {
            found.documentsUnknown = "\(error)"
        }
        return found
    }

    /// The indices of an entry, as many as fit into the path of a request.
    package static func readable(_ entry: Survey.Entry) -> [IndexInfo] {
        var length = 0
        return entry.source.filter { index in
            guard index.documentCount > 0, length + index.name.utf8.count < 3000 else { return false }
            length += index.name.utf8.count + 1
            return true
        }
    }

    /// The most documents that one search may ask for.
    private static func window(_ indices: [IndexInfo]) -> Int {
        indices.map(\.maximumPage).reduce(10_000, min)
    }

    /// The documents of these indices that have one of the ids, in as many searches as it takes.
    package static func find(
        _ ids: [String], _ indices: [IndexInfo], _ reader: ClusterReader
    ) throws(ClusterError) -> [FoundDocument] {
        let path = indices.map(\.name).joined(separator: ",")
        let window = window(indices)
        // Several documents may have one id: of other types, in other indices, under other routings.
        let step = max(1, min(2500, window / 4))
        var found: [FoundDocument] = []
        for start in stride(from: 0, to: path.isEmpty ? 0 : ids.count, by: step) {
            found += try reader.find(path, ids: Array(ids[start..<min(ids.count, start + step)]), atMost: window)
        }
        return found
    }

    /// A few first: how many are asked for then depends on their size.
    private static func documents(
        _ path: String, _ query: JSONValue?, _ reader: ClusterReader
    ) throws(ClusterError) -> [Document] {
        let few = try reader.samplePage(path, query: query, size: 5)
        let average = max(1, few.sourceBytes / max(1, few.hits.count))
        let wanted = min(documentsWanted, documentBytes / average)
        guard few.hits.count == 5, wanted > 5 else { return documents(few) }
        return documents(try reader.samplePage(path, query: query, size: wanted))
    }

    static func documents(_ page: Page) -> [Document] {
        withExtendedLifetime(page) {
            func text(_ range: Range<Int>?) -> String? {
                range.flatMap { (try? JSONValue(parsing: page.bytes($0)))?.string }
            }
            return page.hits.map { hit in
                Document(
                    name: FoundDocument(
                        index: text(hit.index) ?? "", id: text(hit.id) ?? "", type: text(hit.type),
                        routing: text(hit.routing ?? hit.parent)),
                    version: hit.version, source: Array(page.bytes(hit.source)))
            }
        }
    }

    private static func place(_ document: FoundDocument) -> String { "\(document.index)\u{0}\(document.type ?? "")" }
}
