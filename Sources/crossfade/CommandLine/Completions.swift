/// Completion scripts, made from the command declarations: commands of both levels, their options, values that have
/// choices, and file names.
struct Completions {
    let commands: [CommandDeclaration]

    /// What completes a value.
    enum Kind: Equatable {
        /// The migration's YAML file.
        case recipe
        case file
        case words([String])
        /// Words separated by commas.
        case list([String])
        /// Nothing to suggest.
        case anything
    }

    /// The possible first words, each with its description.
    var firstWords: [(word: String, summary: String)] {
        var words: [(word: String, summary: String)] = []
        for command in commands where !words.contains(where: { $0.word == command.path[0] }) {
            let names = secondWords(command.path[0]).map(\.word)
            words.append(
                (command.path[0], names.isEmpty ? command.summary : "Has: " + names.joined(separator: ", ")))
        }
        return words + [("help", "Explain a command")]
    }

    /// The words that may follow `first`, each with its description.
    func secondWords(_ first: String) -> [(word: String, summary: String)] {
        commands.filter { $0.path.count > 1 && $0.path[0] == first }.map { ($0.path[1], $0.summary) }
    }

    /// The first words of commands that have two words.
    var groups: [String] { firstWords.map(\.word).filter { !secondWords($0).isEmpty } }

    static func kind(_ option: CommandDeclaration.Option) -> Kind {
        if !option.choices.isEmpty { return .words(option.choices) }
        if !option.suggestions.isEmpty { return .list(option.suggestions) }
        return option.takesFile ? .file : .anything
    }

    static func kind(_ positional: CommandDeclaration.Positional) -> Kind {
        if positional.name == CommandDeclaration.recipe.name { return .recipe }
        if !positional.choices.isEmpty { return .words(positional.choices) }
        return positional.name == "FILE" ? .file : .anything
    }
}

extension Completions {
    /// For bash 3.2 and later.
    var bash: String {
        """
        # bash completion of crossfade, made by `crossfade completions bash`.
        _crossfade() {
            local word=${COMP_WORDS[COMP_CWORD]} path='' expects='' place=0 at current kind options
            [[ $word == '=' ]] && word=''
            for ((at = 1; at < COMP_CWORD; at++)); do
                current=${COMP_WORDS[at]}
                if [[ $current == '=' ]]; then continue; fi
                if [[ -n $expects ]]; then expects=''; continue; fi
                case $current in
                    -*) if _crossfade_kind "$path" "$current"; then expects=$current; fi ;;
                    *)
                        if [[ " $(_crossfade_words "$path") " == *" $current "* ]]; then
                            path="${path:+$path }$current"
                        else
                            place=$((place + 1))
                        fi ;;
                esac
            done
            COMPREPLY=()
            if [[ -n $expects ]]; then
                _crossfade_kind "$path" "$expects"
            elif [[ $word == -* ]]; then
                _crossfade_options "$path"
                COMPREPLY=($(compgen -W "$options" -- "$word"))
                return
            else
                kind="words $(_crossfade_words "$path")"
                if [[ $kind == 'words ' ]]; then _crossfade_place "$path" "$place"; fi
            fi
            _crossfade_reply
        }

        # The words that may follow a path.
        _crossfade_words() {
            case $1 in
        \(bashWords)
            esac
        }

        _crossfade_options() {
            case $1 in
        \(bashOptions)
                *) options='--help' ;;
            esac
        }

        # What the value of an option is; fails for one that takes none.
        _crossfade_kind() {
            kind=''
            case "$1 $2" in
        \(bashKinds)
                *) return 1 ;;
            esac
        }

        # What stands at a place after the command, counted from 0.
        _crossfade_place() {
            kind='anything'
            case "$1 $2" in
        \(bashPlaces)
            esac
        }

        _crossfade_reply() {
            local before=''
            case $kind in
                'words '*) COMPREPLY=($(compgen -W "${kind#words }" -- "$word")) ;;
                'list '*)
                    if [[ $word == *,* ]]; then before="${word%,*},"; fi
                    COMPREPLY=($(compgen -P "$before" -W "${kind#list }" -- "${word##*,}")) ;;
                recipe|file)
                    local IFS=$'\\n'
                    compopt -o filenames 2>/dev/null
                    if [[ $kind == recipe ]]; then
                        COMPREPLY=($(compgen -f -X '!*.yaml' -- "$word"; compgen -f -X '!*.yml' -- "$word"
                            compgen -d -- "$word"))
                    fi
                    if [[ ${#COMPREPLY[@]} == 0 ]]; then COMPREPLY=($(compgen -f -- "$word")); fi ;;
            esac
        }

        complete -F _crossfade crossfade
        """
    }

    private static func bash(_ kind: Kind) -> String {
        switch kind {
        case .recipe: "recipe"
        case .file: "file"
        case .words(let words): "words " + words.joined(separator: " ")
        case .list(let words): "list " + words.joined(separator: " ")
        case .anything: "anything"
        }
    }

    private static func lines(_ lines: [String]) -> String { lines.map { "        " + $0 }.joined(separator: "\n") }

    private var bashWords: String {
        let first = firstWords.map(\.word).joined(separator: " ")
        var lines = ["'') echo '\(first)' ;;", "help) echo '\(first)' ;;"]
        for group in groups {
            let second = secondWords(group).map(\.word).joined(separator: " ")
            lines.append("'\(group)'|'help \(group)') echo '\(second)' ;;")
        }
        return Self.lines(lines)
    }

    private var bashOptions: String {
        Self.lines(
            commands.map { command in
                let options = command.allOptions.map { "--\($0.name)" }.joined(separator: " ")
                return "'\(command.name)') options='\(options)' ;;"
            })
    }

    private var bashKinds: String {
        Self.lines(
            commands.flatMap { command in
                command.allOptions.filter { $0.value != nil }.map { option in
                    let short = option.short.map { "|'\(command.name) -\($0)'" } ?? ""
                    return "'\(command.name) --\(option.name)'\(short)) kind='\(Self.bash(Self.kind(option)))' ;;"
                }
            })
    }

    private var bashPlaces: String {
        Self.lines(
            commands.flatMap { command in
                command.positionals.enumerated().map { place, positional in
                    "'\(command.name) \(place)') kind='\(Self.bash(Self.kind(positional)))' ;;"
                }
            })
    }
}
