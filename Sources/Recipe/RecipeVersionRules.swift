import JSONText

/// What `copy.version` may say beside `commands.version`.
package struct RecipeVersionRules {
    package let root: RecipeValue
    package let problems: RecipeProblems

    /// Without commands.
    private func checkAlone(_ copied: RecipeValue) {
        guard copied.text == "field" else { return }
        problems.add(
            copied.mark,
            "copy.version is field, and without commands nothing says which: say copy.version: { field: PATH }")
    }

    package func check() {
        guard let copied = root["copy"]?["version"], !copied.isWrong else { return }
        guard let commands = root["commands"] else { return checkAlone(copied) }
        if let field = copied.member("field") {
            problems.add(
                field.mark,
                "copy.version names a field of its own only without commands; with them it is commands.version.field: "
                    + "say copy.version: field")
        }
        guard let text = copied.text, let version = commands["version"], !version.isWrong else { return }
        switch text {
        case "source" where version.text != nil:
            problems.add(
                copied.mark,
                "copy.version is source, and commands have their versions from the \(version.text ?? ""), which the "
                    + "source's _version has nothing to do with: it goes only with commands.version of field or header")
        case "field" where version["field"] == nil:
            problems.add(
                copied.mark,
                "copy.version is field, and commands.version names no field: only the same field can be compared with "
                    + "theirs")
        case "field":
            guard let document = commands["envelope"]?["document"]?.text, let field = version["field"]?.text,
                let root = try? JSONPath(parsing: document), let path = try? JSONPath(parsing: field),
                path.names.count <= root.names.count || Array(path.names.prefix(root.names.count)) != root.names
            else { return }
            problems.add(
                copied.mark,
                "copy.version is field, and the field \(field) lies outside the document (\(document)), so that a "
                    + "copied document cannot have it")
        default: break
        }
    }
}
