import JSONText

/// From words to an exit code.
enum CommandLineInterface {
    /// Every command, in the order in which a migration uses them.
    static let commands: [CommandDeclaration] = [
        PlanCommand.declaration, InitCommand.declaration, CopyCommand.declaration, ReplayCommand.declaration,
        FollowCommand.declaration, StatusCommand.declaration, DeadLettersCommand.list, DeadLettersCommand.show,
        DeadLettersCommand.redrive, PurgeCommand.declaration, RecipeCheckCommand.declaration,
        RecipeSchemaCommand.declaration, CompletionsCommand.declaration, VersionCommand.declaration,
    ]

    /// Commands for tests and for trying things out, which help does not list.
    static let hidden: [CommandDeclaration] = [EmbeddedLogCommand.declaration]

    /// `words` without the program's name.
    static func run(_ words: [String]) -> ExitCode {
        let known = hidden.contains { words.starts(with: $0.path) } ? hidden : commands
        do throws(UsageError) {
            switch try ArgumentParser(commands: known).parse(words) {
            case .help(let path):
                Output(format: .text).line(Help(commands: known).text(about: path))
                return .done
            case .run(let arguments):
                return arguments.command.run(arguments, Output(format: arguments.format))
            }
        } catch {
            Output(format: wantsJSON(words) ? .json : .text).failure(error.message, code: "usage")
            return .usage
        }
    }

    /// What was asked for by a command line that is otherwise not understood.
    private static func wantsJSON(_ words: [String]) -> Bool {
        words.contains("--format=json") || zip(words, words.dropFirst()).contains { $0 == "--format" && $1 == "json" }
    }
}
