import JSONText
import Recipe
import SearchCluster

/// What the cluster would add to the target indices by itself: aliases, pipelines, policies, settings, mapping.
enum TemplateRail {
    static func look(_ recipe: Recipe, _ survey: Survey) -> [Rail] {
        var found: [Rail] = []
        for entry in survey.entries where !entry.isClosed {
            found += judge(
                entry.templates, entry.index, exists: entry.exists, aliases: entry.recipe.aliases, recipe, survey)
        }
        if let state = survey.stateTemplates {
            found += judge(state, ".crossfade-\(recipe.name)", exists: false, aliases: [], recipe, survey)
        }
        return found
    }

    private static func judge(
        _ look: TemplateLook, _ index: String, exists: Bool, aliases: [String], _ recipe: Recipe, _ survey: Survey
    ) -> [Rail] {
        var found: [Rail] = []
        if let unknown = look.unknown {
            found.append(
                said("templates", .warn, "it is not known what the target adds to \(index) by itself: \(unknown)"))
        }
        if let additions = look.additions, !additions.templates.isEmpty {
            found += judge(
                additions, index, aliases: aliases, capabilities: survey.target.capabilities,
                losesSource: recipe.commands.format.hasMerges
                    && !survey.entries.contains { $0.index == index && $0.mapping["_source"] != nil })
        }
        if let text = pipelines(look.settings, index, exists: exists) {
            found.append(Rail(name: "pipelines", verdict: .refused, detail: text))
        }
        if let policy = look.policy {
            let (verdict, text) = lifecycle(policy, index, exists: exists)
            found.append(Rail(name: "lifecycle", verdict: verdict, detail: text))
        }
        return found
    }

    private static func said(_ name: String, _ verdict: Rail.Verdict, _ detail: String) -> Rail {
        Rail(name: name, verdict: verdict, detail: detail)
    }

    private static let wayOut =
        "Choose a `to` that it does not match, or make a template for this name alone that ranks above it and adds less"

    /// `aliases`: those of the readers. `losesSource`: whether a `_source` of the templates would count, and do harm.
    static func judge(
        _ additions: IndexAdditions, _ index: String, aliases: [String], capabilities: Capabilities, losesSource: Bool
    ) -> [Rail] {
        let who = "the index template \(additions.templates.joined(separator: ", ")) of the target matches \(index)"
        if additions.isDataStream {
            return [
                Rail(
                    name: "data_stream", verdict: .refused,
                    detail: "\(who) and makes data streams, in which documents cannot be written over. \(wayOut)")
            ]
        }
        var found: [Rail] = []
        if !additions.aliases.isEmpty {
            let live = !Set(additions.aliases).isDisjoint(with: aliases)
            found.append(
                Rail(
                    name: "templates", verdict: .refused,
                    detail: "\(who) and would put the alias \(additions.aliases.joined(separator: ", ")) on it"
                        + (live ? ", which readers use" : "")
                        + ": who reads through it would see documents while they are being moved, twice where the "
                        + "alias has another index, and writes through an alias of two indices fail. \(wayOut)"))
        }
        if capabilities.typed, capabilities.singleType,
            let type = additions.types.first(where: { $0 != capabilities.documentType })
        {
            found.append(
                Rail(
                    name: "template_type", verdict: .refused,
                    detail: "\(who) and maps the type \(type), while init makes the type "
                        + "\(capabilities.documentType): an index has one type only. \(wayOut)"))
        }
        if losesSource, let source = additions.mapping["_source"] {
            found.append(
                Rail(
                    name: "templates", verdict: .refused,
                    detail:
                        "\(who) and would map `_source` as \(source.text()): a partial update would lose what is not "
                        + "kept. Say `_source` in the recipe's mapping, or: \(wayOut)"))
        }
        if found.isEmpty { found.append(shown(additions, who)) }
        return found
    }

    private static let harmless: Set<String> = [
        "index.number_of_shards", "index.number_of_replicas", "index.refresh_interval", "index.auto_expand_replicas",
        "index.codec", "index.routing.allocation.include._tier_preference",
    ]

    private static func shown(_ additions: IndexAdditions, _ who: String) -> Rail {
        let settings = additions.settings.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }
        var parts = settings.isEmpty ? [] : ["the settings \(settings.joined(separator: ", "))"]
        if !additions.mapping.isEmpty {
            let text = JSONValue.object(additions.mapping).text()
            parts.append("the mapping \(text.count > 400 ? text.prefix(400) + "..." : text)")
        }
        let isHarmless = additions.mapping.isEmpty && additions.settings.keys.allSatisfy(harmless.contains)
        return said(
            "templates", isHarmless ? .ok : .warn,
            "\(who) and adds \(parts.isEmpty ? "nothing" : parts.joined(separator: " and ")), where the recipe does "
                + "not say otherwise")
    }

    /// nil: no pipeline changes what is written.
    static func pipelines(_ settings: [String: String], _ index: String, exists: Bool) -> String? {
        let found = ["index.default_pipeline", "index.final_pipeline"].filter {
            settings[$0, default: "_none"] != "_none"
        }
        guard !found.isEmpty else { return nil }
        let names = found.map { "\($0) \(settings[$0] ?? "-")" }.joined(separator: ", ")
        return exists
            ? "\(index) has \(names): the cluster would change every document that is written. Set it to _none "
                + "(PUT /\(index)/_settings), then copy and replay again if something was written already"
            : "\(index) would get \(names) from a template: the cluster would change every document that is written. "
                + "Set it to _none in the recipe's `settings`"
    }

    /// Actions after which the index is not there, is another one, or takes no writes.
    private static let destructive = IndexFate.ending.union(["rollover"])

    static func lifecycle(_ policy: LifecyclePolicy, _ index: String, exists: Bool) -> (Rail.Verdict, String) {
        let who = "the lifecycle policy \(policy.name) \(exists ? "manages" : "would manage") \(index)"
        guard let actions = policy.actions else {
            return (.warn, "\(who), and it is not known what it does: \(policy.unknown ?? "-")")
        }
        let harm = actions.filter(destructive.contains)
        guard !harm.isEmpty else { return (.ok, "\(who): \(actions.joined(separator: ", "))") }
        return (
            .refused,
            "\(who), with \(harm.joined(separator: ", ")): the index could be replaced, deleted or closed to writes "
                + "while the migration writes it. Take the policy from it until the readers have moved, or: \(wayOut)"
        )
    }
}
