enum ManCommand {
    static let declaration = CommandDeclaration(
        path: ["man"],
        summary: "Print the manual page",
        discussion: """
            To read it, or to install it so that `man crossfade` finds it:

                crossfade man | man -l -
                crossfade man > /usr/local/share/man/man1/crossfade.1
            """,
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        output.line(ManualPage(commands: CommandLineInterface.listed).text)
        return .done
    }
}
