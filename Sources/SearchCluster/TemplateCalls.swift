import JSONText

/// What the cluster adds by itself to an index of a certain name when it is made.
package struct IndexAdditions: Sendable, Equatable {
    /// The templates that match.
    package var templates: [String] = []
    /// Whether the cluster makes a data stream of that name, and no index.
    package var isDataStream = false
    /// By their whole names (`index.refresh_interval`).
    package var settings: [String: String] = [:]
    /// Without the type around it, where the server has types.
    package var mapping = JSONObject()
    /// The types that templates map, other than `_default_`.
    package var types: [String] = []
    package var aliases: [String] = []

    package init() {}

    /// Adds what a template says over what was there.
    package mutating func take(_ template: JSONValue, typed: Bool) {
        for (name, value) in Self.flat(template["settings"]) { settings[name] = value }
        for (alias, _) in template["aliases"]?.object ?? JSONObject() where !aliases.contains(alias) {
            aliases.append(alias)
        }
        let mappings = template["mappings"]?.object ?? JSONObject()
        guard typed else {
            let inner = mappings.count == 1 ? mappings["_doc"]?.object : nil
            return mapping = Self.merged(mapping, inner ?? mappings)
        }
        for (type, inner) in mappings {
            if type != "_default_", !types.contains(type) { types.append(type) }
            mapping = Self.merged(mapping, inner.object ?? JSONObject())
        }
    }

    /// Settings in any notation, by their whole names.
    package static func flat(_ settings: JSONValue?) -> [String: String] {
        var found: [String: String] = [:]
        func walk(_ value: JSONValue, _ name: String) {
            switch value {
            case .object(let members):
                for (key, inner) in members { walk(inner, name.isEmpty ? key : "\(name).\(key)") }
            case .null: break
            case .string(let text): found[name] = text
            default: found[name] = value.text()
            }
        }
        walk(settings ?? .null, "")
        return Dictionary(found.map { ($0.key.hasPrefix("index.") ? $0.key : "index.\($0.key)", $0.value) }) { $1 }
    }

    /// One mapping with another over it.
    package static func merged(_ one: JSONObject, _ other: JSONObject) -> JSONObject {
        var all = one
        for (key, value) in other {
            if let inner = value.object, let before = all[key]?.object {
                all[key] = .object(merged(before, inner))
            } else {
                all[key] = value
            }
        }
        return all
    }

    /// Whether a pattern of a template matches a name; `*` stands for any characters.
    package static func matches(_ name: String, _ pattern: String) -> Bool {
        let parts = pattern.split(separator: "*", omittingEmptySubsequences: false).map { Array($0.utf8) }
        guard parts.count > 1, let first = parts.first, let last = parts.last else { return name == pattern }
        let text = Array(name.utf8)
        guard text.count >= first.count + last.count, text.starts(with: first),
            text.suffix(last.count).elementsEqual(last)
        else { return false }
        var rest = text[first.count..<(text.count - last.count)]
        for part in parts.dropFirst().dropLast() where !part.isEmpty {
            guard let place = rest.indices.first(where: { rest[$0...].starts(with: part) }) else { return false }
            rest = rest[(place + part.count)...]
        }
        return true
    }
}

/// What a lifecycle policy would do to an index.
package struct LifecyclePolicy: Sendable, Equatable {
    package var name: String
    /// The names of its actions; nil: unknown.
    package var actions: [String]?
    package var unknown: String?

    package init(name: String, actions: [String]? = nil, unknown: String? = nil) {
        (self.name, self.actions, self.unknown) = (name, actions, unknown)
    }

    /// The names of the actions of a phase of Elasticsearch.
    static func actions(ofPhase phase: JSONValue) -> [String] {
        (phase["actions"]?.object ?? JSONObject()).map(\.key)
    }

    /// The names of the actions of all states of a policy of OpenSearch; nil: it has no states.
    static func actions(ofStates policy: JSONValue) -> [String]? {
        policy["policy"]?["states"]?.array?.flatMap { state in
            (state["actions"]?.array ?? []).flatMap { $0.object?.map(\.key) ?? [] }
        }
    }

    /// The policy that manages an index, by the index's part of the answer of `GET /_plugins/_ism/explain/INDEX`.
    static func id(of explained: JSONValue?) -> String? {
        explained?["index.plugins.index_state_management.policy_id"]?.string ?? explained?["policy_id"]?.string
    }
}

