import Commands
import JSONText
import Recipe
import Schema
import SearchCluster
import Transform

/// The rail `mapping_growth`: what sampled documents and records would make the target add to its mapping, after the
/// transform, and what the others are likely to add.
struct GrowthRail {
    /// A sample says that a mapping grows without end only where so many of its documents bring names of their own.
    private static let growingDocuments = 10

    private let recipe: Recipe
    private let survey: Survey
    private let samples: Samples
    private(set) var found: [Rail] = []

    static func look(_ recipe: Recipe, _ survey: Survey, _ samples: Samples) -> [Rail] {
        var rail = GrowthRail(recipe: recipe, survey: survey, samples: samples)
        for place in survey.entries.indices { rail.judge(survey.entries[place], place) }
        return rail.found
    }

    private init(recipe: Recipe, survey: Survey, samples: Samples) {
        (self.recipe, self.survey, self.samples) = (recipe, survey, samples)
    }

    private mutating func add(_ verdict: Rail.Verdict, _ detail: String) {
        found.append(Rail(name: "mapping_growth", verdict: verdict, detail: detail))
    }

    private mutating func judge(_ entry: Survey.Entry, _ place: Int) {
        // A pattern with `{index}` stands for several targets, of which commands name none.
        let isOne = survey.entries.count == recipe.indices.count
        let mapping =
            entry.present.map { TargetMapping.bare($0.mappings) } ?? entry.templates.mapping(under: entry.mapping)
        let settings = entry.present?.settings ?? entry.templates.settingsText ?? entry.settings
        var growth = FieldGrowth(mapping: mapping)
        var rejects = Rejects()
        let transformer = Transformer(entry.recipe.transform)
        let sampled = samples.source.entries.indices.contains(place) ? samples.source.entries[place].documents : []
        for document in sampled { take(document.source, .source, transformer, &growth, &rejects) }
        let commands = isOne ? samples.log.documents.kept[place] ?? [] : []
        for document in commands { take(document.text, .log, transformer, &growth, &rejects) }
        let size = "\(sampled.count) sampled documents and \(commands.count) sampled records"
        let limit = TargetMapping.limit(settings)
        judge(growth, entry, limit: limit, settings: settings, size)
        if let (reason, detail) = rejects.first {
            add(
                .warn,
                "\(rejects.count) of \(size) for \(entry.index) would be dead letters in the transform, the first of "
                    + "them because of \(reason): \(detail)")
        }
        if growth.refused > 0 {
            add(
                .warn,
                "\(growth.refused) of \(size) have a field that the strict mapping of \(entry.index) does not name, "
                    + "the first of them \(growth.firstRefused ?? "-"): they would be dead letters. Map it, or "
                    + "`remove` it")
        }
        let depth = TargetMapping.number(settings, "mapping.depth.limit") ?? 20
        if growth.deepest > depth {
            add(
                .warn,
                "among \(size) there are objects nested \(growth.deepest) deep, and \(entry.index) takes \(depth) "
                    + "(index.mapping.depth.limit): such documents would be dead letters")
        }
    }

    private struct Rejects {
        var count = 0
        var first: (reason: String, detail: String)?
    }

    private func take(
        _ text: [UInt8], _ origin: FieldGrowth.Origin, _ transformer: Transformer, _ growth: inout FieldGrowth,
        _ rejects: inout Rejects
    ) {
        let out = ByteBuffer(capacity: text.count)
        do throws(TransformError) {
            try text.withUnsafeBufferPointer { bytes throws(TransformError) in try transformer.apply(bytes, into: out) }
        } catch {
            rejects.count += 1
            rejects.first = rejects.first ?? (error.reason, error.detail)
            return
        }
        guard let value = try? JSONValue(parsing: out.bytes) else { return }
        growth.add(value, from: origin)
    }

    // MARK: The number of fields

    private mutating func judge(
        _ growth: FieldGrowth, _ entry: Survey.Entry, limit: Int, settings: JSONValue?, _ size: String
    ) {
        let now = growth.mapped + growth.added
        let counted = "\(growth.mapped) are mapped, and \(size) add \(growth.added)"
        // The target then leaves new fields out, and takes the document.
        let isLenient = TargetMapping.setting(settings, "mapping.total_fields.ignore_dynamic_beyond_limit")
        let verdict: Rail.Verdict = isLenient?.bool == true || isLenient?.string == "true" ? .warn : .refused
        guard now <= limit else {
            return add(
                verdict,
                "the mapping of \(entry.index) would have \(now) fields, and index.mapping.total_fields.limit is "
                    + "\(limit): \(counted). \(advice(growth, entry))")
        }
        var most = 0.0
        var least = 0.0
        for origin in FieldGrowth.Origin.allCases {
            let sample = growth.sample(of: origin, whole: whole(of: origin, entry, growth))
            most = max(most, Double(now) + sample.estimate.more.expected * sample.fieldsEach)
            guard sample.growingDocuments >= Self.growingDocuments else { continue }
            least = max(least, Double(now) + sample.estimate.more.least * sample.fieldsEach)
        }
        if least > Double(limit) {
            add(
                verdict,
                "the mapping of \(entry.index) would grow to \(Self.rounded(least)) fields or more, and "
                    + "index.mapping.total_fields.limit is \(limit): \(counted), and nearly every document brings "
                    + "names of its own. \(advice(growth, entry))")
        } else if most > Double(limit) {
            add(
                .warn,
                "it is uncertain whether the mapping of \(entry.index) stays within index.mapping.total_fields.limit "
                    + "(\(limit)): \(counted), and the rest may bring it to \(Self.rounded(most)). "
                    + advice(growth, entry))
        } else {
            add(
                .ok,
                "the mapping of \(entry.index) would have \(now) fields of at most \(limit): \(counted)")
        }
    }

    /// Two digits, so that nobody takes an estimate for a count.
    private static func rounded(_ number: Double) -> Int {
        guard number.isFinite, number < 1e15 else { return .max }
        var (value, scale) = (Int(number), 1)
        while value >= 100 { (value, scale) = (value / 10, scale * 10) }
        return value * scale
    }

    /// How many documents the sample stands for.
    private func whole(of origin: FieldGrowth.Origin, _ entry: Survey.Entry, _ growth: FieldGrowth) -> Int {
        guard origin == .log else { return entry.documents }
        let records = survey.watermarks.reduce(0) { $0 + Int(max(0, $1.value.high - $1.value.low)) }
        // Several records may be of one document. As many as in the sample are taken for new ones.
        let share = Double(growth.documents[origin.rawValue]) / Double(max(1, samples.log.read))
        let ids = Int(Double(records) * min(1, share))
        return entry.source.isEmpty ? ids : min(ids, max(entry.documents, growth.documents[origin.rawValue]))
    }

    /// What grows, and the step to write.
    private func advice(_ growth: FieldGrowth, _ entry: Survey.Entry) -> String {
        guard let growing = growth.growing else { return "Raise the limit in settings" }
        let examples = growing.examples.joined(separator: ", ")
        let path = growing.path.isEmpty ? "the root" : JSONPath(names: growing.path).description
        let what = "It grows in \(path): \(growing.newNames) new names there, such as \(examples). "
        if growing.isMap {
            return what + "Add this step to the transform of \(entry.recipe.to): `- keyToValue: \(path)`"
        }
        if growing.path.isEmpty {
            return what + "`keep` the fields that are meant, or say `dynamic: false` in the mapping"
        }
        return what + "`keyToValue` takes maps only: map \(path) with `dynamic: false` or `enabled: false`, or "
            + "`remove` it"
    }
}
