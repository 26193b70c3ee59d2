import Recipe

/// What the source could not be asked, and which of its indices do not belong to the migration.
enum SourceRail {
    static func look(_ recipe: Recipe, _ survey: Survey) -> [Rail] {
        var found: [Rail] = []
        if let source = survey.source {
            found.append(said("source", .ok, "the source \(source.name) answers"))
        } else if let unknown = survey.sourceUnknown {
            found.append(
                said(
                    "source", .warn,
                    "the source could not be looked at (\(unknown)). What is said of its indices is what was "
                        + "confirmed; its documents, mapping and aliases are unchecked. "
                        + (survey.state?.copyUnfinished == false
                            ? "The copy is finished: only another one would need it"
                            : "The copy is not finished and needs it")))
        }
        for entry in survey.entries {
            if let text = fresh(recipe, entry) { found.append(said("new_indices", .warn, text)) }
            if let text = gone(entry) { found.append(said("gone_indices", .warn, text)) }
        }
        return found
    }

    private static func said(_ name: String, _ verdict: Rail.Verdict, _ detail: String) -> Rail {
        Rail(name: name, verdict: verdict, detail: detail)
    }

    /// `plan` and `status` both use this text. nil: there are none.
    static func fresh(_ recipe: Recipe, _ entry: Survey.Entry) -> String? {
        guard !entry.scope.fresh.isEmpty else { return nil }
        let names = entry.scope.fresh.joined(separator: ", ")
        let isEach = entry.recipe.to.contains("{index}")
        return "\(names) of the source also \(entry.scope.fresh.count == 1 ? "matches" : "match") "
            + "\(entry.recipe.from ?? "-") and \(entry.scope.fresh.count == 1 ? "is" : "are") not part of this "
            + "migration: only \(entry.scope.names.joined(separator: ", ")) was confirmed. Commands for documents of "
            + "it are written to \(entry.index) like all others"
            + (isEach
                ? ", because nothing says which index a command belongs to; documents that no command writes are not "
                    + "copied. If it is to have an index of its own, give each source index an entry with `select`"
                : ", and documents that no command writes are not copied. To take it in, copy again "
                    + "(`crossfade copy \(recipe.typed)`, which asks for a confirmation)")
            + ". If it is not meant, name the indices in `from`"
    }

    private static func gone(_ entry: Survey.Entry) -> String? {
        guard !entry.scope.gone.isEmpty else { return nil }
        return "\(entry.scope.gone.joined(separator: ", ")) was confirmed as a source of \(entry.index), and is not "
            + "behind \(entry.recipe.from ?? "-") any more. What was copied of it stays; what was not cannot be copied"
    }
}

extension Survey {
    /// What a person should know of the source's indices, in the words of `plan`.
    package func sourceNews(_ recipe: Recipe) -> [String] {
        SourceRail.look(recipe, self).filter { $0.name != "source" }.map(\.detail)
    }

    /// Source indices that match `from` and are not part of the migration.
    package var freshIndices: [String] { entries.flatMap(\.scope.fresh) }
}