// Templates and policies of the target.
extension TargetWriter {
    /// What templates would add to an index of this name.
    package func additions(to name: String) throws(ClusterError) -> IndexAdditions {
        if let composable = try composable(name) { return composable }
        var found = IndexAdditions()
        let all = try asked("/_template", "reading the index templates") ?? .null
        let mine = (all.object ?? JSONObject()).filter { Self.matches(name, $0.value) }
        for (template, body) in mine.sorted(by: {
            ($0.value["order"]?.compared ?? 0) < ($1.value["order"]?.compared ?? 0)
        }) {
            found.templates.append(template)
            found.take(body, typed: capabilities.typed)
        }
        return found
    }

    private static func matches(_ name: String, _ template: JSONValue) -> Bool {
        let patterns = template["index_patterns"] ?? template["template"]
        return (patterns?.array?.compactMap(\.string) ?? patterns?.string.map { [$0] } ?? []).contains {
            IndexAdditions.matches(name, $0)
        }
    }

    /// A composable template that matches replaces all old ones. nil: none matches, or the server knows none.
    private func composable(_ name: String) throws(ClusterError) -> IndexAdditions? {
        guard !capabilities.typed, let all = try asked("/_index_template", "reading the index templates") else {
            return nil
        }
        let mine = (all["index_templates"]?.array ?? []).filter { Self.matches(name, $0["index_template"] ?? .null) }
        func priority(_ template: JSONValue) -> Int64 { template["index_template"]?["priority"]?.compared ?? 0 }
        guard let chosen = mine.max(by: { priority($0) < priority($1) }) else { return nil }
        var found = IndexAdditions()
        found.templates = [chosen["name"]?.string ?? "-"]
        found.isDataStream = chosen["index_template"]?["data_stream"]?.object != nil
        let simulated = try asked(
            "/_index_template/_simulate_index/" + RequestPath.segment(name), "looking what templates add to \(name)",
            method: .post)
        if let template = simulated?["template"] {
            found.take(template, typed: false)
            return found
        }
        // 7.8 has composable templates, and cannot say what comes of them.
        for part in chosen["index_template"]?["composed_of"]?.array?.compactMap(\.string) ?? [] {
            let answer = try asked("/_component_template/" + RequestPath.segment(part), "reading a component template")
            found.take(answer?["component_templates"]?[0]?["component_template"]?["template"] ?? .null, typed: false)
        }
        found.take(chosen["index_template"]?["template"] ?? .null, typed: false)
        return found
    }

    /// nil: the server does not know the call.
    private func asked(
        _ path: String, _ doing: String, method: HTTPRequest.Method = .get
    ) throws(ClusterError) -> JSONValue? {
        do throws(ClusterError) {
            return try transport.call(HTTPRequest(method, path, timeoutSeconds: 20), doing: doing)
        } catch {
            guard error.code == .notFound || error.code == .badRequest else { throw error }
            return nil
        }
    }

    /// The policy of that name of Elasticsearch.
    package func lifecyclePolicy(_ name: String) -> LifecyclePolicy {
        do throws(ClusterError) {
            let answer = try asked("/_ilm/policy/" + RequestPath.segment(name), "reading the policy \(name)")
            guard let phases = answer?[name]?["policy"]?["phases"]?.object else {
                return LifecyclePolicy(name: name, unknown: "the cluster does not know it")
            }
            let actions = phases.flatMap { LifecyclePolicy.actions(ofPhase: $0.value) }
            return LifecyclePolicy(name: name, actions: Set(actions).sorted())
        } catch {
            return LifecyclePolicy(name: name, unknown: "\(error)")
        }
    }

    /// The policy of OpenSearch's index state management that takes an index of this name, or has taken it.
    package func statePolicy(of index: String, exists: Bool) throws(ClusterError) -> LifecyclePolicy? {
        let all = try asked("/_plugins/_ism/policies", "reading the policies of indices")
        var mine: JSONValue?
        if exists {
            let explained = try asked("/_plugins/_ism/explain/" + RequestPath.segment(index), "looking for its policy")
            guard let id = LifecyclePolicy.id(of: explained?[index]) else { return nil }
            mine = all?["policies"]?.array?.first { $0["_id"]?.string == id } ?? ["_id": .string(id)]
        } else {
            mine = all?["policies"]?.array?.first { policy in
                let templates = policy["policy"]?["ism_template"]
                return (templates?.array ?? templates.map { [$0] } ?? []).contains { Self.matches(index, $0) }
            }
        }
        guard let mine else { return nil }
        let actions = LifecyclePolicy.actions(ofStates: mine)
        return LifecyclePolicy(
            name: mine["_id"]?.string ?? "-", actions: actions.map { Set($0).sorted() },
            unknown: actions == nil ? "its actions could not be read" : nil)
    }
}
