import JSONText

// `_search`, `_count` and scrolls.
extension SearchNode {
    func count(_ call: NodeCall, index: String?, type: String?) throws(NodeError) -> NodeAnswer {
        let reached = try reach(index, expand(call))
        let request = try SearchRequest(call, persona: persona, index: index ?? "_all")
        var count = 0
        var shards = 0
        // A count of all documents needs no look at each of them.
        let isPlain = request.query == nil && request.routings == nil && type == nil && request.shards == nil
        if isPlain, reached.allSatisfy({ $0.filters.isEmpty && $0.routings == nil }) {
            for one in reached {
                let (own, seen) = try one.index.withLock { index throws(NodeError) in
                    guard index.isOpen else { throw persona.closed(index.name, uuid: index.uuid) }
                    index.refreshIfDue(clock.now)
                    return (index.primaries, index.shards.reduce(0) { $0 + $1.visibleCount })
                }
                shards += own
                count += seen
            }
        } else {
            let result = try find(request, reached, type: type)
            count = result.found.count
            shards = result.shards
        }
        return .json(["count": .number(count), "_shards": shardsJSON(shards)])
    }

    private func shardsJSON(_ count: Int) -> JSONValue {
        var shards: JSONObject = ["total": .number(count), "successful": .number(count)]
        if persona.since(5, 6) { shards["skipped"] = 0 }
        shards["failed"] = 0
        return .object(shards)
    }

    func search(_ call: NodeCall, index: String?, type: String?, started: Int64) throws(NodeError) -> NodeAnswer {
        let reached = try reach(index, expand(call))
        let request = try SearchRequest(call, persona: persona, index: index ?? "_all")
        try checkWindow(request, reached)
        let result = try find(request, reached, type: type)
        var page = SearchPage(request: request, result: result, persona: persona)
        page.asNumber = call.isYes("rest_total_hits_as_int")
        guard let keepAlive = request.keepAlive else {
            return page.answer(from: request.from, count: request.size, took: clock.now - started, call.filter)
        }
        // A scan counts its pages per shard, and its first answer has no documents.
        let size = request.isScan ? request.size * max(result.shards, 1) : request.size
        guard size > 0 else { throw persona.invalid(["[size] cannot be [0] in a scroll context"]) }
        let first = request.isScan ? 0 : size
        let id = "embedded" + newIdentifier()
        let context = Scrolls.Context(page: page, next: first, size: size, expires: clock.now + keepAlive)
        let isFull = scrolls.withLock { $0.insert(context, id: id, now: clock.now, limit: limits.openScrolls) }
        guard !isFull else {
            throw NodeError(
                persona.since(7) ? 429 : 500, persona.since(7) ? "too_many_requests_exception" : "exception",
                "Trying to create too many scroll contexts. Must be less than or equal to: [\(limits.openScrolls)].")
        }
        page.scrollID = id
        return page.answer(from: 0, count: first, took: clock.now - started, call.filter)
    }

    private func checkWindow(_ request: SearchRequest, _ reached: [Catalogue.Reached]) throws(NodeError) {
        guard persona.since(2), !request.isScan else { return }
        for one in reached {
            let limit = one.index.withLock { $0.settings.int("max_result_window") } ?? 10_000
            guard request.from + request.size > limit else { continue }
            let start =
                request.keepAlive == nil
                ? "Result window is too large, from + size must be less than or equal to: [\(limit)] but was "
                    + "[\(request.from + request.size)]. See the scroll api for a more efficient way to request large "
                    + "data sets. "
                : "Batch size is too large, size must be less than or equal to: [\(limit)] but was [\(request.size)]. "
                    + "Scroll batch sizes cost as much memory as result windows so they are controlled by the "
                    + "[index.max_result_window] index level setting. "
            throw NodeError.ofShards(
                persona.since(7) ? 400 : 500,
                persona.since(7) ? "illegal_argument_exception" : "query_phase_execution_exception",
                start + "This limit can be set by changing the [index.max_result_window] index level setting.",
                index: one.index.name, persona: persona)
        }
    }

    // MARK: Scrolls

