extension Completions {
    /// A script to be sourced, or to be saved as `_crossfade` in a folder of `fpath`.
    var zsh: String {
        let seconds = groups.flatMap { group in
            Self.describe(secondWords(group), when: "\(group)|'help \(group)'")
        }
        return """
            #compdef crossfade
            # zsh completion of crossfade, made by `crossfade completions zsh`.
            _crossfade() {
                local -a described
                local first=${words[2]} second=${words[3]} path_
                if (( CURRENT == 2 )) || [[ $first == help && CURRENT -eq 3 ]]; then
            \(Self.list(firstWords, indent: 8))
                    _describe -t commands command described
                    return
                fi
                if [[ $first == help ]]; then first="help $second"; second=''; fi
                if (( CURRENT == 3 )) || [[ $first == help\\ * ]]; then
                    case $first in
            \(seconds.joined(separator: "\n"))
                    esac
                    if [[ $first == help\\ * ]]; then return; fi
                fi
                case $first in
                    \(groups.joined(separator: "|"))) path_="$first $second"
                        words=("$path_" "${(@)words[4,-1]}"); (( CURRENT -= 2 )) ;;
                    *) path_=$first; words=("$path_" "${(@)words[3,-1]}"); (( CURRENT -= 1 )) ;;
                esac
                case $path_ in
            \(commands.map(zsh).joined(separator: "\n"))
                esac
            }

            if [[ $funcstack[1] == _crossfade ]]; then
                _crossfade "$@"
            else
                compdef _crossfade crossfade
            fi
            """
    }

    private static func list(_ words: [(word: String, summary: String)], indent: Int) -> String {
        let margin = String(repeating: " ", count: indent)
        let lines = words.map { "\(margin)    \(zshQuoted("\($0.word):\($0.summary)"))" }
        return "\(margin)described=(\n\(lines.joined(separator: "\n"))\n\(margin))"
    }

    private static func describe(_ words: [(word: String, summary: String)], when pattern: String) -> [String] {
        [
            "            \(pattern))", list(words, indent: 16),
            "                _describe -t commands command described; return ;;",
        ]
    }

    private func zsh(_ command: CommandDeclaration) -> String {
        let options = command.allOptions.map { option in
            let doc = Self.zshDoc(option.doc)
            let value = option.value.map { ":\($0):\(Self.zsh(Self.kind(option)))" } ?? ""
            guard let short = option.short else {
                return Self.zshQuoted("*--\(option.name)\(option.value == nil ? "" : "=")[\(doc)]\(value)")
            }
            return "'(-\(short) --\(option.name))'{-\(short),--\(option.name)}\(Self.zshQuoted("[\(doc)]\(value)"))"
        }
        let positionals = command.positionals.enumerated().map { place, positional in
            Self.zshQuoted(
                "\(place + 1):\(positional.required ? "" : ":")\(positional.name):\(Self.zsh(Self.kind(positional)))")
        }
        let rows = (options + positionals).map { "                \($0)" }
        return "            \(Self.zshQuoted(command.name)))\n                _arguments \\\n"
            + rows.joined(separator: " \\\n") + " ;;"
    }

    private static func zsh(_ kind: Kind) -> String {
        switch kind {
        case .recipe: "_files -g \"*.(yaml|yml)\""
        case .file: "_files"
        case .words(let words): "(\(words.joined(separator: " ")))"
        case .list(let words): "_values -s , value \(words.joined(separator: " "))"
        case .anything: " "
        }
    }

    private static func zshDoc(_ text: String) -> String {
        var escaped = ""
        for character in text {
            if "[]:\\".contains(character) { escaped.append("\\") }
            escaped.append(character)
        }
        return escaped
    }

    private static func zshQuoted(_ text: String) -> String { "'" + text.replacing("'", with: "'\\''") + "'" }
}

extension Completions {
    /// For fish 3.0 and later.
    var fish: String {
        var lines = [
            "# fish completion of crossfade, made by `crossfade completions fish`.",
            "function __crossfade_at",
            "    set -l words (commandline -opc)",
            "    set -e words[1]",
            "    set -l count (count $argv)",
            "    test (count $words) -ge $count; or return 1",
            "    test $count -eq 0; and test (count $words) -gt 0; and return 1",
            "    for at in (seq $count)",
            "        test \"$words[$at]\" = \"$argv[$at]\"; or return 1",
            "    end",
            "end",
            "function __crossfade_next",
            "    __crossfade_at $argv; and test (count (commandline -opc)) -eq (math (count $argv) + 1)",
            "end",
            "complete -c crossfade -f",
        ]
        for (word, summary) in firstWords {
            lines.append(Self.fish("__crossfade_next", "-a '\(word)' -d \(Self.fishQuoted(summary))"))
            lines.append(Self.fish("__crossfade_next help", "-a '\(word)' -d \(Self.fishQuoted(summary))"))
        }
        for group in groups {
            for (word, summary) in secondWords(group) {
                for before in [group, "help \(group)"] {
                    lines.append(
                        Self.fish("__crossfade_next \(before)", "-a '\(word)' -d \(Self.fishQuoted(summary))"))
                }
            }
        }
        for command in commands { lines += fish(command) }
        return lines.joined(separator: "\n")
    }

    private func fish(_ command: CommandDeclaration) -> [String] {
        let condition = "__crossfade_at \(command.name)"
        let options = command.allOptions.map { option in
            let short = option.short.map { " -s \($0)" } ?? ""
            let value = option.value == nil ? "" : Self.fish(Self.kind(option))
            return Self.fish(condition, "-l \(option.name)\(short)\(value) -d \(Self.fishQuoted(option.doc))")
        }
        let positionals = command.positionals.map { positional in
            switch Self.kind(positional) {
            case .recipe, .file: Self.fish(condition, "-F")
            case .words(let words), .list(let words): Self.fish(condition, "-a '\(words.joined(separator: " "))'")
            case .anything: ""
            }
        }
        return options + positionals.filter { !$0.isEmpty }
    }

    private static func fish(_ condition: String, _ rest: String) -> String {
        "complete -c crossfade -n '\(condition)' \(rest)"
    }

    private static func fish(_ kind: Kind) -> String {
        switch kind {
        case .recipe, .file: " -r -F"
        case .words(let words), .list(let words): " -x -a '\(words.joined(separator: " "))'"
        case .anything: " -x"
        }
    }

    private static func fishQuoted(_ text: String) -> String {
        "'" + text.replacing("\\", with: "\\\\").replacing("'", with: "\\'") + "'"
    }
}
