enum CompletionsCommand {
    static let declaration = CommandDeclaration(
        path: ["completions"],
        summary: "Print a shell's completion script",
        discussion: """
            For the shell that is open:

                source <(crossfade completions bash)
                source <(crossfade completions zsh)
                crossfade completions fish | source

            For good, in the folder where the shell looks for them:

                crossfade completions bash > /usr/share/bash-completion/completions/crossfade
                crossfade completions zsh > /usr/local/share/zsh/site-functions/_crossfade
                crossfade completions fish > ~/.config/fish/completions/crossfade.fish
            """,
        positionals: [
            CommandDeclaration.Positional(
                name: "SHELL", choices: ["bash", "zsh", "fish"], doc: "The shell: bash, zsh or fish.")
        ],
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        let completions = Completions(commands: CommandLineInterface.listed)
        switch arguments["SHELL"] {
        case "zsh": output.line(completions.zsh)
        case "fish": output.line(completions.fish)
        default: output.line(completions.bash)
        }
        return .done
    }
}