    func scrollCall(_ call: NodeCall, started: Int64) throws(NodeError) -> NodeAnswer {
        if call.method == "DELETE" { return try clearScroll(call) }
        let (ids, keepAlive) = try scrollIDs(call)
        guard let id = ids.first else { throw persona.invalid(["scrollId is missing"]) }
        guard id.hasPrefix("embedded") else {
            throw persona.illegal(persona.since(5) ? "Cannot parse scroll id" : "Failed to decode scrollId")
        }
        let time = keepAlive.flatMap { IndexSettings.milliseconds($0) }
        let taken = scrolls.withLock { $0.next(id, now: clock.now, keepAlive: time) }
        guard let taken else { return lostScroll(id) }
        var page = taken.page
        page.scrollID = id
        page.asNumber = page.asNumber || call.isYes("rest_total_hits_as_int")
        return page.answer(from: taken.from, count: taken.count, took: clock.now - started, call.filter)
    }

    private func lostScroll(_ id: String) -> NodeAnswer {
        let reason = "No search context found for id [1]"
        guard persona.since(2) else {
            return .json(
                [
                    "_scroll_id": .string(id), "took": 1, "timed_out": false,
                    "_shards": [
                        "total": 1, "successful": 0, "failed": 1,
                        "failures": [["status": 404, "reason": .string("SearchContextMissingException[\(reason)]")]],
                    ], "hits": ["total": 0, "max_score": 0.0, "hits": []],
                ], status: 404)
        }
        let inner: JSONValue = ["type": "search_context_missing_exception", "reason": .string(reason)]
        return .json(
            [
                "error": [
                    "root_cause": [inner], "type": "search_phase_execution_exception", "reason": "all shards failed",
                    "phase": "query", "grouped": true,
                    "failed_shards": [["shard": -1, "index": .null, "reason": inner]], "caused_by": inner,
                ], "status": 404,
            ], status: 404)
    }

    private func scrollIDs(_ call: NodeCall) throws(NodeError) -> (ids: [String], keepAlive: String?) {
        let keepAlive = call.parameter("scroll")
        if call.path.count > 2 { return (call.path[2].split(separator: ",").map(String.init), keepAlive) }
        if let id = call.parameter("scroll_id") { return ([id], keepAlive) }
        guard call.hasBody else { return ([], keepAlive) }
        let text = String(decoding: call.request.body, as: UTF8.self)
        // 1.x accepts only the bare id; 2.x also accepts an object.
        if !persona.since(2) || !persona.since(5) && !text.hasPrefix("{") {
            return (text.split(separator: ",").map(String.init), keepAlive)
        }
        let body = try call.json(persona)
        return (TypeMapping.texts(body["scroll_id"]), body["scroll"]?.string ?? keepAlive)
    }

    private func clearScroll(_ call: NodeCall) throws(NodeError) -> NodeAnswer {
        let (ids, _) = try scrollIDs(call)
        guard !ids.isEmpty else { throw persona.invalid(["no scroll ids specified"]) }
        let freed = scrolls.withLock { $0.remove(ids) }
        let isAll = ids == ["_all"]
        let status = freed == 0 && !isAll ? 404 : 200
        guard persona.since(5) else { return .json([:], status: status) }
        return .json(["succeeded": true, "num_freed": .number(freed)], status: status)
    }
}

/// The open scrolls of a node.
struct Scrolls {
    struct Context {
        var page: SearchPage
        var next: Int
        var size: Int
        var expires: Int64
    }

    private var contexts: [String: Context] = [:]

    /// True when too many scrolls are open.
    mutating func insert(_ context: Context, id: String, now: Int64, limit: Int) -> Bool {
        contexts = contexts.filter { $0.value.expires > now }
        guard contexts.count < limit else { return true }
        contexts[id] = context
        return false
    }

    /// The next page of a scroll; nil when the scroll does not exist any more.
    mutating func next(
        _ id: String, now: Int64, keepAlive: Int64?
    ) -> (page: SearchPage, from: Int, count: Int)? {
        guard var context = contexts[id], context.expires > now else {
            contexts[id] = nil
            return nil
        }
        let from = context.next
        context.next += context.size
        if let keepAlive { context.expires = now + keepAlive }
        contexts[id] = context
        return (context.page, from, context.size)
    }

    mutating func remove(_ ids: [String]) -> Int {
        if ids == ["_all"] {
            defer { contexts = [:] }
            return contexts.count
        }
        return ids.reduce(0) { $0 + (contexts.removeValue(forKey: $1) == nil ? 0 : 1) }
    }
}
