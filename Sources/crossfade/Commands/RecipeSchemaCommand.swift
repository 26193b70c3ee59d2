import Migration

/// `crossfade recipe schema`.
enum RecipeSchemaCommand {
    static let declaration = CommandDeclaration(
        path: ["recipe", "schema"],
        summary: "Print the JSON Schema of recipes, for editors",
        discussion: """
            Draft 2020-12. With the YAML language server: `# yaml-language-server: $schema=recipe.schema.json` in the
            recipe's first line.
            """,
        run: run)

    @Sendable static func run(_ arguments: ParsedArguments, output: Output) -> ExitCode {
        output.line(RecipeText.jsonSchema.text(pretty: true))
        return .done
    }
}
