import CommandLog
import Basics
import JSONText
import Telemetry

/// Holds a YAML tree against the schema's table: finds all that is unknown, missing or of the wrong type, writes short
/// forms out and fills in defaults. What is wrong is left out of the answer.
package final class RecipeChecker {
    private let problems: RecipeProblems
    private let files: RecipeFiles

    package init(problems: RecipeProblems, files: RecipeFiles) {
        (self.problems, self.files) = (problems, files)
    }

    /// The value as the schema means it; nil when it is wrong. `name` is the key's full name, for messages.
    package func check(_ node: YAMLNode, _ type: RecipeType, name: String, secret: Bool = false) -> RecipeValue? {
        // What could not be substituted has been told of.
        if case .scalar(let scalar) = node.content, scalar.isBroken { return nil }
        return switch type {
        case .scalar(let scalar): single(node, type, name, secret) { self.read($0, scalar, name: name) }
        case .choice(let words): single(node, type, name, secret) { self.choose($0, words, name: name) }
        case .integer(let range): single(node, type, name, secret) { self.integer($0, range, type, name: name) }
        case .flag: single(node, type, name, secret) { self.flag($0, name: name) }
        case .list(let item, let orOne, let allowsEmpty):
            list(node, item, orOne: orOne, allowsEmpty: allowsEmpty, name: name)
        case .section(let section): self.section(node, section, name: name)
        case .words(let words, let other): self.words(node, words, or: other, name: name)
        case .properties: properties(node, name: name)
        case .offsets: offsets(node, name: name)
        case .jsonObject: jsonObject(node, name: name)
        case .json:
            RecipeValue(
                content: .json(Self.json(node, shown: false), shown: Self.json(node, shown: true)), mark: node.mark)
        }
    }

    // MARK: Single values

    /// A scalar before it has a type, with how it may be shown.
    private struct Single {
        package var scalar: YAMLScalar
        package var mark: SourceMark
        package var display: RecipeValue.Display
        /// For messages.
        package var quoted: String { RecipeValue(content: .text(scalar.text), mark: mark, display: display).quoted }
        /// A substitution in quotes can be a number or a flag: inside braces it cannot be written without them.
        package var isPlain: Bool { scalar.plain || scalar.reference != nil }
    }

    private func single(
        _ node: YAMLNode, _ type: RecipeType, _ name: String, _ secret: Bool,
        _ read: (Single) -> RecipeValue.Content?
    ) -> RecipeValue? {
        guard case .scalar(let scalar) = node.content, !scalar.isNull else {
            problems.add(node.mark, "\(name) is \(node.kindName); it must be \(type.expected)")
            return nil
        }
        if scalar.text.isEmpty, let reference = scalar.reference, !type.takesEmpty {
            problems.add(
                node.mark, "\(name) is empty, because \(reference) is: give the variable, or the file, a value")
            return nil
        }
        let display: RecipeValue.Display = secret ? .secret : scalar.reference.map { .reference($0) } ?? .open
        guard let content = read(Single(scalar: scalar, mark: node.mark, display: display)) else { return nil }
        return RecipeValue(content: content, mark: node.mark, display: display)
    }

    private func read(_ single: Single, _ scalar: Scalar, name: String) -> RecipeValue.Content? {
        switch scalar.read(single.scalar.text) {
        case .good(let content): return content
        case .bad(let why):
            // What a scalar finds wrong may repeat a part of the value.
            let reason = single.display == .open ? why : "is not \(scalar.expected)"
            problems.add(single.mark, "\(name) \(Self.shownURL(single, scalar)) \(reason)")
            return nil
        case .unknown(let words): return choose(single, words, name: name)
        }
    }

    /// A URL with a user in it is not repeated: its password would be.
    private static func shownURL(_ single: Single, _ scalar: Scalar) -> String {
        scalar.name == Scalar.url.name && single.scalar.text.contains("@") ? Redactor.mark : single.quoted
    }

    private func choose(_ single: Single, _ words: [String], name: String) -> RecipeValue.Content? {
        if words.contains(single.scalar.text) { return .text(single.scalar.text) }
        problems.add(
            single.mark, "\(name) is \(single.quoted); it must be \(RecipeType.either(words))",
            suggestion: single.display == .open ? NearestWord.to(single.scalar.text, among: words) : nil)
        return nil
    }

    private func integer(
        _ single: Single, _ range: ClosedRange<Int64>, _ type: RecipeType, name: String
    ) -> RecipeValue.Content? {
        let digits = single.scalar.text
        if single.isPlain, digits.utf8.allSatisfy({ (48...57).contains($0) || $0 == 45 }), let number = Int64(digits),
            range.contains(number)
        {
            return .integer(number)
        }
        problems.add(single.mark, "\(name) is \(single.quoted); it must be \(type.expected)")
        return nil
    }

    private func flag(_ single: Single, name: String) -> RecipeValue.Content? {
        var scalar = single.scalar
        scalar.plain = single.isPlain
        if let flag = scalar.flag { return .flag(flag) }
        let meant = ["yes": "true", "on": "true", "no": "false", "off": "false"][scalar.text.lowercased()]
        problems.add(single.mark, "\(name) is \(single.quoted); it must be true or false", suggestion: meant)
        return nil
    }

    private func words(_ node: YAMLNode, _ words: [String], or other: RecipeType, name: String) -> RecipeValue? {
        guard case .scalar(let scalar) = node.content, !scalar.isNull else {
            return check(node, other, name: name)
        }
        let display: RecipeValue.Display = scalar.reference.map { .reference($0) } ?? .open
        if words.contains(scalar.text) {
            return RecipeValue(content: .text(scalar.text), mark: node.mark, display: display)
        }
        let near = display == .open ? NearestWord.to(scalar.text, among: words) : nil
        switch other {
        case .integer where Int64(scalar.text) != nil: return check(node, other, name: name)
        case .section, .integer: break
        default: if near == nil { return check(node, other, name: name) }
        }
        let single = Single(scalar: scalar, mark: node.mark, display: display)
        let expected = RecipeType.words(words, or: other).expected
        problems.add(node.mark, "\(name) is \(single.quoted); it must be \(expected)", suggestion: near)
        return nil
    }

    // MARK: Lists and sections

    private func list(
        _ node: YAMLNode, _ item: RecipeType, orOne: Bool, allowsEmpty: Bool, name: String
    ) -> RecipeValue? {
        let nodes: [YAMLNode]
        switch node.content {
        case .sequence(let items): nodes = items
        case .scalar(let scalar) where orOne && !scalar.isNull: nodes = [node]
        default:
            let expected = RecipeType.list(item, orOne: orOne, allowsEmpty: allowsEmpty).expected
            problems.add(node.mark, "\(name) is \(node.kindName); it must be \(expected)")
            return nil
        }
        if nodes.isEmpty, !allowsEmpty { problems.add(node.mark, "\(name) is an empty list") }
        let values = nodes.map { check($0, item, name: name) ?? RecipeValue(content: .wrong, mark: $0.mark) }
        return RecipeValue(content: .list(values), mark: node.mark)
    }

    private func section(_ node: YAMLNode, _ section: RecipeSection, name: String) -> RecipeValue? {
        let pairs: [YAMLPair]
        switch node.content {
        case .mapping(let all): pairs = all
        case .scalar(let scalar) where scalar.isNull && section.keys.allSatisfy { !$0.required } && !section.exactlyOne:
            pairs = []
        case .scalar(let scalar) where scalar.isNull || section.shorthand == nil:
            problems.add(
                node.mark, "\(name) is \(node.kindName); it must be \(RecipeType.section(section).expected)",
                suggestion: nearKey(scalar, section))
            return nil
        case .sequence where section.shorthand == nil:
            problems.add(node.mark, "\(name) is a list; it must be \(RecipeType.section(section).expected)")
            return nil
        case .scalar, .sequence:
            pairs = [YAMLPair(key: section.shorthand ?? "", mark: node.mark, value: node)]
        }
        let meant = refuseUnknown(pairs, section)
        var members: [RecipeMember] = []
        for key in section.keys {
            let full = section.exactlyOne || name == RecipeSchema.root.title ? key.name : "\(name).\(key.name)"
            if let pair = pairs.first(where: { $0.key == key.name }), !saysNothing(pair, key) {
                let value = check(pair.value, key.type, name: full, secret: key.secret)
                let wrong = RecipeValue(content: .wrong, mark: pair.value.mark)
                members.append(RecipeMember(key: key.name, mark: pair.mark, value: value ?? wrong))
            } else if let standard = standard(key, at: node.mark) {
                members.append(RecipeMember(key: key.name, mark: node.mark, value: standard))
            } else if key.required, !meant.contains(key.name) {
                problems.add(node.mark, "\(section.title) needs \(key.name)")
            }
        }
        if section.exactlyOne, meant.isEmpty { demandOne(pairs, section, at: node.mark) }
        return RecipeValue(content: .section(members), mark: node.mark)
    }

    /// `tags` where `keyToValue: tags` was meant.
    private func nearKey(_ scalar: YAMLScalar, _ section: RecipeSection) -> String? {
        scalar.reference == nil ? NearestWord.to(scalar.text, among: section.keys.map(\.name)) : nil
    }

    /// A key with nothing after it is as good as no key, unless it is needed or takes null.
    private func saysNothing(_ pair: YAMLPair, _ key: RecipeKey) -> Bool {
        guard case .scalar(let scalar) = pair.value.content, scalar.isNull, !key.required else { return false }
        if case .json = key.type { return false }
        return true
    }

    /// Tells of keys that the section does not know; returns the keys that were probably meant.
    private func refuseUnknown(_ pairs: [YAMLPair], _ section: RecipeSection) -> Set<String> {
        var meant: Set<String> = []
        let given = Set(pairs.map(\.key))
        for pair in pairs where section.key(pair.key) == nil {
            let near =
                NearestWord.to(pair.key, among: section.keys.map(\.name).filter { !given.contains($0) })
                ?? NearestWord.to(pair.key, among: section.keys.map(\.name))
            if let near { meant.insert(near) }
            var message = "unknown key \"\(pair.key)\" in \(section.title)"
            if near == nil {
                if let home = RecipeSchema.home(of: pair.key) { message += "; it belongs in \(home)" }
                message += "; known are \(section.keys.map(\.name).joined(separator: ", "))"
            }
            problems.add(pair.mark, message, suggestion: near)
        }
        return meant
    }

    private func demandOne(_ pairs: [YAMLPair], _ section: RecipeSection, at mark: SourceMark) {
        let known = pairs.filter { section.key($0.key) != nil }
        let names = RecipeType.either(section.keys.map(\.name), quote: false)
        if let second = known.dropFirst().first {
            problems.add(second.mark, "\(section.title) has exactly one key, and \"\(known[0].key)\" is already there")
        } else if known.isEmpty, pairs.isEmpty {
            problems.add(mark, "\(section.title) needs \(names)")
        }
    }

    /// What stands where the recipe says nothing.
    private func standard(_ key: RecipeKey, at mark: SourceMark) -> RecipeValue? {
        let node: YAMLNode
        if let text = key.standard {
            guard let root = try? YAMLLoader.load(Array(text.utf8)).root else { return nil }
            node = YAMLNode(root.content, mark: mark)
        } else if case .section(let section) = key.type, section.hasStandard {
            node = YAMLNode(.mapping([]), mark: mark)
        } else {
            return nil
        }
        var value = check(node, key.type, name: key.name)
        value?.given = false
        return value
    }
}

