import CommandLog
import Commands
import Indexing
import JSONText
import SearchCluster
import Telemetry
import Transform

/// Makes a `Recipe` of a value that schema and rules found good.
package struct RecipeBuilder {
    package let file: String
    package let files: RecipeFiles

    /// A value that schema and rules should have refused. Told of as an error, never a trap.
    package struct Gap: Error {
        package var mark: SourceMark
        package var key: String
    }

    package func build(_ root: RecipeValue) throws(Gap) -> Recipe {
        let source = root["source"]
        let limits = try need(root, "limits")
        var said = root
        // Without a source nothing is copied, and the defaults of the copy mean nothing; without commands, those of a
        // replay.
        var unsaid: Set<String> = source == nil ? ["copy"] : []
        if root["commands"] == nil { unsaid.formUnion(["replay", "dead_letters"]) }
        said.content = .section(root.members.filter { !unsaid.contains($0.key) })
        let name = try text(root, "name")
        var commandPart = try commandSource(root)
        let target = try endpoint(try need(root, "target"))
        let indices = try entries(try need(root, "indices").items)
        let copy = try copyOptions(root)
        if source != nil, let version = root["copy"]?["version"] {
            commandPart.format.copied = version.text.flatMap { .init(rawValue: $0) }
            if let path = try optionalPath(version, "field") {
                (commandPart.format.version, commandPart.format.copied) = (.field(path), .field)
            }
        }
        let replaySection = try need(root, "replay")
        let replay = try replayStart(try need(replaySection, "from"))
        let margin = Int64(try integer(replaySection, "recorded_margin"))
        let deadLetters = root["commands"] == nil ? "" : try text(try need(root, "dead_letters"), "topic")
        let memory = try integer(limits, "memory")
        let tombstoneAge = try integer(root, "tombstone_age")
        let operations = try operations(try need(root, "operations"))
        let verify = try verify(try need(root, "verify"), copy: copy)
        let cutover = try cutover(try need(root, "cutover"))
        let tests = try RecipeTestBuilder.tests(root)
        var sourcePart: ClusterEndpoint?
        if let source { sourcePart = try endpoint(source) }
        return Recipe(
            file: file, typed: ShellWord.quoted(file), name: name, commands: commandPart, source: sourcePart,
            target: target, indices: indices,
            copy: copy, replay: replay, recordedMargin: margin, deadLetterTopic: deadLetters,
            limits: Recipe.Limits(memory: memory, inFlight: limits["in_flight"]?.integer.map { Int($0) }),
            tombstoneAge: Int64(tombstoneAge), operations: operations, verify: verify, cutover: cutover,
            tests: tests,
            accept: acceptances(root),
            shown: RecipeText.render(said, showing: .forPeople), meaning: RecipeText.render(said, showing: .forDigest))
    }

    private func entries(_ values: [RecipeValue]) throws(Gap) -> [Recipe.IndexEntry] {
        var entries: [Recipe.IndexEntry] = []
        for value in values { entries.append(try entry(value)) }
        return entries
    }

    private func acceptances(_ root: RecipeValue) -> [Recipe.Acceptance] {
        (root["accept"]?.items ?? []).compactMap { value in
            guard let rail = value["rail"]?.text, let why = value["why"] else { return nil }
            let shown = RecipeText.render(why, showing: .forPeople).string ?? ""
            let ids = value["ids"]?.items ?? []
            return Recipe.Acceptance(
                rail: rail, why: shown, ids: ids.compactMap(\.text),
                shownIDs: ids.map { RecipeText.render($0, showing: .forPeople).string ?? "" })
        }
    }

    // MARK: commands

    private func commandSource(_ root: RecipeValue) throws(Gap) -> Recipe.CommandSource {
        guard let commands = root["commands"] else { return try noCommands(root) }
        let properties = commands["kafka"]?.members.compactMap { member in
            member.value.text.map { text in
                (member.key, KafkaSettings.namesFile(member.key, text) ? files.resolve(text) : text)
            }
        }
        return Recipe.CommandSource(
            bootstrap: try text(commands, "bootstrap"), topic: try text(commands, "topic"),
            group: try text(commands, "group"), kafka: Dictionary(properties ?? []) { first, _ in first },
            format: try format(commands, root), applicationGroup: commands["application_group"]?.text)
    }

    /// Of a copied document, `select` and the version field count from its root, as in format `document`.
    private func noCommands(_ root: RecipeValue) throws(Gap) -> Recipe.CommandSource {
        var format = CommandFormat(shape: .document, selectors: try selectors(root))
        format.round = 1
        format.rules = RecipeCommandRules.rules(nil, root["indices"]?.items ?? [])
        return Recipe.CommandSource(
            isGiven: false, bootstrap: "", topic: "", group: "crossfade-\(try text(root, "name"))", kafka: [:],
            format: format, applicationGroup: nil)
    }

    private func selectors(_ root: RecipeValue) throws(Gap) -> [CommandFormat.Selector?] {
        try map(try need(root, "indices").items) { entry throws(Gap) -> CommandFormat.Selector? in
            guard let select = entry["select"] else { return nil }
            return CommandFormat.Selector(field: try path(select, "field"), equals: try text(select, "equals"))
        }
    }

    private func format(_ commands: RecipeValue, _ root: RecipeValue) throws(Gap) -> CommandFormat {
        let name = try text(commands, "format")
        let part = commands[name]
        let shape: CommandFormat.Shape
        var template: KeyTemplate?
        switch name {
        case "document":
            template = try keyTemplate(part?["id"], isStruct: false)
            shape = .document
        case "debezium":
            template = try keyTemplate(part?["id"]?.items.first, isStruct: true)
            shape = .debezium(id: template?.names ?? part?["id"]?.items.compactMap(\.text))
        default: shape = .envelope(try envelope(try need(commands, "envelope")))
        }
        let routing = part?["routing"]
        var format = CommandFormat(
            shape: shape, key: part?["key"]?.text.flatMap(KeyEncoding.init), routing: try optionalPath(routing, "path"),
            missingRoutingIsID: routing?["missing"]?.text == "id",
            version: try version(try need(commands, "version")), epoch: Int64(try integer(commands, "epoch")),
            selectors: try selectors(root))
        format.keyTemplate = template
        format.rules = RecipeCommandRules.rules(part, root["indices"]?.items ?? [])
        return format
    }

    private func keyTemplate(_ id: RecipeValue?, isStruct: Bool) throws(Gap) -> KeyTemplate? {
        guard let id, let text = id.text, text.contains("{") else { return nil }
        do {
            return try CommandIDTemplate(parsing: text).ofKey(isStruct: isStruct)
        } catch {
            throw Gap(mark: id.mark, key: "id")
        }
    }

    private func envelope(_ envelope: RecipeValue) throws(Gap) -> CommandFormat.Envelope {
        func names(_ key: String) -> [String] { envelope[key]?.items.compactMap(\.text) ?? [] }
        let id = try text(envelope, "id")
        let source: CommandFormat.IDSource
        if id == "key" {
            source = .key
        } else if id.hasPrefix("header:") {
            source = .header(String(id.dropFirst(7)))
        } else if id.contains("{") {
            do {
                source = .template(try CommandIDTemplate(parsing: id))
            } catch {
                throw Gap(mark: envelope.mark, key: "id")
            }
        } else {
            source = .field(try path(envelope, "id"))
        }
        return CommandFormat.Envelope(
            id: source, operation: try path(envelope, "operation"), index: names("index"), merge: names("merge"),
            delete: names("delete"), ignore: names("ignore"), document: try optionalPath(envelope, "document"))
    }

    private func version(_ value: RecipeValue) throws(Gap) -> CommandFormat.VersionSource {
        switch value.text {
        case "offset": return .offset
        case "timestamp": return .timestamp
        default:
            if let header = value["header"]?.text { return .header(header) }
            return .field(try path(value, "field"))
        }
    }

    // MARK: clusters, indices

    private func endpoint(_ cluster: RecipeValue) throws(Gap) -> ClusterEndpoint {
        var auth = ClusterEndpoint.Auth.none
        if let given = cluster["auth"] {
            if let key = given["api_key"]?.text {
                auth = .apiKey(Secret(key))
            } else {
                auth = .basic(user: try text(given, "user"), password: Secret(try text(given, "password")))
            }
        }
        return ClusterEndpoint(
            urls: try map(try need(cluster, "urls").items) { url throws(Gap) in
                guard let text = url.text else { throw Gap(mark: url.mark, key: "urls") }
                return text
            },
            auth: auth, caFile: cluster["ca_file"]?.text.map { files.resolve($0) },
            verifyTLS: cluster["verify_tls"]?.flag ?? true, proxy: cluster["proxy"]?.text,
            certificate: certificate(cluster))
    }

    private func certificate(_ cluster: RecipeValue) -> ClusterEndpoint.Certificate? {
        guard let file = cluster["client_certificate"]?.text, let key = cluster["client_key"]?.text else { return nil }
        return ClusterEndpoint.Certificate(
            file: files.resolve(file), key: files.resolve(key),
            keyPassword: cluster["client_key_password"]?.text.map { Secret($0) })
    }

    private func entry(_ entry: RecipeValue) throws(Gap) -> Recipe.IndexEntry {
        func json(_ key: String) -> String? {
            guard case .json(let value, _)? = entry[key]?.content else { return nil }
            return value.text()
        }
        let steps = try map(entry["transform"]?.items ?? []) { value throws(Gap) in
            guard let step = RecipeSteps.step(value) else { throw Gap(mark: value.mark, key: "transform") }
            return step
        }
        return Recipe.IndexEntry(
            from: entry["from"]?.text, to: try text(entry, "to"),
            aliases: entry["alias"]?.items.compactMap(\.text) ?? [], mapping: json("mapping"),
            settings: json("settings"), transform: steps, merge: entry["merge"]?.text.flatMap(MergeMode.init) ?? .deep,
            missing: entry["missing"]?.text.flatMap(MissingDocument.init) ?? .create,
            saysMissing: entry["missing"]?.given == true, id: entry["id"]?.text,
            filter: entry["filter"]?.text.flatMap(Recipe.AliasFilter.init),
            empty: entry["empty"]?.text.flatMap(Recipe.Verify.Empty.init) ?? .refuse)
    }

    // MARK: copy, replay

    private func copyOptions(_ root: RecipeValue) throws(Gap) -> Recipe.CopyOptions {
        let copy = try need(root, "copy")
        let deaths = try need(copy, "dead_letters")
        var options = Recipe.CopyOptions(
            slices: try integer(copy, "slices"), page: try integer(copy, "page"),
            deadLetters: CopyDeaths.Limit(share: try integer(deaths, "share"), count: try integer(deaths, "count")))
        if let since = copy["since"] {
            options.since = (try path(since, "field"), Int64(try integer(since, "margin")))
        }
        for rate in (copy["rate"]?.items ?? []).compactMap(\.text).compactMap(RecipeRate.init) {
            switch rate {
            case .documents(let count): options.documentsPerSecond = count
            case .bytes(let count): options.bytesPerSecond = count
            }
        }
        return options
    }

    private func operations(_ operations: RecipeValue) throws(Gap) -> Recipe.Operations {
        let listen = try need(operations, "listen")
        let address = try text(operations, "listen")
        return Recipe.Operations(
            listen: address == "off" ? nil : address, listenIsGiven: listen.given, statsd: operations["statsd"]?.text)
    }

    private func replayStart(_ from: RecipeValue) throws(Gap) -> Recipe.ReplayStart {
        switch from.text {
        case "beginning": return .beginning
        case "recorded": return .recorded
        default:
            if let time = from["timestamp"]?.integer { return .timestamp(time) }
            var offsets: [Int32: Int64] = [:]
            for member in try need(from, "offsets").members {
                guard let partition = Int32(member.key), let offset = member.value.integer else {
                    throw Gap(mark: member.mark, key: "offsets")
                }
                offsets[partition] = offset
            }
            return .offsets(offsets)
        }
    }

    // MARK: what must be there

    func need(_ value: RecipeValue, _ key: String) throws(Gap) -> RecipeValue {
        guard let member = value[key], !member.isWrong else { throw Gap(mark: value.mark, key: key) }
        return member
    }

    private func text(_ value: RecipeValue, _ key: String) throws(Gap) -> String {
        guard let text = value[key]?.text else { throw Gap(mark: value.mark, key: key) }
        return text
    }

    func integer(_ value: RecipeValue, _ key: String) throws(Gap) -> Int {
        guard let number = value[key]?.integer else { throw Gap(mark: value.mark, key: key) }
        return Int(number)
    }

    private func path(_ value: RecipeValue, _ key: String) throws(Gap) -> JSONPath {
        guard let path = RecipeSteps.path(value[key]) else { throw Gap(mark: value.mark, key: key) }
        return path
    }

    func optionalPath(_ value: RecipeValue?, _ key: String) throws(Gap) -> JSONPath? {
        guard let value, value[key] != nil else { return nil }
        return try path(value, key)
    }

    func map<T>(
        _ values: [RecipeValue], _ transform: (RecipeValue) throws(Gap) -> T
    ) throws(Gap) -> [T] {
        var results: [T] = []
        for value in values { results.append(try transform(value)) }
        return results
    }
}
