import JSONText

/// What a lifecycle policy will do to an index, so that it can no longer be searched and written under its name.
package struct IndexFate: Sendable, Equatable {
    package var policy: String
    /// As the server names the action.
    package var action: String
    /// When it is due, in milliseconds since 1970, at the earliest; nil: the server does not tell.
    package var due: Int64?

    package init(policy: String, action: String, due: Int64? = nil) {
        (self.policy, self.action, self.due) = (policy, action, due)
    }

    /// Actions after which an index is gone, closed, another one, or takes no writes.
    package static let ending: Set<String> = [
        "delete", "shrink", "searchable_snapshot", "readonly", "read_only", "freeze", "close", "downsample",
        "convert_index_to_remote", "unfollow",
    ]

    /// Of a policy of Elasticsearch: what ends the index first.
    /// - Parameters:
    ///   - policy: the answer of `GET /_ilm/policy/NAME`.
    ///   - explained: the index's part of the answer of `GET /INDEX/_ilm/explain`. `lifecycle_date_millis` is the time
    ///     from which a phase's `min_age` counts.
    static func ilm(_ name: String, policy: JSONValue, explained: JSONValue?) -> IndexFate? {
        let born = explained?["lifecycle_date_millis"]?.time
        var found: [IndexFate] = []
        for (phase, content) in policy[name]?["policy"]?["phases"]?.object ?? JSONObject() {
            guard let action = worst(LifecyclePolicy.actions(ofPhase: content)) else { continue }
            let age = content["min_age"]?.string.map(ClusterReader.milliseconds) ?? 0
            // Hot comes first, whatever its age; an age that cannot be read may be any.
            let due = phase == "hot" ? born : age.flatMap { age in born.map { Self.sum($0, age) } }
            found.append(IndexFate(policy: name, action: action, due: due))
        }
        return found.min { ($0.due ?? .min, $0.action) < ($1.due ?? .min, $1.action) }
    }

    /// Of a policy of OpenSearch's index state management, whose transitions have conditions of many kinds.
    /// - Parameter policy: the answer of `GET /_plugins/_ism/policies/ID`.
    static func ism(_ name: String, policy: JSONValue) -> IndexFate? {
        worst(LifecyclePolicy.actions(ofStates: policy) ?? []).map { IndexFate(policy: name, action: $0) }
    }

    /// The one to be named of those that end an index; nil: there is none.
    private static func worst(_ actions: [String]) -> String? {
        let harm = actions.filter(ending.contains)
        return harm.contains("delete") ? "delete" : harm.min()
    }

    private static func sum(_ time: Int64, _ age: Int64) -> Int64 {
        let sum = time.addingReportingOverflow(age)
        return OutsideNumber.time(sum.overflow ? .max : sum.partialValue)
    }
}

extension ClusterReader {
    /// What a lifecycle policy will do to an index; nil: none manages it, or it does no harm. Where a policy manages
    /// the index and cannot be read, its action is `-`.
    /// - Parameter policy: the index's setting `index.lifecycle.name`.
    package func fate(
        of index: String, policy name: String?, isOpenSearch: Bool
    ) throws(ClusterError) -> IndexFate? {
        if let name {
            guard let policy = try told(.lifecyclePolicy(name), index) else {
                return IndexFate(policy: name, action: "-")
            }
            let explained = try told(.lifecycle(index: index), index)
            // The policy may have been taken off, or stopped at a step that failed.
            if explained?["indices"]?[index]?["managed"]?.bool == false { return nil }
            return IndexFate.ilm(name, policy: policy, explained: explained?["indices"]?[index])
        }
        guard isOpenSearch else { return nil }
        let about = try told(.stateManagement(index: index), index)?[index]
        guard let id = LifecyclePolicy.id(of: about),
            about?["enabled"]?.bool != false
        else { return nil }
        guard let policy = try told(.statePolicy(id), index) else { return IndexFate(policy: id, action: "-") }
        return IndexFate.ism(id, policy: policy)
    }

    /// nil: the server does not know the call, has no such thing, or does not tell us.
    private func told(_ call: ReadCall, _ index: String) throws(ClusterError) -> JSONValue? {
        do throws(ClusterError) {
            return try transport.tree(
                call, timeoutSeconds: 5, doing: "looking for the policy of \(index)", index: index)
        } catch {
            guard [.notFound, .badRequest, .forbidden].contains(error.code) else { throw error }
            return nil
        }
    }
}
