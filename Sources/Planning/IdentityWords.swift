import Commands
import Indexing
import JSONText
import Recipe

/// The words of the rail `identity`.
enum IdentityWords {
    /// The way out where some documents have a routing and others none. `path`: as far as it is known.
    static func missingID(_ path: JSONPath?) -> String {
        ". Where documents without routing are meant, as parents of a join field are, say "
            + "`routing: { path: \(path?.description ?? "..."), missing: id }`"
    }

    static func examples(_ documents: [FoundDocument]) -> String {
        documents.prefix(3).map { "id \($0.id) \(routing($0.routing))" }.joined(separator: ", ")
    }

    static func twins(_ documents: [FoundDocument]) -> String {
        guard let first = documents.first else { return "" }
        let places = documents.prefix(3).map { "\($0.index)\($0.type.map { "/\($0)" } ?? "")" }
        return "id \(first.id) in \(places.joined(separator: " and "))"
    }

    static func examples(_ tally: IdentityTally) -> String {
        tally.contradictions.prefix(3).map { example($0.command, $0.finding) }.joined(separator: "; ")
    }

    private static func example(_ command: SampledCommand, _ finding: IdentityComparison.Finding) -> String {
        let place = "partition \(command.partition) offset \(command.offset)"
        let id = command.unreadKey.map { "the key \(bytes($0))" } ?? "id \(command.id)"
        switch finding {
        case .same, .absent: return ""
        case .routing(let document):
            return
                "\(place) writes \(id) \(routing(command.routing)), which the source has \(routing(document.routing))"
        case .template(_, let copied):
            return "\(place) writes \(id), which is copied as \(copied)"
        case .spelling(let document, _):
            let type = document.type.map { " (type \($0))" } ?? ""
            return "\(place) writes \(id), and the source has \(document.id)\(type)"
        }
    }

    private static func routing(_ routing: String?) -> String {
        routing.map { "with routing \($0)" } ?? "without routing"
    }

    private static func bytes(_ key: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return key.prefix(16).map { "\(digits[Int($0 >> 4)])\(digits[Int($0 & 15)])" }.joined(separator: " ")
            + (key.count > 16 ? " ..." : "")
    }

    /// The likely cause and what to do, by what was found most often.
    static func advice(_ tally: IdentityTally, _ recipe: Recipe, _ entry: Recipe.IndexEntry) -> String {
        var counts: [String: Int] = [:]
        for contradiction in tally.contradictions {
            counts[advice(contradiction.finding, recipe, entry), default: 0] += 1
        }
        return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
    }

    private static func advice(
        _ finding: IdentityComparison.Finding, _ recipe: Recipe, _ entry: Recipe.IndexEntry
    ) -> String {
        let shape = recipe.commands.format.shapeName
        switch finding {
        case .same, .absent: return ""
        case .routing(let document):
            guard let path = recipe.commands.format.routing else {
                return "The application writes with a routing: name it under commands.\(shape)"
            }
            if document.routing != nil || recipe.commands.format.missingRoutingIsID {
                return "The recipe's routing is not the one that the application writes with: name the right field"
            }
            return "The source has no routing for them: leave it out of the recipe\(missingID(path))"
        case .template:
            return
                "The recipe's `id: \"\(entry.id ?? "")\"` changes the copied ids only: if ids are unique over all "
                + "types and indices, say `id: \"{id}\"`; if not, the ids of commands need the same template "
                + "(commands.\(shape))"
        case .spelling(_, let spelling): return advice(spelling, shape)
        }
    }

    private static func advice(_ spelling: IDSpelling, _ shape: String) -> String {
        let key = "commands.\(shape).key"
        return
            switch spelling
        {
        case .json: "The keys are JSON, with quotes: say `\(key): json`"
        case .int32: "The keys are numbers of 4 bytes: say `\(key): int32`"
        case .int64: "The keys are numbers of 8 bytes: say `\(key): int64`"
        case .confluent: "The keys have the prefix of a schema registry: say `\(key): confluent`"
        case .wrapper: "The keys are objects with the id in them: say `\(key): json`"
        case .typed: "The commands' ids have the type before them: say so in `id` of the entry, `id: \"{type}-{id}\"`"
        case .untyped:
            "The source's ids have the type before them: the ids of commands need a template (commands.\(shape))"
        case .letterCase:
            "The application changes the case of letters in ids: let commands have the ids that it writes"
        }
    }
}
