/// `crossfade completions`.
enum CompletionsCommand {
    static let declaration = CommandDeclaration(
        path: ["completions"],
        summary: "Print a shell's completion script",
        discussion: """
            bash: source <(crossfade completions bash)
            zsh:  source <(crossfade completions zsh)
            fish: crossfade completions fish | source
            """,
        positionals: [CommandDeclaration.Positional(name: "SHELL", doc: "bash, zsh or fish.")],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        let completions = Completions(commands: CommandLineInterface.listed)
        switch arguments["SHELL"] {
        case "bash": output.line(completions.bash)
        // zsh runs bash's script through its own emulation.
        case "zsh": output.line("autoload -U +X bashcompinit && bashcompinit\n" + completions.bash)
        case "fish": output.line(completions.fish)
        default:
            output.failure(
                "there are completions for bash, zsh and fish, and none for \"\(arguments["SHELL"])\".", code: "usage")
            return .usage
        }
        return .done
    }
}

/// Completion scripts, made from the declarations.
struct Completions {
    let commands: [CommandDeclaration]

    private var firstWords: [String] {
        var seen: Set<String> = []
        return (commands.map { $0.path[0] } + ["help"]).filter { seen.insert($0).inserted }
    }

    private func secondWords(_ first: String) -> [String] {
        commands.filter { $0.path.count > 1 && $0.path[0] == first }.map { $0.path[1] }
    }

    var bash: String {
        var cases = commands.map { command in
            let options = command.allOptions.map { "--\($0.name)" }.joined(separator: " ")
            return "        '\(command.name)') options='\(options)' ;;"
        }
        cases.append("        *) options='--help' ;;")
        let groups = firstWords.filter { !secondWords($0).isEmpty }.map { first in
            "    [[ $COMP_CWORD == 2 && $first == \(first) ]] && COMPREPLY=($(compgen -W "
                + "'\(secondWords(first).joined(separator: " "))' -- \"$word\")) && return"
        }
        return """
            _crossfade() {
                local word=${COMP_WORDS[COMP_CWORD]} first=${COMP_WORDS[1]} command options
                if [[ $COMP_CWORD == 1 ]]; then
                    COMPREPLY=($(compgen -W '\(firstWords.joined(separator: " "))' -- "$word")); return
                fi
            \(groups.joined(separator: "\n"))
                command=$first
                [[ $first == recipe ]] && command="$first ${COMP_WORDS[2]}"
                case $command in
            \(cases.joined(separator: "\n"))
                esac
                if [[ $word == -* ]]; then COMPREPLY=($(compgen -W "$options" -- "$word")); return; fi
                COMPREPLY=($(compgen -f -- "$word"))
            }
            complete -o filenames -F _crossfade crossfade
            """
    }

    var fish: String {
        var lines: [String] = []
        for command in commands {
            let word = command.path[command.path.count - 1]
            let condition =
                command.path.count == 1
                ? "__fish_use_subcommand" : "__fish_seen_subcommand_from \(command.path[0])"
            let summary = command.summary.replacing("'", with: "\\'")
            lines.append("complete -c crossfade -n '\(condition)' -f -a '\(word)' -d '\(summary)'")
            for option in command.allOptions {
                let value =
                    option.value == nil
                    ? "" : " -r" + (option.choices.isEmpty ? "" : " -a '\(option.choices.joined(separator: " "))'")
                let short = option.short.map { " -s \($0)" } ?? ""
                lines.append(
                    "complete -c crossfade -n '__fish_seen_subcommand_from \(word)' -l \(option.name)\(short)\(value)")
            }
        }
        return lines.joined(separator: "\n")
    }
}
