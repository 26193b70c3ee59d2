import Commands
import Indexing
import JSONText
import Parity
import Pipeline
import Planning
import SearchCluster

/// Says more of documents that are missing or surplus: whether the other side has them under another routing, or in
/// another spelling of the id. It asks by search, so it knows what the last refresh has shown.
struct FindingClassifier {
    private static let together = 500

    private let plan: PipelinePlan
    private let survey: Survey

    init(_ prepared: Preflight, _ plan: PipelinePlan) { (survey, self.plan) = (prepared.survey, plan) }

    /// `twins`: of how many missing documents other spellings may still be looked for.
    func classify(_ findings: [Finding], twins: inout Int) throws -> [Finding] {
        var findings = findings
        let groups = Dictionary(grouping: findings.indices) { place in
            Group(entry: findings[place].key.entry, kind: findings[place].kind)
        }
        for (group, places) in groups where group.kind == .missing || group.kind == .extra {
            var rest = places[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(Self.together))
                rest = rest.dropFirst(part.count)
                if group.kind == .missing {
                    try missing(part, group.entry, &findings, &twins)
                } else {
                    try extra(part, group.entry, &findings, &twins)
                }
            }
        }
        return findings
    }

    private struct Group: Hashable {
        var entry: Int
        var kind: FindingKind
    }

    private func text(_ id: [UInt8]) -> String { String(decoding: id, as: UTF8.self) }

    /// Documents that the new side has not under their own name.
    private func missing(_ places: [Int], _ entry: Int, _ findings: inout [Finding], _ twins: inout Int) throws {
        let there = try onTarget(places.map { text(findings[$0].key.id) }, entry)
        for place in places {
            let key = findings[place].key
            guard let other = there[text(key.id)], isOther(other, than: key) else { continue }
            findings[place].kind = .twoRoutings
            findings[place].note = "the new side has it under \(words(other.routing))"
        }
        let left = places.filter { findings[$0].kind == .missing }.prefix(max(0, twins))
        guard !left.isEmpty else { return }
        twins -= left.count
        let types = plan.entries[entry].types
        let spellings = left.map { Self.spellings(of: findings[$0].key.id, types: types) }
        let others = try onTarget(Array(Set(spellings.flatMap { $0 })), entry)
        // What the old side has under that name, too, is another document.
        let template = IDTemplate(plan.entries[entry].id)
        let own = try onSource(others.keys.flatMap { template.sourceIDs(of: $0, types: types) }, entry)
            .map { template.id($0.id, type: $0.type) }
        for (place, spellings) in zip(left, spellings) {
            guard let twin = spellings.first(where: { others[$0] != nil && !own.contains($0) }) else { continue }
            findings[place].kind = .twin
            findings[place].note = "the new side has the id \(JSONValue.string(twin).text())"
        }
    }

    /// Documents that the old side has not under their own name.
    private func extra(_ places: [Int], _ entry: Int, _ findings: inout [Finding], _ twins: inout Int) throws {
        guard survey.source != nil else { return }
        let template = IDTemplate(plan.entries[entry].id)
        let types = plan.entries[entry].types
        func ids(_ place: Int) -> [String] { template.sourceIDs(of: text(findings[place].key.id), types: types) }
        let there = Dictionary(try onSource(places.flatMap(ids), entry).map { ($0.id, $0) }) { $1 }
        for place in places {
            guard let other = ids(place).lazy.compactMap({ there[$0] }).first else { continue }
            guard isOther(other, than: findings[place].key) else { continue }
            findings[place].kind = .twoRoutings
            findings[place].note = "the old side has it under \(words(other.routing))"
        }
        let left = places.filter { findings[$0].kind == .extra }.prefix(max(0, twins))
        guard !left.isEmpty else { return }
        twins -= left.count
        let spellings = left.map { [text(findings[$0].key.id)] + Self.spellings(of: findings[$0].key.id, types: types) }
        let others = Dictionary(grouping: try onSource(Array(Set(spellings.flatMap { $0 })), entry), by: \.id)
        for (place, spellings) in zip(left, spellings) {
            let names = spellings.flatMap { others[$0] ?? [] }.map { template.id($0.id, type: $0.type) }
            guard let twin = names.first(where: { $0 != spellings[0] }) else { continue }
            findings[place].note = "the old side has the id \(JSONValue.string(twin).text()), which may be the same"
        }
    }

    /// The same name would mean that it was written after the reading, and a search shows it by now.
    private func isOther(_ document: FoundDocument, than key: DocumentKey) -> Bool {
        DocumentKey(entry: key.entry, id: key.id, routing: document.routing.map { Array($0.utf8) }) != key
    }

    private func words(_ routing: String?) -> String {
        routing.map { "the routing \(JSONValue.string($0).text())" } ?? "no routing of its own"
    }

    /// The documents of the old side with these ids of its own, under any routing; none where there is no old side.
    private func onSource(_ ids: [String], _ entry: Int) throws -> [FoundDocument] {
        guard let reader = survey.source?.reader, !ids.isEmpty else { return [] }
        var found: [FoundDocument] = []
        for index in plan.entries[entry].from {
            let info = survey.entries[entry].source.first { $0.name == index }
            var rest = ids[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(Self.together))
                rest = rest.dropFirst(part.count)
                found += try reader.find(index, ids: part, shown: info?.liveQuery)
            }
        }
        return found
    }

    /// The documents of the new side with these ids, under any routing. Tombstones do not count.
    private func onTarget(_ ids: [String], _ entry: Int) throws -> [String: FoundDocument] {
        var found: [String: FoundDocument] = [:]
        var rest = ids[...]
        while !rest.isEmpty {
            let part = Array(rest.prefix(Self.together))
            rest = rest.dropFirst(part.count)
            let target = survey.target
            for document in try target.reader.find(
                plan.entries[entry].index, ids: part, shown: target.capabilities.notTombstone)
            {
                found[document.id] = document
            }
        }
        return found
    }

    /// The path at which most of the documents differ: one wrong cast or renamed field. nil: there is none.
    static func commonPath(_ examples: [Finding]) -> String? {
        let different = examples.filter { !$0.paths.isEmpty }
        var counts: [String: Int] = [:]
        for finding in different {
            // Places in arrays do not matter.
            let paths = Set(finding.paths.map { String($0.path.prefix { $0 != "[" }) })
            for path in paths { counts[path, default: 0] += 1 }
        }
        guard let most = counts.max(by: { ($0.value, $1.key) < ($1.value, $0.key) }), most.value >= 3,
            2 * most.value > different.count
        else { return nil }
        return "\(most.value) of \(different.count) examples that differ do so at \(most.key)"
    }

    /// Other ids that may mean the same document.
    static func spellings(of id: [UInt8], types: [String]) -> [String] {
        let own = String(decoding: id, as: UTF8.self)
        var found = IDSpelling.readings(of: id, types: types).map(\.id)
        found.append(JSONValue.string(own).text())
        for separator in ["-", "_", ":", "/", "#", "|"] {
            // `0` beside `incident-0`, where no type has that name.
            if let at = own.firstRange(of: separator) { found.append(String(own[at.upperBound...])) }
        }
        var seen: Set<String> = [own]
        return found.filter { !$0.isEmpty && $0.utf8.count <= 512 && seen.insert($0).inserted }
    }
}
