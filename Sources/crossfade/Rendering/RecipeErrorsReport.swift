import Recipe
import JSONText
import Migration

/// The errors of a recipe, for programs.
struct RecipeErrorsReport {
    private let errors: RecipeErrors

    init(_ errors: RecipeErrors) { self.errors = errors }

    var json: JSONValue {
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
        return .object(["error": .object(error)])
    }
}
