import DeadLetters
import Failures
import Migration
import Pipeline

/// The manual page crossfade(1), made from the command declarations. It is roff text that uses the man(7) macros.
struct ManualPage {
    let commands: [CommandDeclaration]

    var text: String {
        var lines = [
            "." + #"\""# + " Made by `crossfade man`.",
            ".TH CROSSFADE 1 \"\(VersionCommand.released)\" \"crossfade \(VersionCommand.crossfade)\" "
                + "\"User Commands\"",
            ".SH NAME", "crossfade \\- move a live search index to a new cluster",
            ".SH SYNOPSIS",
            #".B crossfade"#, #"\fICOMMAND\fR [\fIARGUMENTS\fR] [\fIOPTIONS\fR]"#,
            ".SH DESCRIPTION", Self.prose(Help.purpose), ".PP", Self.prose(Help.course),
            ".SH COMMANDS",
        ]
        for command in commands { lines += section(command) }
        lines += [".SH OPTIONS OF EVERY COMMAND"] + options(CommandDeclaration.common)
        lines += [".SH OPTIONS OF EVERY COMMAND WITH A RECIPE"] + options([CommandDeclaration.environmentFile])
        lines += [".SH EXIT STATUS"]
        for code in ExitCode.allCases { lines += [".TP", ".B \(code.rawValue)", Self.prose(code.meaning)] }
        lines += [".SH DEAD LETTERS", Self.prose(Self.deadLetters)]
        for (code, meaning) in DeadLetterReasons.known {
            lines += [".TP", ".B \(Self.word(code))", Self.prose(meaning)]
        }
        lines += [
            ".SH FILES", ".TP", ".I RECIPE", Self.prose(Self.recipe), ".TP", ".I FILE", Self.prose(Self.variables),
        ]
        lines += [".SH ENVIRONMENT", ".TP", ".B COLUMNS", Self.prose("The width of help texts.")]
        return lines.joined(separator: "\n")
    }

    private static let deadLetters = """
        A record that can never be written goes unchanged to the dead-letter topic, with one of these reasons. If the \
        target refused it for another reason, the reason is the target's error type.
        """
    private static let recipe = """
        One YAML file that describes the whole migration. `crossfade recipe check` lists all its errors, and \
        docs/recipe.md explains every key.
        """
    private static let variables = """
        The file of --env-file: one KEY=VALUE per line. Lines that begin with # are ignored. A value in single quotes \
        is taken as it is. A value in double quotes may contain a backslash followed by n, r, t, a quote, a \
        backslash or a dollar sign. Quoted values may have several lines. The recipe uses the variables as ${KEY}; \
        no other process sees them.
        """

    private func section(_ command: CommandDeclaration) -> [String] {
        let positionals = command.positionals.map { positional in
            let name = "\\fI\(Self.word(positional.name))\\fR"
            return positional.required ? name : "[\(name)]"
        }
        let call = (["\\fBcrossfade \(Self.word(command.name))\\fR"] + positionals).joined(separator: " ")
        var lines = [".SS \"\(call)\"", Self.prose(command.summary + ".")]
        for block in TextLayout.blocks(command.discussion) {
            switch block {
            case .paragraph(let words): lines += [".PP", Self.prose(words)]
            case .verbatim(let verbatim): lines += [".PP", ".RS 4", ".nf"] + verbatim.map(Self.word) + [".fi", ".RE"]
            }
        }
        for positional in command.positionals where positional.name != CommandDeclaration.recipe.name {
            lines += [".TP", ".I \(Self.word(positional.name))", Self.prose(positional.doc)]
        }
        return lines + options(command.options)
    }

    private func options(_ options: [CommandDeclaration.Option]) -> [String] {
        options.flatMap { option in
            let names = (option.short.map { ["-\($0)"] } ?? []) + ["--\(option.name)"]
            let value = option.choices.isEmpty ? option.value : option.choices.joined(separator: "|")
            let call =
                names.map { "\\fB\(Self.word($0))\\fR" }.joined(separator: ", ")
                + (value.map { " \\fI\(Self.word($0))\\fR" } ?? "")
            return [".TP", call, Self.prose(Help.doc(option))]
        }
    }

    /// Escapes words that a user types literally.
    static func word(_ text: String) -> String {
        var escaped = ""
        for character in text {
            switch character {
            case "\\": escaped += "\\e"
            case "-": escaped += "\\-"
            case "'": escaped += "\\(aq"
            case "`": escaped += "\\(ga"
            case "~": escaped += "\\(ti"
            case "^": escaped += "\\(ha"
            case "\"": escaped += "\\(dq"
            default: escaped.append(character)
            }
        }
        // roff reads a line that begins with a dot as a request.
        return escaped.hasPrefix(".") ? "\\&" + escaped : escaped
    }

    /// Escapes prose. Each sentence starts on its own line, as roff expects. Text between backticks becomes bold.
    static func prose(_ text: String) -> String {
        let parts = text.split(separator: "`", omittingEmptySubsequences: false)
        let escaped = parts.enumerated().map { at, part in
            guard at % 2 == 1 else { return word(String(part)) }
            return at < parts.count - 1 ? "\\fB\(word(String(part)))\\fR" : word("`" + part)
        }
        let layout = TextLayout(width: 78)
        let lines = escaped.joined().replacing(". ", with: ".\n").split(separator: "\n")
        return lines.flatMap { layout.paragraph(String($0)) }.map { $0.hasPrefix(".") ? "\\&" + $0 : $0 }
            .joined(separator: "\n")
    }
}
