import Transform

/// Contradictions inside one entry of `indices`.
package struct RecipeEntryRules {
    package let problems: RecipeProblems
    /// Whether some command merges.
    package let hasMerges: Bool

    package func check(_ entries: [RecipeValue]) {
        for entry in entries {
            checkPattern(entry)
            if let filter = entry.member("filter"), entry.member("from") == nil {
                problems.add(filter.mark, "filter is about an alias of the source, and this entry has no from")
            }
            checkAliases(entry)
            checkMerge(entry)
            checkSteps(entry)
            if let id = entry.member("id"), entry.member("from") == nil {
                problems.add(id.mark, "id is about the copied documents, and this entry has no from")
            }
        }
    }

    private func checkAliases(_ entry: RecipeValue) {
        var named: Set<String> = []
        for alias in entry["alias"]?.items ?? [] {
            guard let text = alias.text, !named.insert(text).inserted else { continue }
            problems.add(alias.mark, "the alias \(alias.quoted) stands in this list already")
        }
    }

    private func checkPattern(_ entry: RecipeValue) {
        guard let to = entry["to"], let text = to.text, text.contains("{index}") else { return }
        guard let from = entry.member("from") else {
            problems.add(to.mark, "{index} stands for an index that from finds, and this entry has no from")
            return
        }
        guard let pattern = from.value.text, !pattern.contains("*"), !pattern.contains(",") else { return }
        problems.add(to.mark, "{index} in to needs a pattern in from, and \(from.value.quoted) is one name")
    }

    private func checkMerge(_ entry: RecipeValue) {
        guard !hasMerges else { return }
        for key in ["merge", "missing"] {
            guard let member = entry.member(key), member.value.given, !member.value.isWrong else { continue }
            problems.add(member.mark, "\(key) does nothing: no command merges (commands.envelope.merge)")
        }
    }

    private func checkSteps(_ entry: RecipeValue) {
        let values = entry["transform"]?.items ?? []
        var flattened: [String: SourceMark] = [:]
        for value in values {
            for move in ["rename", "copy"] {
                guard let from = value[move]?["from"]?.text, let to = value[move]?["to"], from == to.text else {
                    continue
                }
                problems.add(to.mark, "\(move) has the same field in from and to")
            }
            guard let field = value["keyToValue"]?["field"], let text = field.text else { continue }
            if let first = flattened[text] {
                problems.add(field.mark, "keyToValue of \(field.quoted) was done in line \(first.line)")
            } else {
                flattened[text] = field.mark
            }
        }
        let steps = values.map { RecipeSteps.step($0) }
        let whole = steps.compactMap { $0 }
        guard whole.count == values.count else { return }
        for (index, field) in Transformer.reservedFields(madeBy: whole) where values.indices.contains(index) {
            problems.add(
                values[index].mark,
                "this step makes the field \"\(field)\", which is Crossfade's mark of a deleted document")
        }
        guard hasMerges else { return }
        for (index, why) in Transformer.partialUnsafe(whole) where values.indices.contains(index) {
            problems.add(values[index].mark, "this step cannot be done to a part of a document: \(why)")
        }
    }
}
