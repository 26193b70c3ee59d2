import Foundation
import Indexing
import JSONText
import Runtime
import SearchCluster
import Synchronization
import Telemetry

/// What was read for merge lanes.
package struct BaseAnswers: Sendable {
    package enum Answer: Sendable {
        case target(LaneKey, found: Bool, version: Int64, document: [UInt8]?)
        /// The source's own document; nil: not there either.
        case source(LaneKey, document: [UInt8]?)
        /// It can never be read.
        case unreadable(LaneKey, reason: String, detail: String)
        /// To be asked again.
        case failed(LaneKey)
    }

    package var answers: [Answer]
    /// Bytes of the documents that came, and how many came.
    package var bytes = 0
    package var documents = 0
}

/// Reads the documents that merges need, by real-time get: from the target, or from the source while the copy is
/// unfinished (design 6.4). A read that fails is answered as failed, after a pause, so that it is asked for again; one
/// whose answer is too large is asked for in halves.
package final class BaseReader: Sendable {
    private let target: SourceReader
    private let source: SourceReader?
    private let plan: PipelinePlan
    private let delays = DelayQueue()
    private let events: WorkEvents
    /// Whether the last read failed, of the target and of the source.
    private let trouble = Mutex((target: false, source: false))

    package init(target: Cluster, source: Cluster?, plan: PipelinePlan, events: WorkEvents) {
        self.events = events
        self.target = target.reader
        self.source = source?.reader
        self.plan = plan
        delays.start()
    }

    package func stop() { delays.stop() }

    package func read(
        _ fetches: [LaneFetch], source fromSource: Bool, _ done: @escaping @Sendable (BaseAnswers) -> Void
    ) {
        var parts: [Part] = []
        for (entry, wanted) in Dictionary(grouping: fetches, by: \.entry) {
            if fromSource {
                parts.append(Part(wanted: wanted, indices: plan.entries[entry].from, fromSource: true))
            } else {
                parts.append(Part(wanted: wanted, indices: [plan.entries[entry].index], fromSource: false))
            }
        }
        ask(parts[...], BaseAnswers(answers: []), done)
    }

    /// Keys of one entry, and the indices to look in, in turn.
    private struct Part: Sendable {
        package var wanted: [LaneFetch]
        package var indices: [String]
        package var fromSource: Bool
    }

    /// One request after the other; a key found in an index is not looked for in the next.
    private func ask(_ parts: ArraySlice<Part>, _ bases: BaseAnswers, _ done: @escaping @Sendable (BaseAnswers) -> Void)
    {
        guard let part = parts.first else { return done(bases) }
        guard let reader = part.fromSource ? source : target, let index = part.indices.first, !part.wanted.isEmpty
        else {
            var bases = bases
            bases.answers += part.wanted.map { fetch in
                part.fromSource
                    ? BaseAnswers.Answer.source(fetch.key, document: nil)
                    : .target(fetch.key, found: false, version: 0, document: nil)
            }
            return ask(parts.dropFirst(), bases, done)
        }
        let rest = parts.dropFirst()
        // Of several, the answer may be much larger than was to be expected.
        let limit = part.wanted.count > 1 ? 4 * plan.memory.reading : nil
        reader.multiGet(index, Self.request(part.wanted), answerBytes: limit) { [self] result in
            switch result {
            case .success(let got):
                note(trouble: nil, part)
                let sorted = Self.sort(got, part, into: bases)
                var next = part
                next.wanted = sorted.left
                next.indices.removeFirst()
                let go: @Sendable () -> Void = { [self, next] in ask([next] + rest, sorted.bases, done) }
                if sorted.failed { delays.after(milliseconds: 500, go) } else { go() }
            case .failure(let error) where error.code == .tooLarge:
                var halves = [part]
                if part.wanted.count > 1 {
                    halves = [part, part]
                    halves[0].wanted = Array(part.wanted.prefix(part.wanted.count / 2))
                    halves[1].wanted = Array(part.wanted.dropFirst(part.wanted.count / 2))
                    return ask(halves + rest, bases, done)
                }
                var bases = bases
                bases.answers += part.wanted.map {
                    .unreadable($0.key, reason: "base_too_large", detail: error.message)
                }
                ask(rest, bases, done)
            case .failure(let error):
                note(trouble: error, part)
                var bases = bases
                bases.answers += ([part] + rest).flatMap(\.wanted).map { BaseAnswers.Answer.failed($0.key) }
                delays.after(milliseconds: 500) { [bases] in done(bases) }
            }
        }
    }

    private static func request(_ wanted: [LaneFetch]) -> MultiGetRequest {
        let request = MultiGetRequest()
        for fetch in wanted {
            fetch.id.withUnsafeBufferPointer { id in
                if let routing = fetch.routing {
                    routing.withUnsafeBufferPointer { request.append(id: id, routing: $0) }
                } else {
                    request.append(id: id, routing: nil)
                }
            }
        }
        return request
    }

    /// Says once that merges wait, and once that they go on.
    private func note(trouble error: ClusterError?, _ part: Part) {
        let changed = trouble.withLock { trouble in
            let before = part.fromSource ? trouble.source : trouble.target
            if part.fromSource { trouble.source = error != nil } else { trouble.target = error != nil }
            return before != (error != nil)
        }
        guard changed else { return }
        let side = part.fromSource ? "source" : "target"
        if let error {
            events.readsFail(from: side, because: error.message)
        } else {
            events.readsSucceed(from: side)
        }
    }

    private static func sort(
        _ got: MultiGetAnswer, _ part: Part, into bases: BaseAnswers
    ) -> (bases: BaseAnswers, left: [LaneFetch], failed: Bool) {
        var bases = bases
        var left: [LaneFetch] = []
        var failed = false
        for (fetch, document) in zip(part.wanted, got.documents) {
            if let error = document.error {
                let text = String(repairing: got.bytes(error))
                // Without its routing the document cannot be found, today or ever.
                if text.contains("routing_missing_exception") || text.contains("RoutingMissingException") {
                    bases.answers.append(.unreadable(fetch.key, reason: "routing_missing", detail: text))
                } else {
                    bases.answers.append(.failed(fetch.key))
                    failed = true
                }
            } else if document.found, let range = document.source {
                let bytes = Array(got.bytes(range))
                bases.bytes += bytes.count
                bases.documents += 1
                bases.answers.append(
                    part.fromSource
                        ? .source(fetch.key, document: bytes)
                        : .target(fetch.key, found: true, version: document.version, document: bytes))
            } else {
                left.append(fetch)
            }
        }
        return (bases, left, failed)
    }
}