extension RecipeSection {
    /// Whether it can stand with nothing in it and then says something.
    package var hasStandard: Bool {
        !exactlyOne && keys.allSatisfy { !$0.required } && keys.contains { $0.standard != nil }
            && !keys.contains { $0.name == "auth" }
    }
}

// MARK: - Free-form values

extension RecipeChecker {
    private func properties(_ node: YAMLNode, name: String) -> RecipeValue? {
        guard case .mapping(let pairs) = node.content else {
            problems.add(node.mark, "\(name) is \(node.kindName); it must be \(RecipeType.properties.expected)")
            return nil
        }
        let members = pairs.sorted { $0.key < $1.key }.compactMap { pair -> RecipeMember? in
            let secret = SecretProperties.contains(pair.key)
            // A literal may be empty on purpose, a secret that comes from somewhere was forgotten.
            let type = RecipeType.scalar(secret && pair.value.isSubstituted ? .nonEmpty : .text)
            let value = check(pair.value, type, name: "\(name).\(pair.key)", secret: secret)
            return value.map { RecipeMember(key: pair.key, mark: pair.mark, value: $0) }
        }
        return RecipeValue(content: .section(members), mark: node.mark)
    }

    private func offsets(_ node: YAMLNode, name: String) -> RecipeValue? {
        guard case .mapping(let pairs) = node.content, !pairs.isEmpty else {
            problems.add(node.mark, "\(name) is \(node.kindName); it must be \(RecipeType.offsets.expected)")
            return nil
        }
        var members: [(partition: Int32, member: RecipeMember)] = []
        for pair in pairs {
            guard let partition = Int32(pair.key), partition >= 0, String(partition) == pair.key else {
                problems.add(pair.mark, "\(name) \"\(pair.key)\" is not a partition: a number from 0 on")
                continue
            }
            guard let offset = check(pair.value, .integer(0...Int64.max), name: "\(name).\(partition)") else {
                continue
            }
            members.append((partition, RecipeMember(key: pair.key, mark: pair.mark, value: offset)))
        }
        let sorted = members.sorted { $0.partition < $1.partition }.map(\.member)
        return RecipeValue(content: .section(sorted), mark: node.mark)
    }

