import Migration
import Recipe

enum RecipeSchemaCommand {
    static let declaration = CommandDeclaration(
        path: ["recipe", "schema"],
        summary: "Print the JSON Schema of recipes, for editors",
        discussion: """
            Draft 2020-12. For editors with the YAML language server: write the schema into a file, and name it in the
            recipe's first line.

                crossfade recipe schema > recipe.schema.json
                # yaml-language-server: $schema=recipe.schema.json
            """,
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        output.json(RecipeText.jsonSchema, pretty: true)
        return .done
    }
}
