import Commands
import JSONText
import SearchCluster
import Transform

/// What a recipe says, in lines for people.
extension RecipeText {
    /// One line a fact; made of what may be shown alone.
    package static func facts(_ recipe: Recipe) -> [String] {
        let shown = canonical(recipe)
        let commands = shown["commands"]
        var lines = [fact("name", plain(shown["name"]))]
        lines += recipe.hasCommands ? topicFacts(commands) : [fact("topic", "none: only the copy feeds the target")]
        lines.append(fact("source", cluster(shown["source"])))
        lines.append(fact("target", cluster(shown["target"])))
        for entry in shown["indices"]?.array ?? [] { lines += index(entry) }
        if let copy = shown["copy"] {
            let rate = copy["rate"]?.array.map { $0.map(plain).joined(separator: " and ") } ?? plain(copy["rate"])
            let version = copy["version"].map { ", version \(compact($0))" } ?? ""
            lines.append(
                fact(
                    "copy",
                    "\(plain(copy["slices"])) slices, \(plain(copy["page"])) documents a page, rate \(rate)\(version)"))
        }
        if recipe.hasCommands {
            lines.append(fact("replay", "from \(compact(shown["replay"]?["from"]))"))
            lines.append(fact("dead letters", plain(shown["dead_letters"]?["topic"])))
        }
        let limits = shown["limits"]
        lines.append(
            fact("limits", "\(plain(limits?["memory"])) of memory, \(plain(limits?["in_flight"])) requests in flight"))
        return lines
    }

    private static func topicFacts(_ commands: JSONValue?) -> [String] {
        var lines = [
            fact("topic", "\(plain(commands?["topic"])) at \(plain(commands?["bootstrap"]))"),
            fact("group", plain(commands?["group"])),
            fact("format", format(commands)),
            fact("version", "\(compact(commands?["version"])), epoch \(plain(commands?["epoch"]))"),
        ]
        if let group = commands?["application_group"] { lines.append(fact("application", "group \(plain(group))")) }
        if let kafka = commands?["kafka"]?.object, !kafka.isEmpty {
            lines.append(fact("kafka", kafka.map { "\($0.key)=\(plain($0.value))" }.joined(separator: " ")))
        }
        return lines
    }

    /// What works, but not as one may expect.
    package static func warnings(_ recipe: Recipe) -> [String] {
        let format = recipe.commands.format
        guard recipe.hasCommands, case .document = format.shape else { return [] }
        let tombstone = "a tombstone (a record without value, which is a delete) has no document"
        var found: [String] = []
        if format.isSelective, format.rules.unattributed == .reject {
            found.append(
                "\(tombstone) that could say which of indices it belongs to: every delete will be a dead letter. If "
                    + "there are deletes and ids are unique over all entries, say select.missing: every, or give each "
                    + "index a topic and a recipe of its own, or use format: envelope")
        }
        if format.routing != nil {
            found.append(
                "\(tombstone) that could carry the routing: every delete will be a dead letter. If there are deletes, "
                    + "use format: envelope")
        }
        if case .field(let path) = format.version {
            found.append(
                "\(tombstone) with a field \(path): every delete will be a dead letter. If there are deletes, take "
                    + "versions from offset, timestamp or a header")
        }
        return found
    }

    private static func fact(_ name: String, _ text: String) -> String {
        name + String(repeating: " ", count: max(1, 14 - name.count)) + text
    }

    private static func format(_ commands: JSONValue?) -> String {
        var name = plain(commands?["format"])
        let part = commands?[name]
        if let id = part?["id"] { name += "; id \(id.array.map { $0.map(plain).joined(separator: ":") } ?? plain(id))" }
        if let key = part?["key"] { name += "; key \(plain(key))" }
        if let routing = part?["routing"] {
            name += "; routing \(plain(routing["path"]))" + (routing["missing"] == "id" ? " or else the id" : "")
        }
        guard let envelope = commands?["envelope"] else { return name }
        let lists = ["index", "merge", "delete", "ignore"].compactMap { list -> String? in
            guard let names = envelope[list]?.array, !names.isEmpty else { return nil }
            return "\(list) \(names.map(plain).joined(separator: ", "))"
        }
        return ([name] + lists).joined(separator: "; ")
    }

    private static func cluster(_ cluster: JSONValue?) -> String {
        guard let cluster else { return "none: only the topic feeds the target" }
        let urls = (cluster["urls"]?.array ?? []).map(plain).joined(separator: " ")
        guard let auth = cluster["auth"] else { return urls }
        return urls + (auth["user"].map { " as \(plain($0))" } ?? " with an API key")
    }

    private static func index(_ entry: JSONValue) -> [String] {
        let from = entry["from"].map(plain) ?? "the topic"
        let alias = (entry["alias"]?.array ?? []).map { ", alias \(plain($0))" }.joined()
        let select = entry["select"].map { ", where \(plain($0["field"])) is \(plain($0["equals"]))" } ?? ""
        let mapping = entry["mapping"] == nil ? "" : ", own mapping"
        let steps = entry["transform"]?.array ?? []
        return [fact("index", "\(from) -> \(plain(entry["to"]))\(alias)\(select)\(mapping)")]
            + steps.map { step in
                let name = step.object?.keys.first ?? ""
                return fact("  step", "\(name) \(compact(step[name]))")
            }
    }

    private static func plain(_ value: JSONValue?) -> String {
        guard let value else { return "none" }
        return value.string ?? value.text()
    }

    private static func compact(_ value: JSONValue?) -> String {
        guard let members = value?.object else { return plain(value) }
        return members.map { "\($0.key): \(plain($0.value))" }.joined(separator: ", ")
    }
}
