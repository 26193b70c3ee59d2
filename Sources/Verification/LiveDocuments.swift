import Commands
import Indexing
import JSONText
import Parity
import Pipeline
import Planning
import SearchCluster

/// What both sides have of a document at this moment, read by real-time get.
package struct LivePair: Sendable {
    package enum Old: Sendable {
        case absent
        /// As the copy would write it. `stored`: the source's own `_version`.
        case document([UInt8], version: Int64, stored: Int64?)
        /// The copy would make a dead letter of it.
        case uncopied(reason: String, detail: String)
        /// It cannot be known: the log has lost what would say it.
        case unknown
        /// Its commands lie in two partitions, so that the log cannot say it. `isAccepted`: the recipe accepts that.
        case split(isAccepted: Bool)
    }

    package var old: Old = .absent
    /// nil: it is not there, or is a tombstone.
    package var new: [UInt8]?
    /// The version of the document or tombstone; nil: there is nothing.
    package var newVersion: Int64?
    /// The version of a document of the same id with another routing, which the same shard holds; nil: there is none.
    package var otherVersion: Int64?

    package init() {}
}

/// Reads documents of both sides under the names that ``DocumentKey`` gives them. One thread at a time.
package final class LiveDocuments {
    /// Documents that are asked for with one request.
    private static let together = 200
    /// The most bytes of an answer for more than one document.
    private static let answerBytes = 16 << 20

    private let plan: PipelinePlan
    private let survey: Survey
    private let form: CopyForm
    private let scratch = ByteBuffer(capacity: 4096)
    /// Whether the old side is read. If not, nothing is there.
    private let readsSource: Bool

    package init(_ prepared: Preflight, _ plan: PipelinePlan, readsSource: Bool = true) {
        (self.plan, survey) = (plan, prepared.survey)
        form = CopyForm(plan)
        self.readsSource = readsSource && prepared.survey.source != nil
    }

    /// Reads the documents, some at a time. Throws where one cannot be read.
    package func read(_ keys: [DocumentKey], _ told: (DocumentKey, LivePair) throws -> Void) throws {
        for (entry, keys) in Dictionary(grouping: keys, by: \.entry) where plan.entries.indices.contains(entry) {
            var rest = keys[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(Self.together))
                rest = rest.dropFirst(part.count)
                var pairs = Dictionary(part.map { ($0, LivePair()) }) { one, _ in one }
                if readsSource { try readOld(part, entry, &pairs) }
                try readNew(part, entry, &pairs)
                for (key, pair) in pairs { try told(key, pair) }
            }
        }
    }

    // MARK: New side

    private func readNew(_ keys: [DocumentKey], _ entry: Int, _ pairs: inout [DocumentKey: LivePair]) throws {
        let (target, index) = (survey.target, plan.entries[entry].index)
        let routings = try routings(keys.map(\.id), index, nil, target)
        _ = try get(keys, of: index, type: nil, target.reader, isSource: false, { ($0.id, $0.routing) }) {
            key, document, answer in
            guard document.found, let range = document.source else { return }
            let id = String(decoding: key.id, as: UTF8.self)
            let routing = routing(document, answer, id: id, asked: key.routing, routings).map { Array($0.utf8) }
            guard DocumentKey(entry: entry, id: key.id, routing: routing) == key else {
                pairs[key]?.otherVersion = document.version
                return
            }
            let body = answer.bytes(range)
            pairs[key]?.newVersion = document.version
            if !Tombstone.isOne(body) { pairs[key]?.new = Array(body) }
        }
    }

    private func text(_ quoted: Range<Int>?, _ answer: MultiGetAnswer) -> [UInt8]? {
        guard let quoted else { return nil }
        scratch.removeAll()
        guard (try? JSONString.unescape(answer.bytes(quoted), into: scratch)) != nil else { return [] }
        return Array(scratch.bytes)
    }

    // MARK: Routing

    /// The routings of documents by their ids, from a search; nil: the answer to a get names them. On 1.x it does not.
    private func routings(
        _ ids: [[UInt8]], _ index: String, _ type: String?, _ cluster: Cluster
    ) throws -> [String: [String?]]? {
        guard cluster.capabilities.namesHitMetadata else { return nil }
        var routings: [String: [String?]] = [:]
        let found = try cluster.reader.find(index, ids: ids.map { String(decoding: $0, as: UTF8.self) })
        for document in found where type == nil || document.type == type {
            routings[document.id, default: []].append(document.routing)
        }
        return routings
    }

    /// The routing that a document was written with.
    private func routing(
        _ document: GotDocument, _ answer: MultiGetAnswer, id: String, asked: [UInt8]?, _ routings: [String: [String?]]?
    ) -> String? {
        guard let routings else { return text(document.routing, answer).map { String(decoding: $0, as: UTF8.self) } }
        let asked = asked.map { String(decoding: $0, as: UTF8.self) }
        // What was written since the last refresh has the routing by which it was found.
        let known = routings[id] ?? [asked]
        return known.contains(asked) ? asked : known[0]
    }

    // MARK: Old side

    private func readOld(_ keys: [DocumentKey], _ entry: Int, _ pairs: inout [DocumentKey: LivePair]) throws {
        guard let source = survey.source else { return }
        var left = keys
        for place in BasePlace.source(entry, plan) where !left.isEmpty {
            let asked = left.filter { place.name($0.id, routing: $0.routing) != nil }
            guard !asked.isEmpty else { continue }
            var found: Set<DocumentKey> = []
            let type = source.capabilities.typed ? place.type : nil
            let ids = asked.compactMap { place.name($0.id, routing: $0.routing)?.id }
            let routings = try routings(ids, place.index, place.type, source)
            let unreadable = try get(
                asked, of: place.index, type: type, source.reader, isSource: true,
                { place.name($0.id, routing: $0.routing) ?? ($0.id, $0.routing) }
            ) { key, document, answer in
                guard document.found, let range = document.source, !Tombstone.isOne(answer.bytes(range)),
                    let old = try old(key, document, answer, place, source, routings)
                else { return }
                found.insert(key)
                pairs[key]?.old = old
            }
            for (key, why) in unreadable {
                found.insert(key)
                pairs[key]?.old = .uncopied(reason: "not_json", detail: why)
            }
            for key in try hidden(found, place.index, entry, source) { pairs[key]?.old = .absent }
            left.removeAll { found.contains($0) }
        }
    }

    /// The document as the copy would write it; nil: it is another document, which has its own name.
    private func old(
        _ key: DocumentKey, _ document: GotDocument, _ answer: MultiGetAnswer, _ place: BasePlace, _ source: Cluster,
        _ routings: [String: [String?]]?
    ) throws -> LivePair.Old? {
        guard let range = document.source, let name = place.name(key.id, routing: key.routing) else { return nil }
        let id = String(decoding: name.id, as: UTF8.self)
        let routing = routing(document, answer, id: id, asked: name.routing, routings)
        let page = try source.reader.page(
            ofOne: answer.bytes(range), id: id, index: place.index, type: place.type, routing: routing, parent: nil,
            version: document.version)
        return withExtendedLifetime(page) {
            guard let hit = page.hits.first, (try? form.takes(hit, of: page, entry: key.entry)) != false else {
                return nil
            }
            let out = ByteBuffer(capacity: 2 * range.count + 64)
            do throws(Reject) {
                let written = try form.write(hit, of: page, entry: key.entry, into: out)
                let name = DocumentKey(
                    entry: key.entry, id: Array(written.id), routing: written.routing.map { Array($0) })
                guard name == key else { return nil }
                return .document(Array(out.bytes), version: written.version, stored: document.version)
            } catch {
                return .uncopied(reason: error.reason, detail: error.detail)
            }
        }
    }

    /// The documents that the alias does not show, where the recipe copies only what it shows. A get does not know it,
    /// so a search is asked, after a refresh.
    private func hidden(
        _ keys: Set<DocumentKey>, _ index: String, _ entry: Int, _ source: Cluster
    ) throws -> [DocumentKey] {
        guard !keys.isEmpty, let info = survey.entries[entry].source.first(where: { $0.name == index }),
            let filter = info.filter
        else { return [] }
        _ = try source.reader.refresh(index)
        let template = IDTemplate(plan.entries[entry].id)
        let types = plan.entries[entry].types
        func ids(_ key: DocumentKey) -> [String] {
            template.sourceIDs(of: String(decoding: key.id, as: UTF8.self), types: types)
        }
        let shown = Set(try source.reader.find(index, ids: keys.flatMap(ids), shown: filter).map(\.id))
        return keys.filter { shown.isDisjoint(with: ids($0)) }
    }

    // MARK: Requests

    /// Asks for documents, in halves where the answer is too long. Returns those of the source whose stored text is not
    /// JSON, with what the answer was.
    private func get(
        _ keys: [DocumentKey], of index: String, type: String?, _ reader: ClusterReader, isSource: Bool,
        _ name: (DocumentKey) -> (id: [UInt8], routing: [UInt8]?),
        _ told: (DocumentKey, GotDocument, MultiGetAnswer) throws -> Void
    ) throws -> [(DocumentKey, String)] {
        let request = MultiGetRequest()
        for key in keys {
            let (id, routing) = name(key)
            id.withUnsafeBufferPointer { id in
                (routing ?? []).withUnsafeBufferPointer { bytes in
                    Array((type ?? "").utf8).withUnsafeBufferPointer { type in
                        request.append(
                            id: id, routing: routing == nil ? nil : bytes, type: type.isEmpty ? nil : type)
                    }
                }
            }
        }
        let answer: MultiGetAnswer
        do throws(ClusterError) {
            answer = try reader.multiGet(index, request, answerBytes: keys.count > 1 ? Self.answerBytes : nil)
        } catch {
            guard error.code == .tooLarge || error.code == .unreadableDocument else { throw error }
            guard keys.count > 1 else {
                guard isSource, error.code == .unreadableDocument else { throw error }
                return [(keys[0], error.message)]
            }
            return try [keys.prefix(keys.count / 2), keys.dropFirst(keys.count / 2)].flatMap { half throws in
                try get(Array(half), of: index, type: type, reader, isSource: isSource, name, told)
            }
        }
        for (key, document) in zip(keys, answer.documents) {
            if let text = answer.refusal(of: document) {
                // Nothing is there without a routing, and nothing is in an index that the source has deleted.
                if Self.isAbsent(text) || (isSource && Self.isGone(text)) { continue }
                throw ClusterError(
                    .partialAnswer, "a document of \(index) could not be got", index: index, underlying: text)
            }
            try told(key, document, answer)
        }
        withExtendedLifetime(answer) {}
        return []
    }

    private static func isAbsent(_ error: String) -> Bool {
        error.contains("routing_missing_exception") || error.contains("RoutingMissingException")
    }

    private static func isGone(_ error: String) -> Bool {
        error.contains("index_not_found") || error.contains("IndexMissing")
    }
}
