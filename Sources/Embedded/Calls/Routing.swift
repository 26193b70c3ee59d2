import JSONText

// Finds the call of a request.
extension SearchNode {
    func route(_ call: inout NodeCall, started: Int64) throws(NodeError) -> NodeAnswer {
        let path = call.path
        guard let first = path.first else { return try root(call) }
        if first == NodeFaults.adminPath { return try administer(call) }
        if first.hasPrefix("_"), first != "_all" {
            if let answer = try clusterCall(call, started: started) { return answer }
            guard path.count == 1, call.method != "POST" else { throw nothingThere(call) }
            throw invalidName(first, "must not start with '_'\(call.method == "PUT" ? ", '-', or '+'" : ".")")
        }
        guard path.count > 1 else { return try indexCall(call, first) }
        if let answer = try callOfIndex(call, first, started: started) { return answer }
        throw nothingThere(call)
    }

    private func root(_ call: NodeCall) throws(NodeError) -> NodeAnswer {
        guard call.method == "GET" || call.method == "HEAD" else { throw nothingThere(call) }
        return .json(description)
    }

    private func nothingThere(_ call: NodeCall) -> NodeError {
        NodeError(
            persona.since(6) ? 405 : 400, "illegal_argument_exception",
            "no handler found for uri [\(call.wholePath)] and method [\(call.method)] in the embedded search node")
    }

    /// Calls without an index name.
    private func clusterCall(_ call: NodeCall, started: Int64) throws(NodeError) -> NodeAnswer? {
        let path = call.path
        let second = path.dropFirst().first
        switch path[0] {
        case "_bulk": return try bulk(call, index: nil, type: nil, started: started)
        case "_mget": return try multiGet(call, index: nil, type: nil)
        case "_search" where second == "scroll": return try scrollCall(call, started: started)
        case "_search": return try search(call, index: nil, type: nil, started: started)
        case "_count": return try count(call, index: nil, type: nil)
        case "_refresh", "_flush", "_forcemerge", "_optimize": return try refresh(call, nil)
        case "_aliases" where call.method == "POST": return try changeAliases(call)
        case "_alias", "_aliases": return try aliasCall(call, index: nil, name: second)
        case "_mapping", "_mappings": return try getMapping(call, nil, type: second)
        case "_settings" where call.method == "PUT": return try putSettings(call, nil)
        case "_settings": return try getSettings(call, nil)
        case "_template": return try templateCall(call, name: second)
        case "_index_template" where persona.since(7, 9) && second == "_simulate_index" && path.count > 2:
            return simulateIndex(path[2])
        case "_index_template" where persona.since(7, 8): return try composableTemplateCall(call, name: second)
        case "_nodes": return nodes()
        case "_stats": return try stats(call, nil)
        case "_cluster": return try cluster(call, second)
        case "_cat": return try catalogueText(call, second)
        default: return nil
        }
    }

    private func callOfIndex(_ call: NodeCall, _ index: String, started: Int64) throws(NodeError) -> NodeAnswer? {
        let path = call.path
        let last = path[path.count - 1]
        // In versions with types, a type may stand before the call's name.
        let type = path.count > 2 && (!path[1].hasPrefix("_") || path[1] == "_doc") ? path[1] : nil
        let isShort = path.count == (type == nil ? 2 : 3)
        switch (isShort, last) {
        case (true, "_bulk"): return try bulk(call, index: index, type: type, started: started)
        case (true, "_mget"): return try multiGet(call, index: index, type: type)
        case (true, "_search"): return try search(call, index: index, type: type, started: started)
        case (true, "_count"): return try count(call, index: index, type: type)
        default: break
        }
        switch path[1] {
        case "_refresh", "_flush", "_forcemerge", "_optimize": return try refresh(call, index)
        case "_mapping", "_mappings":
            let type = path.count > 2 ? path[2] : nil
            if type == "field" { return try getFieldMapping(call, index, field: path.count > 3 ? path[3] : "*") }
            return call.method == "GET" || call.method == "HEAD"
                ? try getMapping(call, index, type: type) : try putMapping(call, index, type: type)
        case "_settings": return call.method == "PUT" ? try putSettings(call, index) : try getSettings(call, index)
        case "_alias", "_aliases":
            return try aliasCall(call, index: index, name: path.count > 2 ? path[2] : nil)
        case "_stats": return try stats(call, index)
        case "_close", "_open": return try setOpen(call, index, path[1] == "_open")
        default: return try documentCall(call, index)
        }
    }
}
