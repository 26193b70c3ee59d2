import Commands
import Foundation
import Indexing
import JSONText
import Runtime
import SearchCluster
import Synchronization
import Telemetry

/// Reads the bases of partial updates by real-time get: from the target, or from the source while the copy is
/// unfinished (P4 in docs/architecture.md). When a read fails, the answer `failed` comes after a pause, and the key is
/// asked for again. A read whose answer is too large is asked for in halves.
final class BaseReader: Sendable {
    private let target: ClusterReader
    /// nil: there is none, or it is not connected yet. Then its documents are unknown, and asked for again.
    private let source: Mutex<ClusterReader?>
    private let plan: PipelinePlan
    private let delays = DelayQueue()
    private let events: WorkEvents
    /// Whether the last read failed, of the target and of the source.
    private let trouble = Mutex((target: false, source: false))

    init(target: Cluster, source: Cluster?, plan: PipelinePlan, events: WorkEvents) {
        self.events = events
        self.target = target.reader
        self.source = Mutex(source?.reader)
        self.plan = plan
        delays.start()
    }

    func stop() { delays.stop() }

    /// For work that began without a source, because the copy was finished then.
    func connects(to source: Cluster) { self.source.withLock { $0 = source.reader } }

    var hasSource: Bool { source.withLock { $0 != nil } }

    /// Answers every key once. Documents of the source come with the source's own version: the caller knows which
    /// one their copied pages carry.
    func read(
        _ fetches: [LaneFetch], source fromSource: Bool, _ done: @escaping @Sendable ([BaseAnswer]) -> Void
    ) {
        var parts: [Part] = []
        for (entry, wanted) in Dictionary(grouping: fetches, by: \.entry) {
            let places =
                fromSource
                ? BasePlace.source(entry, plan) : BasePlace.target(plan.entries[entry])
            let others = others(than: entry, fromSource)
            parts.append(
                Part(
                    wanted: wanted, places: places + others, fromSource: fromSource, looksElsewhere: !others.isEmpty))
        }
        ask(parts[...], [], done)
    }

    /// Where the other entries have their documents. A part of one that is there and not in its own entry is a move.
    private func others(than entry: Int, _ fromSource: Bool) -> [BasePlace] {
        guard plan.format.tombstonesMoves else { return [] }
        return plan.entries.indices.filter { $0 != entry }.flatMap { other in
            (fromSource ? BasePlace.source(other, plan) : BasePlace.target(plan.entries[other])).map { place in
                var place = place
                place.isOther = true
                return place
            }
        }
    }

    /// Keys of one entry, and the places to look in, one after the other.
    private struct Part: Sendable {
        var wanted: [LaneFetch]
        var places: [BasePlace]
        var fromSource: Bool
        var looksElsewhere: Bool
        /// The tombstones that the entry itself has, with their versions.
        var tombstones: [LaneKey: Int64] = [:]

        /// The answer for a document that is nowhere alive.
        func absent(_ fetch: LaneFetch) -> BaseAnswer {
            if fromSource { return .source(fetch.key, document: nil, version: 0) }
            let tombstone = tombstones[fetch.key]
            return .target(
                fetch.key, found: tombstone != nil, tombstone: tombstone != nil, version: tombstone ?? 0,
                document: nil)
        }

        func elsewhere(_ fetch: LaneFetch) -> BaseAnswer {
            let tombstone = tombstones[fetch.key]
            return .elsewhere(fetch.key, tombstone: tombstone != nil, version: tombstone ?? 0)
        }
    }

    /// Sends one request after the other. A key that was found in one place is not looked for in the next.
    private func ask(
        _ parts: ArraySlice<Part>, _ bases: [BaseAnswer], _ done: @escaping @Sendable ([BaseAnswer]) -> Void
    ) {
        guard let part = parts.first else { return done(bases) }
        guard let place = part.places.first, !part.wanted.isEmpty else {
            var bases = bases
            bases += part.wanted.map(part.absent)
            return ask(parts.dropFirst(), bases, done)
        }
        let rest = parts.dropFirst()
        guard let reader = part.fromSource ? source.withLock({ $0 }) : target else {
            note(trouble: ClusterError(.unreachable, "the source is not connected yet"), part)
            return again(part, rest, bases, done)
        }
        guard let request = Self.request(part.wanted, place, typed: reader.capabilities.typed) else {
            var next = part
            next.places.removeFirst()
            return ask([next] + rest, bases, done)
        }
        // The answer for several keys may be much larger than expected.
        let limit = part.wanted.count > 1 ? 4 * plan.memory.reading : nil
        reader.multiGet(place.index, request, answerBytes: limit) { [self] result in
            switch result {
            case .success(let got):
                note(trouble: nil, part)
                let looksInside = part.fromSource && plan.format.copiesTakeRoutingFromDocument
                let routes = looksInside ? CopyRouting(plan.format) : nil
                let sorted = Self.sort(got, part, place, plan.format, routes, into: bases)
                var next = part
                next.wanted = sorted.left
                next.tombstones.merge(sorted.tombstones) { $1 }
                next.places.removeFirst()
                let go: @Sendable () -> Void = { [self, next] in ask([next] + rest, sorted.bases, done) }
                if sorted.failed { delays.after(milliseconds: 500, go) } else { go() }
            case .failure(let error) where error.code == .tooLarge || error.code == .unreadableDocument:
                var halves = [part]
                if part.wanted.count > 1 {
                    halves = [part, part]
                    halves[0].wanted = Array(part.wanted.prefix(part.wanted.count / 2))
                    halves[1].wanted = Array(part.wanted.dropFirst(part.wanted.count / 2))
                    return ask(halves + rest, bases, done)
                }
                var bases = bases
                let reason = error.code == .tooLarge ? "base_too_large" : "bad_base"
                bases += part.wanted.map { .unreadable($0.key, reason: reason, detail: error.message) }
                ask(rest, bases, done)
            case .failure(let error):
                note(trouble: error, part)
                again(part, rest, bases, done)
            }
        }
    }

