import Commands
import Indexing
import JSONText
import Recipe
import SearchCluster

/// The rail `copy_version`: the versions of copied documents must be comparable with those of their commands.
package struct CopyVersionRail {
    /// The most ids that are looked up in the source.
    private static let idsWanted = 500

    private let recipe: Recipe
    private let survey: Survey
    private let samples: Samples
    private var refusals: [String] = []
    private var doubts: [String] = []
    private var looks: [String] = []

    package static func look(_ recipe: Recipe, _ survey: Survey, _ samples: Samples) -> [Rail] {
        guard recipe.source != nil else { return [] }
        var rail = CopyVersionRail(recipe: recipe, survey: survey, samples: samples)
        rail.judge()
        return rail.found
    }

    private init(recipe: Recipe, survey: Survey, samples: Samples) {
        (self.recipe, self.survey, self.samples) = (recipe, survey, samples)
    }

    private var format: CommandFormat { recipe.commands.format }

    private var found: [Rail] {
        guard refusals.isEmpty else {
            return refusals.map { Rail(name: "copy_version", verdict: .refused, detail: $0) }
        }
        return [
            Rail(
                name: "copy_version", verdict: doubts.isEmpty ? .ok : .warn,
                detail: (doubts + looks).joined(separator: "; "))
        ]
    }

    private mutating func judge() {
        let floor = DocumentVersion.floor(format)
        switch format.copiedVersion {
        case .floor where !recipe.hasCommands:
            let round = (survey.state?.copy?.round ?? 0) + 1
            looks.append(
                "without commands, copied documents have the number of the copy as their version, so that each copy "
                    + "wins over those before it; the next is number \(round)")
        case .floor:
            looks.append("copied documents have version \(floor), which every command is above")
            if format.copied == nil, case .field(let path) = format.version {
                looks.append("the version field \(path) lies outside the document")
            }
        case .field:
            guard let path = format.versionInDocument else { return }
            forEntries { rail, entry, sample, place in rail.judgeField(path, entry, sample, place) }
        case .source:
            forEntries { rail, entry, sample, place in rail.judgeSource(entry, sample, place) }
        }
    }

    private mutating func forEntries(
        _ judge: (inout CopyVersionRail, Survey.Entry, SourceSample.Entry, Int) -> Void
    ) {
        guard survey.source != nil else {
            doubts.append("the versions of the source's documents are unchecked: the source was not asked")
            return
        }
        for (place, entry) in survey.entries.enumerated() where samples.source.entries.indices.contains(place) {
            judge(&self, entry, samples.source.entries[place], place)
        }
        if doubts.isEmpty, looks.isEmpty { looks.append("the source has no documents") }
    }

    private func name(_ entry: Survey.Entry) -> String { entry.recipe.from ?? entry.index }

    // MARK: The field

    private mutating func judgeField(
        _ path: JSONPath, _ entry: Survey.Entry, _ sample: SourceSample.Entry, _ place: Int
    ) {
        if let unknown = sample.documentsUnknown {
            doubts.append("it is not known whether the documents of \(name(entry)) have the field \(path): \(unknown)")
            return
        }
        guard !sample.documents.isEmpty else { return }
        let versions = CopyVersions(format)
        let floor = DocumentVersion.floor(format)
        var without = 0
        var unread: [(id: String, why: String)] = []
        for document in sample.documents {
            document.source.withUnsafeBufferPointer { source in
                do throws(Reject) {
                    if try versions.own(source, stored: document.version) == nil { without += 1 }
                } catch {
                    if error.reason == "bad_version" { unread.append((document.name.id, error.detail)) }
                }
            }
        }
        let size = "\(sample.documents.count) sampled documents of \(name(entry))"
        if let first = unread.first {
            let text =
                "\(unread.count) of \(size) have a version field that cannot be read, as \(first.id): \(first.why). "
                + "They would be dead letters"
            guard unread.count * 2 >= sample.documents.count else { return doubts.append(text) }
            refusals.append(text + ". Name the field that holds a whole number, or say copy.version: floor")
        } else if without == sample.documents.count {
            doubts.append(
                "none of \(size) has a version in the field \(path): all are copied with version \(floor), and every "
                    + "command overwrites them, whether it is older or not. Look whether the field is named rightly")
        } else if without > 0 {
            doubts.append(
                "\(without) of \(size) have no version in the field \(path): they are copied with version \(floor), "
                    + "and every command overwrites them")
        } else {
            looks.append("all of \(size) have a version in the field \(path)")
        }
    }

    // MARK: The source's own

    private mutating func judgeSource(_ entry: Survey.Entry, _ sample: SourceSample.Entry, _ place: Int) {
        guard recipe.hasCommands else {
            let text = "copied documents of \(name(entry)) have the source's own _version"
            return looks.append(
                text + "; a document that is deleted there and made again counts from 1, so that a later copy does not "
                    + "bring it: verify finds it")
        }
        guard let reader = survey.source?.reader, !entry.source.isEmpty, entry.documents > 0 else { return }
        var agreement = VersionAgreement()
        addDocuments(sample, to: &agreement)
        let commands = survey.entries.count == recipe.indices.count ? samples.log.versions.entries[place] ?? [:] : [:]
        do throws(ClusterError) {
            try add(commands, entry, reader, to: &agreement)
        } catch {
            doubts.append("it is not known which _version the documents of the commands have: \(error)")
        }
        guard agreement.looked > 0 else {
            doubts.append(
                "it is unchecked whether the _version of \(name(entry))'s documents is the version of their commands: "
                    + "none of \(samples.log.read) sampled records is about one of them. If it is not, commands "
                    + "are lost silently")
            return
        }
        let share = "\(agreement.same) of \(agreement.looked) sampled documents of \(name(entry))"
        let examples = (agreement.other + agreement.ahead).prefix(3).map(Self.words).joined(separator: ", ")
        guard !agreement.refuses(isComplete: recipe.commands.applicationGroup != nil && survey.application != nil)
        else {
            refusals.append(
                "copy.version is source, and only \(share) have the version of their commands as their _version: "
                    + "\(examples). The source counts by itself then, and the two numbers must not be compared. Leave "
                    + "copy.version out")
            return
        }
        let text = "\(share) have the version of their commands as their _version"
        if examples.isEmpty { looks.append(text) } else { doubts.append(text + ", and not \(examples)") }
    }

    private static func words(_ example: VersionAgreement.Example) -> String {
        "\(example.id) has _version \(example.stored), and "
            + (example.place.map { "the command at \($0)" } ?? "the document's own field") + " says \(example.said)"
    }

    /// Where the document itself has the commands' version, it tells even without a command.
    private func addDocuments(_ sample: SourceSample.Entry, to agreement: inout VersionAgreement) {
        guard format.versionInDocument != nil else { return }
        var format = format
        format.copied = .field
        let versions = CopyVersions(format)
        for document in sample.documents {
            guard let stored = document.version else { continue }
            let field = document.source.withUnsafeBufferPointer { source in
                do throws(Reject) { return try versions.own(source, stored: nil) } catch { return nil }
            }
            if let field { agreement.add(document.name.id, stored: stored, field: field) }
        }
    }

    private func add(
        _ commands: [String: VersionFold.Greatest], _ entry: Survey.Entry, _ reader: ClusterReader,
        to agreement: inout VersionAgreement
    ) throws(ClusterError) {
        // Those that the source is known to have come first.
        let wanted = commands.sorted { one, other in
            (one.value.applied == nil ? 1 : 0, one.key) < (other.value.applied == nil ? 1 : 0, other.key)
        }.prefix(Self.idsWanted)
        let types = Array(Set(entry.source.flatMap(\.types)))
        let template = IDTemplate(entry.recipe.id)
        let ids = Set(wanted.flatMap { template.sourceIDs(of: $0.key, types: types) })
        for document in try SourceSample.find(Array(ids), SourceSample.readable(entry), reader) {
            let id = template.id(document.id, type: document.type)
            guard let stored = document.version, let greatest = commands[id] else { continue }
            agreement.add(id, stored: stored, commands: greatest)
        }
    }
}
