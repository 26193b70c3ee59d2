import JSONText

/// What a repair has done, or would do.
package struct RepairReport: Sendable, Equatable {
    /// What became of documents that were found wrong. Each counts once.
    package struct Counts: Sendable, Equatable {
        package var written = 0
        package var deleted = 0
        /// As they should be by now.
        package var right = 0
        /// Something newer came in the meantime.
        package var overtaken = 0
        /// The index does not take the document.
        package var refused = 0
        package var left: [RepairDoubt: Int] = [:]

        /// How many were found.
        package var found: Int { written + deleted + right + overtaken + refused + leftCount }
        package var leftCount: Int { left.values.reduce(0, +) }

        /// Whether nothing is wrong but what the old side has otherwise than the log says.
        package var onlyLogAgrees: Bool { found > 0 && left[.logAgrees] == found }

        package init() {}

        package static func += (sum: inout Counts, more: Counts) {
            sum.written += more.written
            sum.deleted += more.deleted
            sum.right += more.right
            sum.overtaken += more.overtaken
            sum.refused += more.refused
            sum.left.merge(more.left, uniquingKeysWith: +)
        }
    }

    /// What was wrong, and where.
    package struct Place: Sendable, Hashable {
        package var entry: Int
        package var kind: FindingKind

        package init(entry: Int, kind: FindingKind) { (self.entry, self.kind) = (entry, kind) }
    }

    package struct Example: Sendable, Equatable {
        package var key: DocumentKey
        package var kind: FindingKind
        /// `write`, `delete`, or why it is left.
        package var step: String
        package var version: Int64?
        /// What came of it: `written`, `deleted`, `overtaken`, `refused`; nil: it is listed only, or left.
        package var outcome: String?

        package init(key: DocumentKey, kind: FindingKind, step: String, version: Int64?) {
            (self.key, self.kind, self.step, self.version) = (key, kind, step, version)
        }
    }

    package var places: [Place: Counts] = [:]
    /// At most the limit of each step.
    package var examples: [Example] = []
    /// Whether it was done; if not, it is what would be done.
    package var isPerformed: Bool

    package init(isPerformed: Bool) { self.isPerformed = isPerformed }

    /// By entry.
    package var indices: [Int: Counts] {
        places.reduce(into: [:]) { $0[$1.key.entry, default: Counts()] += $1.value }
    }
    package var sum: Counts { places.values.reduce(into: Counts()) { $0 += $1 } }
    /// In the order in which they are shown.
    package var rows: [(place: Place, counts: Counts)] {
        let kinds = FindingKind.allCases
        return places.sorted { one, other in
            let (left, right) = (one.key, other.key)
            if left.entry != right.entry { return left.entry < right.entry }
            return kinds.firstIndex(of: left.kind) ?? 0 < kinds.firstIndex(of: right.kind) ?? 0
        }.map { ($0.key, $0.value) }
    }
}

extension RepairReport {
    package var json: JSONValue {
        [
            "performed": .bool(isPerformed), "totals": sum.json,
            "rows": .array(
                rows.map { place, counts in
                    var row: JSONObject = ["entry": .number(place.entry), "kind": .string(place.kind.rawValue)]
                    for (name, value) in counts.json.object ?? JSONObject() { row[name] = value }
                    return .object(row)
                }),
            "examples": .array(
                examples.map { example in
                    var members = example.key.json.object ?? JSONObject()
                    members["kind"] = .string(example.kind.rawValue)
                    members["step"] = .string(example.step)
                    members["version"] = example.version.map { .number($0) } ?? .null
                    members["outcome"] = example.outcome.map { .string($0) } ?? .null
                    return .object(members)
                }),
        ]
    }

    /// nil: this version does not understand it.
    package init?(json: JSONValue) {
        guard let isPerformed = json["performed"]?.bool else { return nil }
        self.init(isPerformed: isPerformed)
        for row in json["rows"]?.array ?? [] {
            guard let entry = row["entry"]?.size,
                let kind = row["kind"]?.string.flatMap(FindingKind.init)
            else { continue }
            places[Place(entry: entry, kind: kind)] = Counts(json: row)
        }
        for example in json["examples"]?.array ?? [] {
            guard let key = DocumentKey(json: example), let kind = example["kind"]?.string.flatMap(FindingKind.init),
                let step = example["step"]?.string
            else { continue }
            examples.append(Example(key: key, kind: kind, step: step, version: example["version"]?.compared))
            examples[examples.count - 1].outcome = example["outcome"]?.string
        }
    }
}

extension RepairReport.Counts {
    package var json: JSONValue {
        [
            "found": .number(found), "written": .number(written), "deleted": .number(deleted),
            "right": .number(right), "overtaken": .number(overtaken), "refused": .number(refused),
            "left": .object(
                JSONObject(
                    left.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key.rawValue, .number($0.value)) })),
        ]
    }

    init(json: JSONValue) {
        self.init()
        func count(_ name: String) -> Int { json[name]?.size ?? 0 }
        (written, deleted, right) = (count("written"), count("deleted"), count("right"))
        (overtaken, refused) = (count("overtaken"), count("refused"))
        for (name, number) in json["left"]?.object ?? JSONObject() {
            if let doubt = RepairDoubt(rawValue: name) { left[doubt] = number.size ?? 0 }
        }
    }
}
