/// Reads recipes.
package enum RecipeLoader {
    /// The path that means standard input, and what messages call it.
    package static let standardInput = (path: "-", name: "<stdin>")

    /// The recipe at `path`, or from standard input for `-`, with `${NAME}` taken from the last of `environmentFiles`
    /// that has it or else from `environment`; or everything that is wrong with it.
    ///
    /// What a file says goes before the environment: it was named for this recipe, and a forgotten `export` in a shell
    /// must not point a migration at another cluster.
    package static func load(
        path: String, environment: [String: String], environmentFiles: [String] = []
    ) throws(RecipeErrors) -> Recipe {
        var environment = environment
        for file in environmentFiles {
            environment.merge(try EnvironmentFile.read(file)) { _, named in named }
        }
        let isInput = path == standardInput.path
        let shown = isInput ? standardInput.name : path
        let text: [UInt8]
        do {
            text =
                isInput
                ? try RecipeFiles.read(descriptor: 0, limit: YAMLLoader.maxBytes)
                : try RecipeFiles.read(path, limit: YAMLLoader.maxBytes)
        } catch {
            throw RecipeErrors([
                RecipeDiagnostic(
                    file: shown, line: 1, column: 1, message: "the recipe \(error.reason)",
                    suggestion: isInput ? nil : RecipeFiles.neighbour(of: path))
            ])
        }
        var recipe = try load(text: text, path: shown, environment: environment)
        recipe.typed = ShellWord.quoted(path)
        recipe.typed += environmentFiles.map { " --env-file " + ShellWord.quoted($0) }.joined()
        return recipe
    }

    /// The same for a text that is already in memory; `path` is for messages and for the files it names.
    package static func load(text: [UInt8], path: String, environment: [String: String]) throws(RecipeErrors) -> Recipe
    {
        let problems = RecipeProblems(file: path)
        let files = RecipeFiles(besides: path)
        guard let tree = tree(text, problems: problems) else { throw RecipeErrors(problems.diagnostics) }
        let node = RecipeSubstitution(environment: environment, files: files, problems: problems).apply(to: tree)
        let checker = RecipeChecker(problems: problems, files: files)
        guard let root = checker.check(node, .section(RecipeSchema.root), name: RecipeSchema.root.title) else {
            throw RecipeErrors(problems.diagnostics)
        }
        RecipeRules(root: root, problems: problems, files: files).check()
        guard problems.diagnostics.isEmpty else { throw RecipeErrors(problems.diagnostics) }
        do {
            return try RecipeBuilder(file: path, files: files).build(completed(root))
        } catch {
            problems.add(error.mark, "\(error.key) cannot be used")
            throw RecipeErrors(problems.diagnostics)
        }
    }

    private static func tree(_ text: [UInt8], problems: RecipeProblems) -> YAMLNode? {
        do {
            let loaded = try YAMLLoader.load(text)
            for problem in loaded.problems { problems.add(problem.mark, problem.message) }
            if let root = loaded.root { return root }
            problems.add(SourceMark(line: 1, column: 1), "the recipe is empty")
        } catch {
            problems.add(error.mark, error.message)
        }
        return nil
    }

    /// With the defaults that are made of other values, and with one key where two mean the same.
    private static func completed(_ root: RecipeValue) -> RecipeValue {
        var members: [RecipeMember] = []
        for member in root.members {
            var member = member
            switch member.key {
            case "commands":
                let group = root["name"]?.derived { "crossfade-" + $0 }
                member.value = member.value.filled("group", with: group, after: "topic")
            case "source", "target":
                member.value = member.value.renamed("url", to: "urls")
            case "indices" where root["commands"]?["envelope"]?["merge"]?.items.isEmpty ?? true:
                member.value = member.value.withoutMergeDefaults()
            case "limits":
                members.append(deadLetters(root))
            case "dead_letters":
                continue
            default: break
            }
            members.append(member)
        }
        var root = root
        root.content = .section(members)
        return root
    }

    private static func deadLetters(_ root: RecipeValue) -> RecipeMember {
        let given = root.member("dead_letters")
        let empty = RecipeValue(content: .section([]), mark: root.mark, given: false)
        let topic = root["commands"]?["topic"]?.derived { $0 + "-dead" }
        let value = (given?.value ?? empty).filled("topic", with: topic, after: nil)
        return RecipeMember(key: "dead_letters", mark: given?.mark ?? root.mark, value: value)
    }
}

extension RecipeValue {
    /// A text made of this one, which shows no more of it than this one does.
    fileprivate func derived(_ make: (String) -> String) -> RecipeValue {
        var value = RecipeValue(content: .text(make(text ?? "")), mark: mark, display: display, given: false)
        if case .reference(let written) = display { value.display = .reference(make(written)) }
        return value
    }

    /// With the value under `key` where there is none yet, after the member `place` or in front.
    fileprivate func filled(_ key: String, with value: RecipeValue?, after place: String?) -> RecipeValue {
        guard self[key] == nil, let value else { return self }
        var members = members
        let index = members.firstIndex { $0.key == place }.map { $0 + 1 } ?? 0
        members.insert(RecipeMember(key: key, mark: mark, value: value), at: index)
        var copy = self
        copy.content = .section(members)
        return copy
    }

    /// Entries without what is said of merges by default: where nothing merges, it would say nothing.
    fileprivate func withoutMergeDefaults() -> RecipeValue {
        var copy = self
        copy.content = .list(
            items.map { entry in
                var entry = entry
                entry.content = .section(entry.members.filter { !["merge", "missing"].contains($0.key) })
                return entry
            })
        return copy
    }

    fileprivate func renamed(_ key: String, to other: String) -> RecipeValue {
        var copy = self
        copy.content = .section(
            members.map { RecipeMember(key: $0.key == key ? other : $0.key, mark: $0.mark, value: $0.value) })
        return copy
    }
}
