import Commands
import Indexing
import JSONText
import Recipe

/// The words of the rail `identity`. What is to be done is said as lines that the recipe takes.
struct IdentityWords {
    let recipe: Recipe
    let entry: Recipe.IndexEntry
    /// Where commands say the type of their document.
    let types: JSONPath?
    let routings: RoutingFields

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

    // MARK: Advice

    /// The likely cause and what to do, by what was found most often.
    func advice(_ tally: IdentityTally) -> String {
        var counts: [String: Int] = [:]
        for contradiction in tally.contradictions {
            counts[advice(contradiction.command, contradiction.finding, tally), default: 0] += 1
        }
        return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? ""
    }

    private var format: CommandFormat { recipe.commands.format }

    private func advice(
        _ command: SampledCommand, _ finding: IdentityComparison.Finding, _ tally: IdentityTally
    ) -> String {
        switch finding {
        case .same, .absent: return ""
        case .routing(let document):
            guard let path = format.routing else {
                return "The application writes with a routing: " + routing(tally)
            }
            if document.routing != nil {
                return "The recipe's routing is not the one that the application writes with: name the right field"
            }
            return "The source has no routing for them: leave it out of the recipe"
                + (format.missingRoutingIsID
                    ? ", or name the field that only those with a routing have" : Self.missingID(path))
        case .template:
            let template = entry.id ?? ""
            return
                "The recipe's `id: \"\(template)\"` changes the copied ids only: if ids are unique over all types and "
                + "indices, say `id: \"{id}\"`; if not, the ids of commands need the same template: "
                + commandTemplate(template)
        case .spelling(let document, let spelling): return advice(command, document, spelling)
        }
    }

    /// The line that names the routing, as far as a field has it.
    private func routing(_ tally: IdentityTally) -> String {
        let found = tally.contradictions.compactMap { contradiction -> (command: SampledCommand, routing: String)? in
            guard case .routing(let document) = contradiction.finding, let routing = document.routing else {
                return nil
            }
            return (contradiction.command, routing)
        }
        guard let path = routings.path(found) else { return "name it under commands.\(format.shapeName)" }
        let line = tally.same > 0 ? "routing: { path: \(path), missing: id }" : "routing: \(path)"
        return "say `\(line)` under commands.\(format.shapeName)"
    }

    /// The line that gives commands the ids of a template.
    private func commandTemplate(_ template: String) -> String {
        guard case .envelope(let envelope) = format.shape else { return keyTemplate(template) }
        let id =
            switch envelope.id {
            case .field(let path): path.description
            case .key: "key"
            case .header(let name): "header:\(name)"
            case .template: ""
            }
        let text = template.replacing("{id}", with: "{\(id)}")
            .replacing("{type}", with: "{\(types?.description ?? "...")}")
        let hint = types == nil && template.contains("{type}") ? ", where ... is the field with the type" : ""
        return "`id: \"\(text)\"` under commands.envelope\(hint)"
    }

    /// The same where ids are made of the key alone, because deletes have nothing else.
    private func keyTemplate(_ template: String) -> String {
        var id = "{key}"
        var type = "with the type itself in place of ..., if the topic has one type only"
        if case .debezium(let fields) = format.shape {
            id = (fields ?? ["..."]).map { "{\($0)}" }.joined(separator: ":")
            type = "with fields of the key, or a text, in place of ..."
        }
        let text = template.replacing("{id}", with: id).replacing("{type}", with: "...")
        return "`id: \"\(text)\"` under commands.\(format.shapeName)" + (text.contains("...") ? ", \(type)" : "")
    }

    private func advice(_ command: SampledCommand, _ document: FoundDocument, _ spelling: IDSpelling) -> String {
        switch spelling {
        case .text: return key("The keys are text", .text)
        case .json: return key("The keys are JSON, with quotes", .json)
        case .int32: return key("The keys are numbers of 4 bytes", .int32)
        case .int64: return key("The keys are numbers of 8 bytes", .int64)
        case .confluent: return key("The keys have the prefix of a schema registry", .confluent)
        case .wrapper: return key("The keys are objects with the id in them", .json)
        case .typed:
            let before = String(command.id.dropLast(document.id.count))
            let name = document.type.map { before.replacing($0, with: "{type}") } ?? before
            return "The commands' ids have the type before them: say so where the copied ids are made, "
                + "`id: \"\(name){id}\"` in the entry of indices"
        case .untyped:
            let before = String(document.id.dropLast(command.id.count))
            return "The source's ids have the type before them, and so must those of commands: "
                + commandTemplate("{type}\(before.last.map(String.init) ?? ""){id}")
        case .letterCase:
            return "The application changes the case of letters in ids: let commands have the ids that it writes"
        case .form:
            return
                "The application writes ids in another Unicode form (NFC, NFD): let commands have those that it writes"
        case .padding:
            return
                "The application writes numbers with other zeros before them: let commands have the ids that it writes"
        case .marks:
            return
                "The application writes other marks between the parts of ids: let commands have those that it writes"
        }
    }

    private func key(_ cause: String, _ encoding: KeyEncoding) -> String {
        guard !format.hasKey || format.key != encoding else {
            return "\(cause), in a form that `key: \(encoding.rawValue)` does not read: let the application, or a step "
                + "before the topic, write the id itself into them"
        }
        guard format.hasKey else {
            return "\(cause.replacing("keys are", with: "ids are").replacing("keys have", with: "ids have")): let "
                + "commands.\(format.shapeName).id name the field with the id itself, or `key`"
        }
        return "\(cause): say `key: \(encoding.rawValue)` under commands.\(format.shapeName)"
    }
}
