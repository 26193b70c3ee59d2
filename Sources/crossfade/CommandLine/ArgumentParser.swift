import Basics
import Migration
import Recipe

/// Parses command lines by the command declarations.
struct ArgumentParser {
    let commands: [CommandDeclaration]

    enum Request {
        case run(ParsedArguments)
        /// Help about the program, about a group of commands (`recipe`) or about one command.
        case help([String])
    }

    func parse(_ words: [String]) throws(UsageError) -> Request {
        if words.isEmpty { return .help([]) }
        guard let first = words.first, !["help", "--help", "-h"].contains(first) else {
            let path = words.dropFirst().filter { !$0.hasPrefix("-") }
            if path.isEmpty { return .help([]) }
            // Further words after a whole command, as in `crossfade help plan recipe.yaml`, are ignored.
            if let command = find(Array(path)) { return .help(command.path) }
            guard commands.contains(where: { $0.path.starts(with: path) }) else { throw unknown(Array(path)) }
            return .help(Array(path))
        }
        if first == "--version" { return try parse(["version"] + words.dropFirst()) }
        guard let command = find(words) else {
            if commands.contains(where: { $0.path.count > 1 && $0.path[0] == first }) {
                let second = words.dropFirst().first
                if second == nil || second == "--help" || second == "-h" || second == "help" { return .help([first]) }
            }
            throw unknown(words)
        }
        return try parse(Array(words.dropFirst(command.path.count)), of: command)
    }

    /// The command with the longest path that the words begin with.
    private func find(_ words: [String]) -> CommandDeclaration? {
        commands.filter { words.starts(with: $0.path) }.max { $0.path.count < $1.path.count }
    }

    private func parse(_ words: [String], of command: CommandDeclaration) throws(UsageError) -> Request {
        var parsed = ParsedArguments(command)
        var free: [String] = []
        var rest = words[...]
        while let word = rest.popFirst() {
            if word == "--" {
                free += rest
                break
            }
            guard word.hasPrefix("-"), word.count > 1 else {
                free.append(word)
                continue
            }
            let name: String
            var attached: String?
            if let equals = word.firstIndex(of: "=") {
                name = String(word[..<equals])
                attached = String(word[word.index(after: equals)...])
            } else {
                name = word
            }
            guard let option = option(name, of: command) else { throw unknownOption(name, of: command) }
            if option.name == "help" { return .help(command.path) }
            guard option.value != nil else {
                if attached != nil { throw UsageError(message: "--\(option.name) takes no value. \(seeHelp(command))") }
                parsed.set(flag: option.name)
                continue
            }
            guard let value = attached ?? rest.popFirst() else {
                throw UsageError(message: "--\(option.name) needs a value. \(seeHelp(command))")
            }
            if value.isEmpty {
                throw UsageError(message: "--\(option.name) is empty; is a variable of the shell not set?")
            }
            try refuse(value, "--\(option.name)", option.choices)
            parsed.set(option: option.name, value)
        }
        try place(free, into: &parsed)
        return .run(parsed)
    }

    private func option(_ word: String, of command: CommandDeclaration) -> CommandDeclaration.Option? {
        command.allOptions.first { "--\($0.name)" == word || $0.short.map { "-\($0)" } == word }
    }

    /// Refuses a value that is not among the choices of `name`.
    private func refuse(_ value: String, _ name: String, _ choices: [String]) throws(UsageError) {
        guard !choices.isEmpty, !choices.contains(value) else { return }
        let near = NearestWord.to(value, among: choices).map { " Did you mean \"\($0)\"?" } ?? ""
        let last = choices[choices.count - 1]
        let all = choices.count == 1 ? last : choices.dropLast().joined(separator: ", ") + " or " + last
        throw UsageError(message: "\(name) is \"\(value)\"; it must be \(all).\(near)")
    }

    private func place(_ free: [String], into parsed: inout ParsedArguments) throws(UsageError) {
        let command = parsed.command
        for (positional, word) in zip(command.positionals, free) {
            if word.isEmpty {
                throw UsageError(message: "\(positional.name) is empty; is a variable of the shell not set?")
            }
            try refuse(word, positional.name, positional.choices)
            parsed.set(positional: positional.name, word)
        }
        if free.count < command.positionals.count {
            let missing = command.positionals[free.count]
            guard !missing.required else {
                throw UsageError(
                    message: "crossfade \(command.name) needs \(missing.name). \(missing.doc) \(seeHelp(command))")
            }
        }
        if free.count > command.positionals.count {
            let surplus = free[command.positionals.count]
            throw UsageError(message: "\"\(surplus)\" is one argument too many. \(seeHelp(command))")
        }
    }

    // MARK: errors

    /// The message for words that begin no command: it names the nearest command, or says how to list all.
    private func unknown(_ words: [String]) -> UsageError {
        let listed = commands.filter { !$0.hidden }
        let first = words.first ?? ""
        if first.hasPrefix("-") {
            return UsageError(
                message: "\"\(first)\" comes before a command; options follow the command. See crossfade --help.")
        }
        let group = listed.filter { $0.path.count > 1 && $0.path[0] == first }
        if !group.isEmpty {
            let second = words.count > 1 ? words[1] : ""
            let names = group.map { $0.path[1] }
            if second.hasPrefix("-") {
                return UsageError(
                    message: "\"\(second)\" comes before the command; options follow it. crossfade \(first) has: "
                        + names.joined(separator: ", ") + ".")
            }
            let meant =
                NearestWord.to(second, among: names).map { "Did you mean \"crossfade \(first) \($0)\"?" }
                ?? "It has: \(names.joined(separator: ", "))."
            return UsageError(message: "crossfade \(first) has no command \"\(second)\". \(meant)")
        }
        if first.hasSuffix(".yaml") || first.hasSuffix(".yml") {
            return UsageError(
                message:
                    "\"\(first)\" is no command. If it is a recipe, the command comes first: crossfade plan \(first)")
        }
        let meant = nearest(first, among: listed).map { "Did you mean \"crossfade \($0)\"?" }
        return UsageError(message: "there is no command \"\(first)\". \(meant ?? "crossfade --help lists them all.")")
    }

    /// The command or group whose first word is nearest, or else the command whose last word is nearest.
    private func nearest(_ word: String, among listed: [CommandDeclaration]) -> String? {
        if let first = NearestWord.to(word, among: listed.map { $0.path[0] } + ["help"]) { return first }
        guard let last = NearestWord.to(word, among: listed.compactMap(\.path.last)) else { return nil }
        return listed.first { $0.path.last == last }?.name
    }

    private func unknownOption(_ word: String, of command: CommandDeclaration) -> UsageError {
        let known = command.allOptions.map { "--\($0.name)" }
        let near = NearestWord.to(word, among: known).map { "Did you mean \($0)?" } ?? seeHelp(command)
        return UsageError(message: "crossfade \(command.name) has no option \(word). \(near)")
    }

    private func seeHelp(_ command: CommandDeclaration) -> String { "See crossfade \(command.name) --help." }
}
