import Recipe
import Foundation
import JSONText
import Migration

/// Loads the recipe that the command line names, and reports all its errors.
enum RecipeArgument {
    static func load(
        _ arguments: ParsedArguments, _ output: Output, _ body: (Recipe) -> ExitCode
    ) -> ExitCode {
        if arguments.recipe == RecipeLoader.standardInput.path, isatty(STDIN_FILENO) == 1 {
            output.talk("crossfade: the recipe is read from what you type; Ctrl-D in an empty line ends it.")
        }
        do throws(RecipeErrors) {
            return body(
                try RecipeLoader.load(
                    path: arguments.recipe, environment: ProcessInfo.processInfo.environment,
                    environmentFiles: arguments.all("env-file")))
        } catch {
            report(error, output)
            return .usage
        }
    }

    private static func report(_ errors: RecipeErrors, _ output: Output) {
        for diagnostic in errors.diagnostics { output.talk(diagnostic.description) }
        if output.format == .json { output.json(RecipeErrorsReport(errors).json) }
    }
}
