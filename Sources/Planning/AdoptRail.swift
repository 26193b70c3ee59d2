import Commands
import JSONText
import Recipe
import SearchCluster

/// The rail `adopted`: an index that the application writes already (dual writes) may only be copied into where its
/// versions are of one space with those of the copy. Then whichever write of a document is newer stays.
package enum AdoptRail {
    private static let wanted = 200

    /// What pairs of documents with one id say. `theirs`: in the target.
    package struct Pairs: Sendable, Equatable {
        package var count = 0
        package var equal = 0
        package var newerThere = 0
        package var newerHere = 0
        /// Pairs whose contents were compared.
        package var compared = 0
        /// Equal versions with different contents, or different versions with equal contents.
        package var contradictions: [String] = []
        package var contradicting = 0

        package init() {}

        package mutating func add(_ id: String, ours: Int64, theirs: Int64, isSame: Bool?) {
            count += 1
            if ours == theirs { equal += 1 } else if ours < theirs { newerThere += 1 } else { newerHere += 1 }
            guard let isSame else { return }
            compared += 1
            guard isSame != (ours == theirs) else { return }
            contradicting += 1
            guard contradictions.count < 3 else { return }
            contradictions.append(
                "\(id) has version \(theirs) in the target and \(ours) in the source, and "
                    + (isSame ? "the same content" : "another content"))
        }

        /// Why the versions are not of one space; nil: nothing speaks against it.
        package var doubt: String? {
            if count == 0 { return "none of the sampled documents is on both sides, so that nothing can be compared" }
            if equal == 0 { return "no sampled document has the same version on both sides" }
            if contradicting * 100 > compared {
                return "\(contradicting) of \(compared) compared documents contradict it: "
                    + contradictions.joined(separator: "; ")
            }
            // Without contents only the versions themselves tell.
            if compared == 0, equal * 2 < count {
                return "only \(equal) of \(count) sampled documents have the same version on both sides"
            }
            return nil
        }

        package var words: String {
            "\(equal) of \(count) sampled documents that are on both sides have the same version, \(newerThere) are "
                + "newer in the target, \(newerHere) in the source"
        }
    }

    static func look(_ recipe: Recipe, _ survey: Survey) -> [Rail] {
        survey.entries.filter { survey.takesOver($0) && $0.held > 0 }.map { entry in
            do throws(ClusterError) {
                let pairs = try pairs(recipe, survey, entry)
                guard let doubt = pairs.doubt else {
                    return Rail(name: "adopted", verdict: .ok, detail: "\(entry.index): \(pairs.words)")
                }
                return Rail(
                    name: "adopted", verdict: .refused,
                    detail: "the versions in \(entry.index) are not of one space with those of the copy: \(doubt). The "
                        + "copy could overwrite newer documents, or leave older ones. Let the application write both "
                        + "sides with the same external versions, and say with copy.version where they are")
            } catch {
                return Rail(
                    name: "adopted", verdict: .refused,
                    detail: "it is not known whether the versions in \(entry.index) are of one space with those of the "
                        + "copy: \(error)")
            }
        }
    }

    private static func pairs(_ recipe: Recipe, _ survey: Survey, _ entry: Survey.Entry) throws(ClusterError) -> Pairs {
        var pairs = Pairs()
        guard let source = survey.source?.reader, entry.recipe.id == nil else { return pairs }
        let target = survey.target
        let held = SourceSample.documents(
            try target.reader.samplePage(entry.index, query: target.capabilities.notTombstone, size: wanted))
        let theirs = Dictionary(held.map { ($0.name.id, $0) }) { one, _ in one }
        let path = SourceSample.readable(entry).map(\.name).joined(separator: ",")
        guard !theirs.isEmpty, !path.isEmpty else { return pairs }
        let query = ClusterReader.query(ids: theirs.keys.sorted())
        let versions = CopyVersions(recipe.commands.format)
        let isComparable = entry.recipe.transform.isEmpty
        for document in SourceSample.documents(try source.samplePage(path, query: query, size: 2 * wanted)) {
            guard let there = theirs[document.name.id], let version = there.version else { continue }
            let ours = document.source.withUnsafeBufferPointer { text in
                (try? versions.own(text, stored: document.version)) ?? DocumentVersion.lowest
            }
            let isSame = isComparable ? content(document) == content(there) : nil
            pairs.add(document.name.id, ours: ours, theirs: version, isSame: isSame)
        }
        return pairs
    }

    private static func content(_ document: SourceSample.Document) -> JSONValue? {
        document.source.withUnsafeBufferPointer { try? JSONValue(parsing: $0) }.map(Fingerprint.canonical)
    }
}

extension Survey {
    /// Whether an index is there that no migration made, and is to be taken as it is.
    package func takesOver(_ entry: Entry) -> Bool {
        adopts && entry.exists && state?.indices.contains(entry.index) != true
    }
}
