import Commands
import JSONText
import Recipe
import SearchCluster
import Transform

/// Whether documents are given back as they were written: by the source, which is copied, and by the target, whose
/// documents are the base of partial updates.
enum SourceFieldsRail {
    static func look(_ recipe: Recipe, _ survey: Survey) -> [Rail] {
        survey.entries.flatMap { entry in
            entry.source.compactMap { source($0, entry.recipe.transform) } + entry.source.compactMap(old)
                + [target(entry, recipe)].compactMap { $0 }
        }
    }

    // MARK: The source

    private static func source(_ index: IndexInfo, _ steps: [TransformStep]) -> Rail? {
        let storage = index.storage
        // Another rail speaks of an index that keeps nothing.
        guard !storage.isDisabled, let lost = lost(storage, steps) else { return nil }
        return Rail(
            name: "source_fields", verdict: lost.isEmpty ? .ok : .refused,
            detail: lost.isEmpty
                ? "source index \(index.name) does not keep \(names(storage.excludes)), which transform removes anyway"
                : "source index \(index.name) does not give its documents back as they were written (\(lost)): what is "
                    + "missing there would be missing in the new index. Make the documents anew from where they come "
                    + "from: without `from` the topic alone feeds the index. Where nothing is lost that the new index "
                    + "needs, remove the fields with a step of transform")
    }

    /// What versions before 5.0 do with documents beside keeping them.
    static func old(_ index: IndexInfo) -> Rail? {
        var found: [String] = []
        let expiring = (index.mappings.object ?? JSONObject()).filter { type in
            let enabled = type.value["_ttl"]?["enabled"]
            return enabled?.bool == true || enabled?.string == "true"
        }.map(\.key)
        if !expiring.isEmpty {
            found.append(
                "deletes documents by itself when their time is over (_ttl of \(names(expiring))), and no command says "
                    + "so: the new index keeps them. Delete them with commands, or by a query")
        }
        if index.types.contains(".percolator") {
            found.append(
                "holds queries (type .percolator): they are copied as documents, which percolate nothing"
            )
        }
        guard !found.isEmpty else { return nil }
        return Rail(
            name: "source_fields", verdict: .warn,
            detail: "source index \(index.name) " + found.joined(separator: "; and it "))
    }

    /// What is lost, in words: empty when the new index would not have it either; nil when nothing is.
    static func lost(_ storage: SourceStorage, _ steps: [TransformStep]) -> String? {
        if let synthetic = storage.synthetic {
            return "\(synthetic): their texts are made of what is indexed, with arrays sorted and objects in arrays "
                + "taken apart"
        }
        if !storage.includes.isEmpty { return "_source.includes: only \(names(storage.includes)) are kept" }
        guard !storage.excludes.isEmpty else { return nil }
        let missed = storage.excludes.filter { !isRemoved($0, steps) }
        return missed.isEmpty ? "" : "_source.excludes: \(names(missed)) are not kept"
    }

    /// Whether the transform removes every field that the pattern can name, before anything else reads it.
    private static func isRemoved(_ pattern: String, _ steps: [TransformStep]) -> Bool {
        var names = pattern.split(separator: ".").map(String.init)
        if names.last == "*" { names.removeLast() }
        guard !names.isEmpty, !names.contains(where: { $0.contains("*") }) else { return false }
        func holds(_ path: JSONPath) -> Bool { names.starts(with: path.names) }
        func touches(_ path: JSONPath) -> Bool { holds(path) || path.names.starts(with: names) }
        for step in steps {
            switch step {
            case .remove(let paths): if paths.contains(where: holds) { return true }
            case .keep(let paths): if !paths.contains(where: touches) { return true }
            case .rename(let from, _), .copy(let from, _): if touches(from) { return false }
            case .keyToValue(let options): if touches(options.field) { return false }
            case .set(let path, _, _), .change(let path, _): if touches(path) { return false }
            }
        }
        return false
    }

    private static func names(_ patterns: [String]) -> String {
        let shown = patterns.prefix(8).joined(separator: ", ")
        return patterns.count > 8 ? "\(shown) and \(patterns.count - 8) more" : shown
    }

    // MARK: The target

    /// A partial update reads the whole document and writes it back. What is not given back would be gone.
    private static func target(_ entry: Survey.Entry, _ recipe: Recipe) -> Rail? {
        guard recipe.commands.format.hasMerges else { return nil }
        let storage =
            entry.storage ?? SourceStorage(mappings: [.object(entry.mapping)], settings: entry.settings)
        guard !storage.isWhole else { return nil }
        let what =
            storage.isDisabled
            ? "_source is switched off"
            : storage.synthetic
                ?? (storage.includes.isEmpty
                    ? "_source.excludes: \(names(storage.excludes))" : "_source.includes: \(names(storage.includes))")
        return Rail(
            name: "target_fields", verdict: .refused,
            detail: "the target index \(entry.index) does not give documents back as they were written (\(what)), and "
                + "commands may be partial updates, which read the document and write it back: they would wipe what "
                + "is not given back. "
                + (entry.exists
                    ? "This cannot be changed: delete the index, then init and copy again with a mapping that keeps "
                        + "`_source` whole"
                    : "Let the mapping\(entry.mappingFromSource ? ", which is the source's," : "") and the settings "
                        + "keep `_source` whole"))
    }
}
