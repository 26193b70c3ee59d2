import JSONText

/// A privilege, by the name that Elasticsearch gives it.
package struct Privilege: Sendable, Hashable {
    package var name: String
    /// The index, alias or pattern that it is about; nil: the cluster.
    package var on: String?

    package init(_ name: String, on: String? = nil) { (self.name, self.on) = (name, on) }
}

/// What a cluster says about the privileges of our user.
package enum PrivilegeAnswer: Sendable, Equatable {
    /// It checks nobody.
    case unchecked
    /// These are missing; empty: none is.
    case lacking(Set<Privilege>)
    /// It cannot be asked, and why.
    case unknown(String)
}

extension Cluster {
    /// Which of these privileges the user does not have. Nothing is executed and nothing is changed. Throws when the
    /// cluster cannot be reached.
    package func lacking(_ wanted: [Privilege]) throws(ClusterError) -> PrivilegeAnswer {
        switch capabilities.privileges {
        case .path(let path): try asked(path, wanted)
        case .trial: try tried(wanted)
        case .none where server.product == .opensearch:
            try checksPrivileges()
                ? .unknown("OpenSearch before 3.2 has no call for that") : .unchecked
        case .none where endpoint.auth == .none: .unchecked
        case .none: .unknown("\(server) has no call for that")
        }
    }

    /// Elasticsearch tells it in one answer.
    private func asked(_ path: String, _ wanted: [Privilege]) throws(ClusterError) -> PrivilegeAnswer {
        var names: [String] = []
        for name in wanted.compactMap(\.on) where !names.contains(name) { names.append(name) }
        let body: JSONValue = [
            "cluster": .array(wanted.filter { $0.on == nil }.map { .string($0.name) }),
            "index": .array(
                names.map { name in
                    [
                        "names": [.string(name)],
                        "privileges": .array(wanted.filter { $0.on == name }.map { .string($0.name) }),
                    ]
                }),
        ]
        let answer: JSONValue
        do throws(ClusterError) {
            answer = try transport.call(
                HTTPRequest(.post, path, body: RequestPath.body(body), timeoutSeconds: 20),
                doing: "asking what the user may do")
        } catch {
            return try Self.notTold(error)
        }
        let lacking = wanted.filter { privilege in
            let told = privilege.on.map { answer["index"]?[$0] } ?? answer["cluster"]
            return told?[privilege.name]?.bool != true
        }
        return .lacking(Set(lacking))
    }

    /// OpenSearch judges a request without executing it. Each of these would do nothing if it were executed.
    private func tried(_ wanted: [Privilege]) throws(ClusterError) -> PrivilegeAnswer {
        guard try checksPrivileges() else { return .unchecked }
        var lacking: Set<Privilege> = []
        for privilege in wanted {
            guard let request = Self.trial(of: privilege) else { continue }
            do throws(ClusterError) {
                let answer = try transport.call(request, doing: "asking what the user may do")
                guard let isAllowed = answer["accessAllowed"]?.bool else {
                    return .unknown("the answer to perform_permission_check says nothing of access")
                }
                if !isAllowed { lacking.insert(privilege) }
            } catch {
                guard error.code == .forbidden else { return try Self.notTold(error) }
                lacking.insert(privilege)
            }
        }
        return .lacking(lacking)
    }

    /// A request that needs the privilege; nil: there is none that can be tried.
    static func trial(of privilege: Privilege) -> HTTPRequest? {
        func request(_ method: HTTPRequest.Method, _ path: String, _ parameters: String = "") -> HTTPRequest {
            HTTPRequest(
                method, "\(path)?\(parameters)perform_permission_check=true", timeoutSeconds: 20, failsOver: false)
        }
        guard let on = privilege.on else {
            switch privilege.name {
            case "monitor": return request(.get, "/_cluster/health")
            case "manage_index_templates": return request(.post, "/_index_template/_simulate_index/crossfade-none")
            case "read_ilm": return request(.get, "/_plugins/_ism/policies")
            default: return nil
            }
        }
        // A name that the pattern matches stands for it.
        let index = "/" + RequestPath.segment(on.replacing("*", with: "-x"))
        switch privilege.name {
        case "read": return request(.get, index + "/_search")
        case "view_index_metadata": return request(.get, index + "/_mapping")
        case "monitor": return request(.get, index + "/_stats/docs")
        case "maintenance": return request(.post, index + "/_refresh")
        case "manage": return request(.delete, index + "/_alias/crossfade-none")
        case "write": return request(.delete, index + "/_doc/crossfade-none", "if_seq_no=0&if_primary_term=1&")
        default: return nil
        }
    }

    /// Whether an OpenSearch has its security plugin: only that knows this call.
    private func checksPrivileges() throws(ClusterError) -> Bool {
        do throws(ClusterError) {
            _ = try transport.call(
                HTTPRequest(.get, "/_plugins/_security/authinfo", timeoutSeconds: 20), doing: "asking who the user is")
            return true
        } catch {
            switch try Self.notTold(error) {
            case .unchecked: return false
            case .lacking, .unknown: return true
            }
        }
    }

    /// A server without security does not know the call.
    private static func notTold(_ error: ClusterError) throws(ClusterError) -> PrivilegeAnswer {
        guard let status = error.status else { throw error }
        let said = (error.underlying ?? "").lowercased()
        if said.contains("no handler found") || said.contains("security is not enabled")
            || said.contains("unrecognized parameter")
            // 7.x with security switched off takes the path for that of an index.
            || said.contains("invalid index name [_security]")
        {
            return .unchecked
        }
        guard status != 401, status != 429, status != 503 else { throw error }
        return .unknown("\(error)")
    }
}
