import Commands
import Indexing
import JSONText
import Recipe
import SearchCluster

/// Whether `select` means what commands and documents have: a mistyped field or value selects nothing, and the
/// documents would then be deleted in every entry.
struct SelectionLook {
    private let format: CommandFormat
    private let survey: Survey
    private let samples: Samples

    init(_ recipe: Recipe, _ survey: Survey, _ samples: Samples) {
        (format, self.survey, self.samples) = (recipe.commands.format, survey, samples)
    }

    /// Of the sampled documents of an entry, those of which a field can be compared.
    private struct Documents {
        var mine = 0
        var others = 0
        /// The first of `others`.
        var example: FoundDocument?
        /// They lack the fields, or are not JSON.
        var silent = 0
    }

    func tell(refusals: inout [String], doubts: inout [String], looks: inout [String]) {
        guard format.isSelective, survey.entries.count == format.selectors.count else { return }
        judgeShared(&refusals)
        let tally = samples.log.attribution
        let unselected = tally.unselected
        let nobodys =
            unselected.count == 0
            ? ""
            : "\(unselected.count) of \(tally.read) sampled records select no entry"
                + (format.tombstonesMoves ? ", so that their documents are deleted in each" : " and are skipped")
        for (place, entry) in survey.entries.enumerated() {
            guard let select = format.selectors[place] else { continue }
            let documents = documents(place)
            let words = "select of \(entry.index) (\(select.field) is \(select.equals))"
            let taken = tally.taken[place] ?? 0
            if let refusal = judge(documents, words, taken, isShared: !survey.sharing(place).isEmpty) {
                refusals.append(refusal)
            } else if taken == 0, tally.read > 0 {
                let text = "\(words) takes none of \(tally.read) sampled records"
                guard unselected.count > 0, documents.mine == 0 else {
                    doubts.append(text)
                    continue
                }
                refusals.append(
                    "\(text), and \(nobodys) (\(unselected.examples.joined(separator: "; "))). Look at such a record "
                        + "for the field's path and value")
            } else if documents.others > 0, survey.sharing(place).isEmpty {
                doubts.append(
                    "\(documents.others) of \(documents.mine + documents.others) sampled documents of "
                        + "\(entry.recipe.from ?? "-") have another value than \(words) says")
            }
        }
        if !nobodys.isEmpty { looks.append(nobodys) }
    }

    /// What the entry's documents in the source say against its `select`; nil: nothing.
    private func judge(_ documents: Documents, _ words: String, _ taken: Int, isShared: Bool) -> String? {
        guard let example = documents.example else { return nil }
        let size = "\(documents.others) of \(documents.mine + documents.others) sampled documents"
        let one = "for example id \(example.id) of \(example.index)"
        if isShared {
            // A kind may be rare in an index that several entries read.
            guard documents.mine == 0, taken == 0 else { return nil }
            return "\(words) takes none of the sampled documents of its source, and no sampled record: nothing would "
                + "be in it (\(one)). Look at a document for the field's name and value"
        }
        guard documents.others > documents.mine else { return nil }
        return "\(words) contradicts the source: \(size) have another value (\(one)). The next command of each would "
            + "take it out of the new index. Look at a document for the field's name and value"
    }

    private func documents(_ place: Int) -> Documents {
        var found = Documents()
        guard samples.source.entries.indices.contains(place) else { return found }
        let among = survey.sharing(place).values.first ?? [place]
        guard let selection = CopySelection(format, among: among) else { return found }
        for document in samples.source.entries[place].documents {
            let (entry, hasValue) = document.source.withUnsafeBufferPointer { text -> (Int?, Bool) in
                do throws(Reject) {
                    let entry = try selection.entry(of: text)
                    return (entry, selection.hasValue)
                } catch {
                    return (nil, false)
                }
            }
            if entry == place {
                found.mine += 1
            } else if hasValue {
                found.others += 1
                found.example = found.example ?? document.name
            } else {
                found.silent += 1
            }
        }
        return found
    }

    /// Several entries over the same documents, which `select` cannot tell apart.
    private func judgeShared(_ refusals: inout [String]) {
        for place in survey.entries.indices {
            guard let (index, among) = survey.sharing(place).min(by: { $0.key < $1.key }), among.first == place,
                CopySelection(format, among: among) == nil
            else { continue }
            let names = among.map { survey.entries[$0].index }.joined(separator: " and ")
            let fields = among.compactMap { format.selectors[$0] }.filter { format.inDocument($0) == nil }.map {
                "\($0.field)"
            }
            refusals.append(
                "\(names) are copied from the same index \(index), and \(Set(fields).sorted().joined(separator: ", ")) "
                    + "lies outside the documents, so that each would get all. Let `from` of each be an alias of "
                    + "the source with a filter, and say `filter: source`; or select by a field of the document")
        }
    }
}
