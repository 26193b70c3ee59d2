import Foundation
import Indexing
import JSONText
import SearchCluster

/// What was read for merge lanes.
struct MergeBases: Sendable {
    enum Answer: Sendable {
        case target(LaneKey, found: Bool, version: Int64, document: [UInt8]?)
        /// The source's own document; nil: not there either.
        case source(LaneKey, document: [UInt8]?)
        /// To be asked again.
        case failed(LaneKey)
    }

    var answers: [Answer]
}

/// Reads the documents that merges need, by real-time get: from the target, or from the source while the copy is
/// unfinished (design 6.4). A read that fails is answered as failed, after a pause, so that it is asked for again.
final class MergeReader: Sendable {
    private let target: SourceReader
    private let source: SourceReader?
    private let plan: PipelinePlan
    private let delays = DelayQueue()

    init(target: Cluster, source: Cluster?, plan: PipelinePlan) {
        self.target = target.reader
        self.source = source?.reader
        self.plan = plan
        delays.start()
    }

    func stop() { delays.stop() }

    func read(_ fetches: [LaneFetch], source fromSource: Bool, _ done: @escaping @Sendable (MergeBases) -> Void) {
        var parts: [Part] = []
        for (entry, wanted) in Dictionary(grouping: fetches, by: \.entry) {
            if fromSource {
                parts.append(Part(wanted: wanted, indices: plan.entries[entry].from, fromSource: true))
            } else {
                parts.append(Part(wanted: wanted, indices: [plan.entries[entry].index], fromSource: false))
            }
        }
        ask(parts[...], [], done)
    }

    /// Keys of one entry, and the indices to look in, in turn.
    private struct Part: Sendable {
        var wanted: [LaneFetch]
        var indices: [String]
        var fromSource: Bool
    }

    /// One request after the other; a key found in an index is not looked for in the next.
    private func ask(
        _ parts: ArraySlice<Part>, _ answers: [MergeBases.Answer], _ done: @escaping @Sendable (MergeBases) -> Void
    ) {
        guard var part = parts.first else { return done(MergeBases(answers: answers)) }
        guard let reader = part.fromSource ? source : target, let index = part.indices.first, !part.wanted.isEmpty
        else {
            let missing = part.wanted.map { fetch in
                part.fromSource
                    ? MergeBases.Answer.source(fetch.key, document: nil)
                    : .target(fetch.key, found: false, version: 0, document: nil)
            }
            return ask(parts.dropFirst(), answers + missing, done)
        }
        let request = MultiGetRequest()
        for fetch in part.wanted {
            fetch.id.withUnsafeBufferPointer { id in
                if let routing = fetch.routing {
                    routing.withUnsafeBufferPointer { request.append(id: id, routing: $0) }
                } else {
                    request.append(id: id, routing: nil)
                }
            }
        }
        part.indices.removeFirst()
        let rest = parts.dropFirst()
        reader.multiGet(index, request) { [self, part] result in
            guard case .success(let got) = result else {
                let failed = ([part] + rest).flatMap(\.wanted).map { MergeBases.Answer.failed($0.key) }
                return delays.after(milliseconds: 500) { done(MergeBases(answers: answers + failed)) }
            }
            let (found, left) = Self.sort(got, part)
            var next = part
            next.wanted = left
            ask([next] + rest, answers + found, done)
        }
    }

    private static func sort(_ got: MultiGetAnswer, _ part: Part) -> ([MergeBases.Answer], [LaneFetch]) {
        var found: [MergeBases.Answer] = []
        var left: [LaneFetch] = []
        for (fetch, document) in zip(part.wanted, got.documents) {
            if document.error != nil {
                found.append(.failed(fetch.key))
            } else if document.found, let range = document.source {
                let bytes = Array(got.bytes(range))
                found.append(
                    part.fromSource
                        ? .source(fetch.key, document: bytes)
                        : .target(fetch.key, found: true, version: document.version, document: bytes))
            } else {
                left.append(fetch)
            }
        }
        return (found, left)
    }
}
