/// The texts of `--help`, made from the command declarations.
struct Help {
    let commands: [CommandDeclaration]
    let layout: TextLayout

    static let purpose =
        "Crossfade moves a live search index to a new cluster while readers keep reading and writers keep writing."
    static let course = """
        A migration goes through plan, init, copy, replay and follow, in this order. Every command may be interrupted \
        and run again; status says where the migration stands and what to type next.
        """

    init(commands: [CommandDeclaration], layout: TextLayout = TextLayout(width: TextLayout.usual)) {
        (self.commands, self.layout) = (commands, layout)
    }

    /// The text about the program, about the commands that begin with `path`, or about the command that `path` names.
    func text(about path: [String]) -> String {
        if let command = commands.first(where: { $0.path == path }) { return about(command) }
        let shown = commands.filter { $0.path.starts(with: path) && !$0.hidden }
        var lines: [String] = []
        if path.isEmpty {
            lines += layout.paragraph(Self.purpose) + [""] + usage(of: path) + [""]
            lines += layout.paragraph(Self.course) + [""]
        } else {
            lines += usage(of: path) + [""]
        }
        lines += ["Commands:"] + layout.table(shown.map { (Self.usage($0), $0.summary) })
        if path.isEmpty {
            lines += ["", "Options of every command:"] + options(CommandDeclaration.common)
            lines += ["", "Exit codes:"] + layout.table(ExitCode.allCases.map { ("\($0.rawValue)", $0.meaning) })
        }
        let example = (["crossfade"] + path + ["COMMAND"]).joined(separator: " ")
        lines += [""] + layout.paragraph("\(example) --help says more about one command.")
        return lines.joined(separator: "\n")
    }

    private func usage(of path: [String]) -> [String] {
        let words = ["Usage: crossfade"] + path + ["COMMAND [ARGUMENTS] [OPTIONS]"]
        return layout.paragraph(words.joined(separator: " "), hanging: 4)
    }

    private func about(_ command: CommandDeclaration) -> String {
        var lines = layout.paragraph("Usage: crossfade \(Self.usage(command)) [OPTIONS]", hanging: 4)
        lines += [""] + layout.paragraph(command.summary + ".")
        if !command.discussion.isEmpty { lines += [""] + layout.text(command.discussion) }
        if !command.positionals.isEmpty {
            lines += ["", "Arguments:"] + layout.table(command.positionals.map { ($0.name, $0.doc) })
        }
        if !command.ownOptions.isEmpty { lines += ["", "Options:"] + options(command.ownOptions) }
        lines += ["", "Options of every command:"] + options(CommandDeclaration.common)
        return lines.joined(separator: "\n")
    }

    private func options(_ options: [CommandDeclaration.Option]) -> [String] {
        layout.table(options.map { (Self.usage($0), Self.doc($0)) })
    }

    /// For example `recipe check RECIPE`.
    static func usage(_ command: CommandDeclaration) -> String {
        let positionals = command.positionals.map { $0.required ? $0.name : "[\($0.name)]" }
        return (command.path + positionals).joined(separator: " ")
    }

    /// For example `-v, --verbose`.
    static func usage(_ option: CommandDeclaration.Option) -> String {
        let short = option.short.map { "-\($0), " } ?? ""
        let value = option.choices.isEmpty ? option.value : option.choices.joined(separator: "|")
        return "\(short)--\(option.name)" + (value.map { " \($0)" } ?? "")
    }

    static func doc(_ option: CommandDeclaration.Option) -> String {
        option.doc + (option.standard.map { " Default: \($0)." } ?? "")
    }
}
