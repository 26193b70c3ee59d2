import Basics
import CommandLog
import Commands
import Indexing

/// What the schema's table cannot say: keys that contradict each other, and keys that would do nothing.
package struct RecipeRules {
    package let root: RecipeValue
    package let problems: RecipeProblems
    package let files: RecipeFiles

    private var commands: RecipeValue? { root["commands"] }
    private var entries: [RecipeValue] { root["indices"]?.items ?? [] }
    private var names: [String] { ["index", "merge", "delete", "ignore"] }

    /// Tells of all contradictions.
    package func check() {
        checkFeeds()
        checkFormat()
        checkCommandNames()
        checkGroups()
        checkKafka()
        checkCluster("source")
        checkCluster("target")
        checkSource()
        checkReplay()
        checkRate("copy")
        checkRate("verify")
        RecipeVersionRules(root: root, problems: problems).check()
        checkLimits()
        checkTombstones()
        checkSelection()
        checkTargets()
        RecipeCutoverRules(root: root, problems: problems).check(entries)
        checkSameIndex()
        checkAcceptances()
        RecipeEntryRules(problems: problems, hasMerges: hasMerges).check(entries)
        RecipeCommandRules(problems: problems).check(commands, entries)
        RecipeTestRules(problems: problems, targets: entries.compactMap { $0["to"]?.text })
            .check(root["tests"]?.items ?? [])
    }

    // MARK: commands

    /// Without commands only the copy feeds the target.
    private func checkFeeds() {
        guard root.member("commands") == nil else { return }
        guard root.member("source") != nil else {
            return problems.add(
                root.mark, "the recipe needs commands, or a source to copy from: nothing feeds the target")
        }
        for name in ["replay", "dead_letters"] {
            guard let member = root.member(name), member.value.given else { continue }
            problems.add(member.mark, "\(name) is about the command topic, and the recipe has no commands")
        }
        if let handover = root["cutover"]?.member("handover") {
            problems.add(
                handover.mark, "cutover.handover is a group of the command topic, and the recipe has no commands")
        }
        for entry in entries where !entry.isWrong && entry.member("from") == nil {
            problems.add(entry.mark, "this entry has no from, and without commands nothing feeds it")
        }
    }

    private func checkFormat() {
        guard let commands, let format = commands["format"]?.text else { return }
        for section in ["envelope", "document", "debezium"] where section != format {
            guard let member = commands.member(section) else { continue }
            problems.add(member.mark, "commands.\(section) is for format: \(section), and the format is \(format)")
        }
        if format == "envelope", commands.member("envelope") == nil, let mark = commands.member("format")?.mark {
            problems.add(mark, "format: envelope needs commands.envelope, which says where the parts are")
        }
        checkKey(commands)
    }

    /// `key` must say something.
    private func checkKey(_ commands: RecipeValue) {
        if let key = commands["envelope"]?.member("key"), let id = commands["envelope"]?["id"]?.text,
            id != "key", !id.hasPrefix("header:"), !id.contains("{key}"), !id.contains("{header:")
        {
            problems.add(
                key.mark, "key says how the record's key or header is written, and the id is not there but in \"\(id)\""
            )
        }
        if let document = commands["document"], let id = document.member("id"), let text = id.value.text,
            let template = try? CommandIDTemplate(parsing: text).ofKey(isStruct: false), !template.isWhole,
            document["key"]?.text != "json", document["key"]?.text != "confluent"
        {
            problems.add(id.mark, "id names fields of the key, so the key is a struct: say `key: json` (or confluent)")
        }
        if let ids = commands["debezium"]?["id"]?.items, ids.count > 1,
            let template = ids.first(where: { $0.text?.contains("{") == true })
        {
            problems.add(template.mark, "a template is the whole id: say it alone, without other fields beside it")
        }
        if let debezium = commands["debezium"], let key = debezium.member("key"), let text = key.value.text,
            text != "json", debezium.member("id") != nil
        {
            problems.add(key.mark, "id names fields of the key, and a key of the kind \(text) has none")
        }
    }

    private var hasMerges: Bool { commands?["envelope"]?["merge"].map { !$0.items.isEmpty || $0.isWrong } ?? false }

    private func checkCommandNames() {
        guard let envelope = commands?["envelope"], !envelope.isWrong else { return }
        var homes: [String: String] = [:]
        for list in names {
            for name in envelope[list]?.items ?? [] {
                guard let text = name.text else { continue }
                if let home = homes[text] {
                    let where_ =
                        home == list ? "twice in envelope.\(list)" : "in envelope.\(home) and in envelope.\(list)"
                    problems.add(name.mark, "the command \(name.quoted) is \(where_)")
                } else {
                    homes[text] = list
                }
            }
        }
        let writing = ["index", "merge", "delete"].compactMap { envelope[$0] }
        if writing.allSatisfy({ $0.items.isEmpty && !$0.isWrong }), let mark = commands?.member("envelope")?.mark {
            problems.add(mark, "commands.envelope names no command that writes: fill index, merge or delete")
        }
    }

    private func checkGroups() {
        guard let commands else { return }
        let group = commands["group"]?.text ?? root["name"]?.text.map { "crossfade-\($0)" }
        if let application = commands["application_group"], let text = application.text, text == group {
            problems.add(
                application.mark,
                "application_group is Crossfade's own group; it would take partitions away from the application")
        }
        if let handover = root["cutover"]?["handover"], let text = handover.text, text == group {
            problems.add(handover.mark, "cutover.handover is Crossfade's own group; name that of your new indexer")
        }
        if let handover = root["cutover"]?["handover"], let text = handover.text,
            text == commands["application_group"]?.text
        {
            problems.add(
                handover.mark,
                "cutover.handover is the group of the old indexer (commands.application_group): finish would set its "
                    + "offsets to ours; name that of your new indexer")
        }
        if let dead = root["dead_letters"]?["topic"], let text = dead.text, text == commands["topic"]?.text {
            problems.add(dead.mark, "dead_letters.topic is the command topic itself")
        }
        if let topic = commands["topic"], let text = topic.text, text.utf8.count > 244,
            root["dead_letters"]?["topic"] == nil
        {
            problems.add(topic.mark, "the topic's name leaves no room for \"-dead\"; name dead_letters.topic")
        }
    }

    private func checkKafka() {
        guard let kafka = commands?["kafka"] else { return }
        let properties = kafka.members.compactMap { member in member.value.text.map { (member.key, $0) } }
        let settings = KafkaSettings(
            bootstrap: "", group: "", passthrough: Dictionary(properties) { first, _ in first })
        let executing = commands?["allow_exec"]?.flag == true ? [:] : settings.executing
        for fault in settings.validate() {
            guard let member = kafka.member(fault.key) else { continue }
            guard executing[fault.key] == nil else { continue }
            let isOwned = KafkaSettings.owned.contains(fault.key)
            if !isOwned, !KafkaSettings.propertyNames.contains(fault.key) {
                problems.add(
                    member.mark, "librdkafka \(KafkaSettings.version) knows no property \"\(fault.key)\"",
                    suggestion: NearestWord.to(fault.key, among: KafkaSettings.propertyNames))
            } else if isOwned || member.value.display == .open {
                problems.add(member.mark, fault.message)
            } else {
                // The library's words may repeat the value.
                problems.add(member.mark, "\(fault.key) cannot have the value of \(member.value.quoted)")
            }
        }
        for (key, does) in executing.sorted(by: { $0.key < $1.key }) {
            guard let member = kafka.member(key) else { continue }
            problems.add(member.mark, "\(key) \(does); if that is meant, say commands.allow_exec: true")
        }
        if let member = kafka.member("isolation.level"), let text = member.value.text, text != "read_committed" {
            problems.add(
                member.mark,
                "isolation.level can only be read_committed: records of transactions that were aborted are no commands")
        }
        for member in kafka.members {
            guard let path = member.value.text, KafkaSettings.namesFile(member.key, path), executing[member.key] == nil,
                let fault = files.fault(path)
            else { continue }
            problems.add(member.value.mark, "\(member.key): the file \(member.value.quoted) \(fault.reason)")
        }
        checkKafkaMemory(kafka)
    }

    /// Properties that say how much librdkafka may hold, with the bytes of their unit. What they take is taken from
    /// what `limits.memory` promises.
    private static let memoryProperties = [
        "queued.max.messages.kbytes": 1024, "fetch.max.bytes": 1, "fetch.message.max.bytes": 1,
        "max.partition.fetch.bytes": 1,
    ]

    private func checkKafkaMemory(_ kafka: RecipeValue) {
        let most = MemoryBudget(limit: Int(root["limits"]?["memory"]?.integer ?? 256 << 20)).ownProperty
        for (name, unit) in Self.memoryProperties.sorted(by: { $0.key < $1.key }) {
            guard let member = kafka.member(name), let value = member.value.text.flatMap({ Int($0) }),
                value.multipliedReportingOverflow(by: unit).overflow || value * unit > most
            else { continue }
            problems.add(
                member.mark,
                "\(name) lets librdkafka hold more than a quarter of limits.memory: at most \(most / unit) goes with it"
            )
        }
    }

    // MARK: clusters

    private func checkCluster(_ name: String) {
        guard let cluster = root[name], !cluster.isWrong, let mark = root.member(name)?.mark else { return }
        switch (cluster.member("url"), cluster.member("urls")) {
        case (nil, nil): problems.add(mark, "\(name) needs url")
        case (.some, .some(let second)): problems.add(second.mark, "\(name) has url and urls, which are the same key")
        default: break
        }
        checkCertificates(name, cluster)
        guard let auth = cluster["auth"], !auth.isWrong, let place = cluster.member("auth")?.mark else { return }
        switch (auth.member("user"), auth.member("password"), auth.member("api_key")) {
        case (nil, nil, nil): problems.add(place, "\(name).auth needs user and password, or api_key")
        case (nil, nil, .some): break
        case (_, _, .some(let key)):
            problems.add(key.mark, "\(name).auth has an api_key and a user; it takes one of them")
        case (.some, nil, nil): problems.add(place, "\(name).auth needs password")
        case (nil, .some, nil): problems.add(place, "\(name).auth needs user")
        case (.some, .some, nil): break
        }
    }

    private func checkCertificates(_ name: String, _ cluster: RecipeValue) {
        let urls = Self.urls(cluster)
        for key in ["ca_file", "client_certificate", "client_key"] {
            guard let file = cluster.member(key) else { continue }
            if !urls.isEmpty, urls.allSatisfy({ $0.hasPrefix("http://") }) {
                problems.add(file.mark, "\(name).\(key) does nothing: no URL is https")
            } else if key == "ca_file", cluster["verify_tls"]?.flag == false {
                problems.add(file.mark, "\(name).ca_file does nothing: verify_tls is false")
            }
            guard let path = file.value.text else { continue }
            do {
                _ = try files.read(path, limit: 16 << 20)
            } catch {
                problems.add(file.value.mark, "\(name).\(key): the file \(file.value.quoted) \(error.reason)")
            }
        }
        switch (cluster.member("client_certificate"), cluster.member("client_key")) {
        case (.some(let one), nil): problems.add(one.mark, "\(name).client_certificate needs client_key")
        case (nil, .some(let one)): problems.add(one.mark, "\(name).client_key needs client_certificate")
        default: break
        }
        if let password = cluster.member("client_key_password"), cluster.member("client_key") == nil {
            problems.add(password.mark, "\(name).client_key_password does nothing without client_key")
        }
    }

    package static func urls(_ cluster: RecipeValue?) -> [String] {
        (cluster?["url"] ?? cluster?["urls"])?.items.compactMap(\.text) ?? []
    }

    private func checkSource() {
        if let source = root.member("source") {
            if !source.value.isWrong, !entries.isEmpty,
                entries.allSatisfy({ !$0.isWrong && $0.member("from") == nil })
            {
                problems.add(source.mark, "source is never read: no entry of indices has from")
            }
            return
        }
        for entry in entries {
            if let from = entry.member("from") {
                problems.add(from.mark, "from needs a source, and the recipe has none")
            }
        }
        if let copy = root.member("copy"), copy.value.given {
            problems.add(copy.mark, "copy needs a source, and the recipe has none")
        }
    }

    // MARK: replay, limits

    private func checkReplay() {
        guard let from = root["replay"]?["from"], from.text == "recorded" else { return }
        if commands?.member("application_group") == nil {
            problems.add(from.mark, "replay.from is recorded, which needs commands.application_group")
        }
        if root.member("source") == nil {
            problems.add(
                from.mark, "replay.from is recorded, which is where the copy began; without a source there is no copy")
        }
    }

    private func checkRate(_ section: String) {
        guard let rates = root[section]?["rate"]?.items else { return }
        var seen: Set<Bool> = []
        for rate in rates {
            guard let text = rate.text, let read = RecipeRate(text) else { continue }
            var isBytes = false
            if case .bytes = read { isBytes = true }
            if !seen.insert(isBytes).inserted {
                problems.add(rate.mark, "\(section).rate bounds \(isBytes ? "bytes" : "documents") twice")
            }
        }
    }

    private func checkLimits() {
        guard let memory = root["limits"]?["memory"], let bytes = memory.integer, bytes < 32 << 20 else { return }
        problems.add(memory.mark, "limits.memory is less than the 32MiB that the work needs")
    }

    private func checkTombstones() {
        guard let age = root["tombstone_age"], let milliseconds = age.integer, milliseconds < 1000 else { return }
        problems.add(age.mark, "tombstone_age is less than a second, and any write may be later than that")
    }

    // MARK: indices among each other

    private func checkSelection() {
        var seen: [String: SourceMark] = [:]
        for (place, entry) in entries.enumerated() where !entry.isWrong {
            guard let select = entry["select"] else {
                // Of copied documents, `from` says where they belong.
                if place + 1 < entries.count, commands != nil {
                    problems.add(
                        entry.mark,
                        "this entry has no select and takes every command, so that the entries after it get none; "
                            + "only the last may be without")
                }
                continue
            }
            guard let field = select["field"]?.text, let equals = select["equals"]?.text else { continue }
            if let first = seen["\(field)\u{0}\(equals)"] {
                problems.add(select.mark, "this select is that of the entry in line \(first.line)")
            } else {
                seen["\(field)\u{0}\(equals)"] = select.mark
            }
        }
    }

    private func checkTargets() {
        var seen: [String: SourceMark] = [:]
        for entry in entries {
            guard let to = entry["to"], let text = to.text else { continue }
            if let first = seen[text] {
                problems.add(to.mark, "to is \(to.quoted) as in line \(first.line); each entry has an index of its own")
            } else {
                seen[text] = to.mark
            }
        }
        for alias in entries.flatMap({ $0["alias"]?.items ?? [] }) {
            guard let text = alias.text, let index = seen[text] else { continue }
            problems.add(alias.mark, "the alias \(alias.quoted) is the index of line \(index.line)")
        }
    }

    private func checkSameIndex() {
        let source = Set(Self.urls(root["source"]))
        guard !source.isDisjoint(with: Self.urls(root["target"])) else { return }
        for entry in entries {
            guard let from = entry["from"]?.text, let to = entry["to"], let text = to.text else { continue }
            let parts = from.split(separator: ",").map(String.init)
            if parts.contains(where: { $0 == text }) {
                problems.add(to.mark, "from and to are the same index of the same cluster")
            } else if parts.contains(where: { Self.matches(text.replacingFirst("{index}", with: "*"), pattern: $0) }) {
                problems.add(to.mark, "to is among what from matches, and both are on the same cluster")
            }
        }
    }

    /// Whether a pattern of `*` matches; linear in the name but for what stars repeat.
    package static func matches(_ name: String, pattern: String) -> Bool {
        let text = Array(name.utf8)
        let pattern = Array(pattern.utf8)
        var at = 0
        var next = 0
        var star: (pattern: Int, text: Int)?
        while at < text.count {
            if next < pattern.count, pattern[next] == UInt8(ascii: "*") {
                star = (next, at)
                next += 1
            } else if next < pattern.count, pattern[next] == text[at] {
                at += 1
                next += 1
            } else if let last = star {
                star = (last.pattern, last.text + 1)
                next = last.pattern + 1
                at = last.text + 1
            } else {
                return false
            }
        }
        return pattern[next...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