    /// These keys are to be asked for again, after a pause.
    private func again(
        _ part: Part, _ rest: ArraySlice<Part>, _ bases: [BaseAnswer],
        _ done: @escaping @Sendable ([BaseAnswer]) -> Void
    ) {
        let all = bases + ([part] + rest).flatMap(\.wanted).map { BaseAnswer.failed($0.key) }
        delays.after(milliseconds: 500) { done(all) }
    }

    /// Nil: none of them can be there. A key that cannot is asked for by its own name, which is not there either, so
    /// that the answers keep their order.
    private static func request(_ wanted: [LaneFetch], _ place: BasePlace, typed: Bool) -> MultiGetRequest? {
        let names = wanted.map(place.name)
        guard names.contains(where: { $0 != nil }) else { return nil }
        let request = MultiGetRequest()
        let type = typed ? place.type.map { Array($0.utf8) } : nil
        for (fetch, name) in zip(wanted, names) {
            let (id, routing) = name ?? (fetch.id, fetch.routing)
            id.withUnsafeBufferPointer { id in
                borrow(routing) { routing in
                    borrow(type) { type in request.append(id: id, routing: routing, type: type) }
                }
            }
        }
        return request
    }

    private static func borrow(_ bytes: [UInt8]?, _ body: (Bytes?) -> Void) {
        guard let bytes else { return body(nil) }
        bytes.withUnsafeBufferPointer(body)
    }

    /// Says once that partial updates wait, and once that they go on.
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
        _ got: MultiGetAnswer, _ part: Part, _ place: BasePlace, _ format: CommandFormat, _ routes: CopyRouting?,
        into bases: [BaseAnswer]
    ) -> Sorted {
        var bases = bases
        var left: [LaneFetch] = []
        var failed = false
        var tombstones: [LaneKey: Int64] = [:]
        for (fetch, document) in zip(part.wanted, got.documents) {
            guard place.name(fetch) != nil else {
                left.append(fetch)
                continue
            }
            if let text = got.refusal(of: document) {
                let isRoutingMissing =
                    text.contains("routing_missing_exception") || text.contains("RoutingMissingException")
                if isRoutingMissing, !place.isRouted || place.isOther {
                    // Nothing there was written without a routing.
                    left.append(fetch)
                } else if isRoutingMissing {
                    // Without its routing the document can never be found.
                    bases.append(.unreadable(fetch.key, reason: "routing_missing", detail: text))
                } else if part.fromSource, text.contains("index_not_found") || text.contains("IndexMissing") {
                    // The source has deleted the index, and its documents with it.
                    left.append(fetch)
                } else {
                    bases.append(.failed(fetch.key))
                    failed = true
                }
            } else if document.found, let range = document.source {
                if place.isAnothers(got.bytes(range), format) {
                    left.append(fetch)
                    continue
                }
                let finding = place.judge(document, got.bytes(range), fetch, got, routes)
                if part.looksElsewhere, Tombstone.isOne(got.bytes(range)) {
                    if !place.isOther { tombstones[fetch.key] = document.version }
                    left.append(fetch)
                    continue
                }
                if !part.fromSource, !place.isOther, !Tombstone.isOne(got.bytes(range)),
                    let detail = place.otherRouting(document, fetch, got)
                {
                    bases.append(.unreadable(fetch.key, reason: "moves", detail: detail))
                    continue
                }
                switch finding {
                case .base where place.isOther, .moved where place.isOther: bases.append(part.elsewhere(fetch))
                case .base: bases.append(base(fetch, document, got.bytes(range), part))
                case .other: left.append(fetch)
                case .moved(let detail):
                    bases.append(.unreadable(fetch.key, reason: "moves", detail: detail))
                }
            } else {
                left.append(fetch)
            }
        }
        return Sorted(bases: bases, left: left, failed: failed, tombstones: tombstones)
    }

    private struct Sorted {
        var bases: [BaseAnswer]
        var left: [LaneFetch]
        var failed: Bool
        /// What the entry itself has, of documents that may be alive in another.
        var tombstones: [LaneKey: Int64]
    }

    private static func base(
        _ fetch: LaneFetch, _ document: GotDocument, _ source: Bytes, _ part: Part
    ) -> BaseAnswer {
        part.fromSource
            ? .source(fetch.key, document: Array(source), version: document.version)
            : .target(
                fetch.key, found: true, tombstone: Tombstone.isOne(source), version: document.version,
                document: Array(source))
    }
}