    private func jsonObject(_ node: YAMLNode, name: String) -> RecipeValue? {
        switch node.content {
        case .mapping:
            return check(node, .json, name: name)
        case .scalar(let scalar) where !scalar.isNull:
            let shown = scalar.reference ?? scalar.text
            do {
                let bytes = RecipeFiles.withoutMark(try files.read(scalar.text, limit: RecipeFiles.maxJSON))
                let value = try bytes.withUnsafeBufferPointer { try JSONValue(parsing: $0) }
                guard value.object != nil else {
                    problems.add(node.mark, "\(name): \(shown):1:1: the file holds no JSON object")
                    return nil
                }
                return RecipeValue(content: .json(value, shown: value), mark: node.mark)
            } catch let fault as FileFault {
                problems.add(node.mark, "\(name): the file \(shown) \(fault.reason)")
            } catch let fault as JSONError {
                let text = RecipeFiles.withoutMark(
                    (try? files.read(scalar.text, limit: RecipeFiles.maxJSON)) ?? [])
                let place = SourceMark(offset: fault.offset, in: text)
                problems.add(
                    node.mark, "\(name): \(shown):\(place.line):\(place.column): not JSON: \(fault.kind)")
            } catch {
                problems.add(node.mark, "\(name): the file \(shown) cannot be read")
            }
            return nil
        default:
            problems.add(node.mark, "\(name) is \(node.kindName); it must be \(RecipeType.jsonObject.expected)")
            return nil
        }
    }

    /// The node as JSON, with or without what substitutions brought.
    package static func json(_ node: YAMLNode, shown: Bool) -> JSONValue {
        switch node.content {
        case .sequence(let items): return .array(items.map { json($0, shown: shown) })
        case .mapping(let pairs): return .object(JSONObject(pairs.map { ($0.key, json($0.value, shown: shown)) }))
        case .scalar(let scalar):
            if shown, let reference = scalar.reference { return .string(reference) }
            if scalar.isNull { return .null }
            if let flag = scalar.flag { return .bool(flag) }
            return scalar.isNumber ? .number(scalar.text) : .string(scalar.text)
        }
    }
}
