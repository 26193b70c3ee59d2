import Foundation
import JSONText
import Migration
import Recipe

/// Loads the recipe that a command line names, and tells of all that is wrong with it.
enum RecipeReading {
    static func with(
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
        guard output.format == .json else { return }
        let diagnostics = errors.diagnostics.map { diagnostic in
            JSONValue.object(
                [
                    "file": .string(diagnostic.file), "line": .number(diagnostic.line),
                    "column": .number(diagnostic.column), "message": .string(diagnostic.message),
                    "suggestion": diagnostic.suggestion.map { .string($0) } ?? .null,
                ])
        }
        let count = errors.diagnostics.count
        let error: JSONObject = [
            "code": "recipe", "message": .string("the recipe has \(count) \(count == 1 ? "error" : "errors")"),
            "diagnostics": .array(diagnostics),
        ]
        output.line(JSONValue.object(["error": .object(error)]).text())
    }
}
