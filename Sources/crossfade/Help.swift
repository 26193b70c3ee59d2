/// The texts of `--help`, made from the declarations.
struct Help {
    let commands: [CommandDeclaration]

    /// About the program, about the commands that begin with `path`, or about the one command it names.
    func text(about path: [String]) -> String {
        if let command = commands.first(where: { $0.path == path }) { return about(command) }
        let shown = commands.filter { $0.path.starts(with: path) && !$0.hidden }
        var lines = path.isEmpty ? ["Crossfade moves a live search index to a new cluster without a gap.", ""] : []
        lines += ["Usage: crossfade \((path + ["COMMAND"]).joined(separator: " ")) ...", "", "Commands:"]
        lines += Self.table(shown.map { (usage($0), $0.summary) })
        if path.isEmpty {
            lines += ["", "Options of every command:"]
            lines += Self.table(CommandDeclaration.common.map { (Self.usage($0), Self.doc($0)) })
            lines += [
                "",
                "Exit codes: 0 done, 1 failed, 2 command line or recipe, 3 a rail or gate refused, 4 parity differs,",
                "130 interrupted with everything acknowledged kept.", "",
                "crossfade help COMMAND says more about one.",
            ]
        }
        return lines.joined(separator: "\n")
    }

    private func about(_ command: CommandDeclaration) -> String {
        var lines = ["Usage: crossfade \(usage(command)) [OPTIONS]", "", command.summary + "."]
        if !command.discussion.isEmpty { lines += ["", command.discussion] }
        if !command.positionals.isEmpty {
            lines += ["", "Arguments:"] + Self.table(command.positionals.map { ($0.name, $0.doc) })
        }
        lines += ["", "Options:"] + Self.table(command.allOptions.map { (Self.usage($0), Self.doc($0)) })
        return lines.joined(separator: "\n")
    }

    private func usage(_ command: CommandDeclaration) -> String {
        let positionals = command.positionals.map { $0.required ? $0.name : "[\($0.name)]" }
        return (command.path + positionals).joined(separator: " ")
    }

    private static func usage(_ option: CommandDeclaration.Option) -> String {
        let short = option.short.map { "-\($0), " } ?? ""
        let value = option.choices.isEmpty ? option.value : option.choices.joined(separator: "|")
        return "\(short)--\(option.name)" + (value.map { " \($0)" } ?? "")
    }

    private static func doc(_ option: CommandDeclaration.Option) -> String {
        option.doc + (option.standard.map { " Default: \($0)." } ?? "")
    }

    private static func table(_ rows: [(String, String)]) -> [String] {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { "  " + $0.0 + String(repeating: " ", count: width - $0.0.count + 2) + $0.1 }
    }
}
