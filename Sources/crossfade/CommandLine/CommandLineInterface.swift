import JSONText

/// Turns the words of a command line into an exit code.
enum CommandLineInterface {
    /// Every command, in the order in which a new user meets them. The hidden ones come last.
    static let commands: [CommandDeclaration] = [
        DemoCommand.declaration, RunCommand.declaration,
        PlanCommand.declaration, InitCommand.declaration, CopyCommand.declaration, ReplayCommand.declaration,
        FollowCommand.declaration, StatusCommand.declaration, HistoryCommand.declaration,
        DeadLettersCommand.list, DeadLettersCommand.show, DeadLettersCommand.redrive,
        DeadLettersCommand.discard,
        VerifyCommand.declaration,
        RolloverCommand.declaration, RollbackCommand.declaration, CancelCommand.declaration,
        FinishCommand.declaration,
        PurgeCommand.declaration,
        // Before those of receipts: `crossfade check` means a recipe.
        RecipeCheckCommand.declaration, RecipeTestCommand.declaration, RecipeSchemaCommand.declaration,
        ReceiptsCommand.list, ReceiptsCommand.show, ReceiptsCommand.check,
        TryCommand.declaration,
        CompletionsCommand.declaration, ManCommand.declaration, VersionCommand.declaration,
        EmbeddedLogCommand.declaration, EmbeddedNodeCommand.declaration,
    ]

    /// The commands that help, completions and the manual page show.
    static var listed: [CommandDeclaration] { commands.filter { !$0.hidden } }

    /// `words`: the command line without the program's name.
    static func run(_ words: [String]) -> ExitCode {
        do throws(UsageError) {
            switch try ArgumentParser(commands: commands).parse(words) {
            case .help(let path):
                Output(format: .text).line(Help(commands: commands, layout: .forOutput()).text(about: path))
                return .done
            case .run(let arguments):
                return arguments.command.run(arguments, Output(format: arguments.format, logsJSON: arguments.logsJSON))
            }
        } catch {
            Output(format: wantsJSON(words) ? .json : .text).failure(error.message, code: "usage")
            return .usage
        }
    }

    /// Whether a command line that cannot be parsed asks for JSON.
    private static func wantsJSON(_ words: [String]) -> Bool {
        words.contains("--format=json") || zip(words, words.dropFirst()).contains { $0 == "--format" && $1 == "json" }
    }
}
