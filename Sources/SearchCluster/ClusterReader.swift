import Basics
import JSONText

/// Reads a cluster. It has no way to write: see ``ReadCall``.
package final class ClusterReader: Sendable {
    let transport: ReadOnlyTransport
    package let capabilities: Capabilities
    /// The most slices that a server allows by default (`index.max_slices_per_scroll`).
    package static let maximumSlices = 1024

    init(transport: HTTPTransport, capabilities: Capabilities) {
        self.transport = ReadOnlyTransport(transport)
        self.capabilities = capabilities
    }

    /// The concrete open indices behind an index, alias or pattern, sorted by name. Empty when a pattern matches none.
    package func resolve(_ name: String) throws(ClusterError) -> [IndexInfo] {
        let answer: JSONValue
        do throws(ClusterError) {
            answer = try transport.tree(.index(name), doing: "looking at \(name)", index: name)
        } catch {
            if error.code == .notFound, name.contains("*") { return [] }
            throw error
        }
        var found: [IndexInfo] = []
        for (index, description) in answer.object ?? JSONObject() {
            guard IndexInfo.isNamed(index, description, by: name) else {
                throw ClusterError(
                    .malformedAnswer, "the server answers with index \(index) to the question for \(name)", index: index
                )
            }
            let count = try count(index)
            var info = IndexInfo(name: index, answer: description, typed: capabilities.typed, documentCount: count)
            if let query = info.liveQuery { info.liveCount = try self.count(index, query: query) }
            found.append(info)
        }
        return found.sorted { $0.name < $1.name }
    }

    /// The data stream that a name stands for, by itself or as an alias; nil: none, or the server has none (before
    /// 7.9).
    package func dataStream(named name: String) -> String? {
        // Versions without data streams take the path for a document's, and say that there is none.
        guard
            let answer = try? transport.tree(
                .resolve(name), timeoutSeconds: 10, doing: "looking at \(name)", index: name)
        else { return nil }
        if let stream = answer["data_streams"]?[0]?["name"]?.string { return stream }
        let indices = (answer["aliases"]?.array ?? []).flatMap { $0["indices"]?.array ?? [] }.compactMap(\.string)
        return indices.first { $0.hasPrefix(".ds-") }
    }

    /// The closed indices that the patterns in `name` match. ``resolve(_:)`` leaves them out.
    package func closed(_ name: String) throws(ClusterError) -> [String] {
        try matches(of: name) { .closed($0) }
    }

    /// The hidden indices (`index.hidden`, from 7.7 on) that the patterns in `name` would match. ``resolve(_:)`` leaves
    /// them out, unless an alias or a data stream of that name leads to them.
    ///
    /// - Parameter shown: what it found.
    package func hidden(_ name: String, besides shown: [IndexInfo]) throws(ClusterError) -> [String] {
        do throws(ClusterError) {
            let shown = Set(shown.map(\.name))
            return try matches(of: name) { .openAndHidden($0) }.filter { !shown.contains($0) }
        } catch {
            // Earlier servers do not know the word.
            guard error.code == .badRequest else { throw error }
            return []
        }
    }

    private func matches(of name: String, _ call: (String) -> ReadCall) throws(ClusterError) -> [String] {
        var found: Set<String> = []
        for pattern in name.split(separator: ",").map(String.init) where pattern.contains("*") {
            do throws(ClusterError) {
                let answer = try transport.tree(call(pattern), doing: "looking at \(pattern)", index: pattern)
                found.formUnion((answer.object ?? JSONObject()).map(\.key))
            } catch {
                guard error.code == .notFound else { throw error }
            }
        }
        return found.sorted()
    }

    /// How many documents a search finds. `query`: only those that it matches; the query itself, without the key
    /// `query`.
    package func count(_ index: String, query: JSONValue? = nil) throws(ClusterError) -> Int64 {
        let body: HTTPRequest.Body = query.map { RequestPath.body(["query": $0]) } ?? .none
        let answer = try transport.tree(
            .count(index: index), body: body, timeoutSeconds: 300, doing: "counting \(index)", index: index)
        guard let count = answer["count"]?.count, count >= 0 else {
            throw ClusterError(.malformedAnswer, "the count of \(index) holds no number from 0", index: index)
        }
        guard Self.isWhole(answer) else {
            throw ClusterError(
                .partialAnswer, "some shards of \(index) could not be counted; see its health", index: index)
        }
        return count
    }

    /// Whether every shard has answered. Of a shard that no node has, servers do not say that it failed.
    static func isWhole(_ answer: JSONValue) -> Bool {
        let shards = answer["_shards"]
        return shards?["failed"]?.count ?? 0 == 0 && shards?["successful"]?.count == shards?["total"]?.count
    }

    /// The parts in which to read the index: `wanted` slices; nil: ``IndexInfo/cheapSlices``. On 1.x and 2.x one part
    /// per shard.
    ///
    /// With more slices than shards the server goes through all ids once per slice, the first time, and reads the
    /// documents of each slice here and there instead of one behind the other.
    package func slices(_ index: IndexInfo, wanted: Int?) -> [SliceSpec] {
        switch capabilities.slicing {
        case .shardScan:
            return (0..<max(index.shards, 1)).map {
                SliceSpec(index: index.name, kind: .shard, number: $0, of: max(index.shards, 1))
            }
        case .slicedScroll:
            // Nothing is mapped in an index that never had a document: some versions cannot slice it.
            let count = index.documentCount == 0 ? 1 : min(max(wanted ?? index.cheapSlices, 1), index.maximumSlices)
            guard count > 1 else { return [SliceSpec(index: index.name, kind: .whole, number: 0, of: 1)] }
            return (0..<count).map { SliceSpec(index: index.name, kind: .slice, number: $0, of: count) }
        }
    }

    /// A reader for a slice. Nothing is sent before its first page is asked for. `pageSize`: documents per page, from 1
    /// to 10,000. `query`: only the documents that it matches.
    package func openScroll(_ slice: SliceSpec, pageSize: Int, query: JSONValue? = nil) -> ScrollReader {
        openScroll(slice, ScrollOptions(pageSize: pageSize, query: query))
    }

    package func openScroll(_ slice: SliceSpec, _ options: ScrollOptions) -> ScrollReader {
        ScrollReader(transport: transport, capabilities: capabilities, slice: slice, options)
    }

    /// Reads whole documents by id and waits for the answer. It sees every write, also before a refresh. An answer that
    /// is longer than `answerBytes` is an error (`tooLarge`).
    package func multiGet(
        _ index: String, type: String? = nil, _ request: MultiGetRequest, answerBytes: Int? = nil
    ) throws(ClusterError) -> MultiGetAnswer {
        let answer = try transport.bytes(
            .multiGet(index: index, type: type), body: .buffer(request.finishedBody()), timeoutSeconds: 60,
            answerBytes: answerBytes, doing: "getting documents of \(index)", index: index)
        return try MultiGetAnswer(
            body: answer.body, to: request, index: index, transport: transport)
    }

    /// The same without waiting. The completion runs on the transport's thread; the caller must not touch `request`
    /// before that. An answer that is longer than `answerBytes` is an error (`tooLarge`).
    package func multiGet(
        _ index: String, type: String? = nil, _ request: MultiGetRequest, answerBytes: Int? = nil,
        completion: @escaping @Sendable (Result<MultiGetAnswer, ClusterError>) -> Void
    ) {
        let transport = transport
        transport.submit(
            .multiGet(index: index, type: type), body: .buffer(request.finishedBody()), timeoutSeconds: 60,
            answerBytes: answerBytes
        ) { result in
            do throws(ClusterError) {
                let answer = try result.get()
                try transport.check(answer, doing: "getting documents of \(index)", index: index)
                completion(
                    .success(
                        try MultiGetAnswer(body: answer.body, to: request, index: index, transport: transport)))
            } catch {
                completion(.failure(error))
            }
        }
    }

    /// Sends one search and waits. `body` is the whole request.
    package func search(
        _ index: String, body: JSONValue, parameters: String = ""
    ) throws(ClusterError) -> JSONValue {
        let answer = try transport.tree(
            .search(index: index, parameters: parameters), body: RequestPath.body(body), timeoutSeconds: 120,
            doing: "searching \(index)", index: index)
        guard Self.isWhole(answer), answer["timed_out"]?.bool != true else {
            throw ClusterError(
                .partialAnswer, "some shards of \(index) did not answer the search; see its health", index: index)
        }
        return answer
    }
}
