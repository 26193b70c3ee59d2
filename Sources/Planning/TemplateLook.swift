import JSONText
import SearchCluster

/// What the target cluster adds by itself to an index, or has added.
package struct TemplateLook: Sendable {
    /// What an index that is not there yet would get; nil: it is there, or it is not known.
    package var additions: IndexAdditions?
    /// Why it is not known.
    package var unknown: String?
    /// The settings that count: of the index that is there, or of the template with the recipe's over them.
    package var settings: [String: String] = [:]
    package var policy: LifecyclePolicy?

    package init() {}

    /// The same settings as JSON, by their whole names; nil: none are known.
    package var settingsText: JSONValue? {
        settings.isEmpty
            ? nil : .object(JSONObject(settings.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
    }

    /// The mapping that an index gets that is made with this one: what the templates map stays where it says nothing.
    package func mapping(under own: JSONObject) -> JSONObject {
        additions.map { IndexAdditions.merged($0.mapping, own) } ?? own
    }

    /// Names of settings under which policies are given.
    private static let statePolicies = [
        "index.plugins.index_state_management.policy_id", "index.opendistro.index_state_management.policy_id",
    ]

    /// `own`: the recipe's settings. `present`: the index, when it is there.
    static func take(_ index: String, own: JSONValue?, present: IndexInfo?, target: Cluster) -> TemplateLook {
        var look = TemplateLook()
        do throws(ClusterError) {
            if let present {
                look.settings = IndexAdditions.flat(present.settings)
            } else {
                let additions = try target.writer.additions(to: index)
                look.additions = additions
                look.settings = additions.settings
                for (name, value) in IndexAdditions.flat(own?["settings"] ?? own) { look.settings[name] = value }
            }
            if let name = look.settings["index.lifecycle.name"] {
                look.policy = target.writer.lifecyclePolicy(name)
            } else if target.server.product == .opensearch {
                look.policy = try target.writer.statePolicy(of: index, exists: present != nil)
                if look.policy == nil, let name = statePolicies.compactMap({ look.settings[$0] }).first {
                    look.policy = LifecyclePolicy(name: name, unknown: "it was not found")
                }
            }
        } catch {
            look.unknown = "\(error)"
        }
        return look
    }
}
