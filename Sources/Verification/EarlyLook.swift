import Commands
import Failures
import JSONText
import Parity
import Pipeline
import SearchCluster

/// A look at a few documents before all are read. Where nearly everything differs, it says so in a second, and at which
/// path. It decides nothing: a document may differ because a command for it is under way.
package struct EarlyLook: Sendable {
    /// Documents of each source index that are looked at.
    private static let size = 200
    /// Larger documents, in bytes, are not looked at: all of a page are held at once.
    private static let longest = 1 << 20
    /// Differing paths that are kept of one document.
    private static let pathsKept = 5

    /// Documents that were looked at, and those that the two sides do not have alike.
    package private(set) var looked = 0
    package private(set) var differing: [DocumentKey] = []
    /// How many of the differing documents differ at a path, with one of them as an example. "" is the whole document,
    /// which the new side lacks. Places in arrays are left out.
    package private(set) var paths: [String: (count: Int, example: PathDifference)] = [:]

    /// Whether nearly all that was looked at differs.
    package var isAlarming: Bool { looked >= 20 && differing.count * 10 >= looked * 9 }

    /// What is common to the documents that differ, in words; nil: nothing is, or they are few.
    package var words: String? {
        guard isAlarming else { return nil }
        let start = "\(differing.count) of the first \(looked) documents differ"
        // The same number of documents may differ at several paths.
        let common = paths.max { ($0.value.count, $1.key) < ($1.value.count, $0.key) }
        guard let (path, found) = common, found.count * 10 >= differing.count * 8 else { return start }
        guard !path.isEmpty else { return start + ": the target has none of them" }
        let (expected, other) = (Self.kind(found.example.expected), Self.kind(found.example.found))
        let what = expected == other ? "other values" : "expected \(expected), found \(other)"
        return start + ", \(found.count) of them at \(path): \(what)"
    }

    /// What a value is. Values themselves are not shown: this is logged, and some must be shown to nobody.
    private static func kind(_ text: String?) -> String {
        switch text?.utf8.first.map(JSONScanner.kind) ?? .absent {
        case .absent: "nothing"
        case .null: "null"
        case .boolean: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// Takes the look. What cannot be read now is not looked at.
    init(_ sides: ScanSides, plan: PipelinePlan, options: ParityScan.Options) {
        let form = CopyForm(plan)
        for (number, entry) in sides.entries.enumerated() {
            for index in entry.source {
                guard let reader = sides.source?.reader,
                    let page = try? reader.samplePage(index.name, query: index.liveQuery, size: Self.size)
                else { continue }
                withExtendedLifetime(page) { look(page, number, entry, sides, form, options) }
            }
        }
    }

    private mutating func look(
        _ page: Page, _ number: Int, _ entry: ScanSides.Entry, _ sides: ScanSides, _ form: CopyForm,
        _ options: ParityScan.Options
    ) {
        let request = MultiGetRequest()
        let type = sides.target.capabilities.typed ? entry.target?.types.first.map { Array($0.utf8) } : nil
        var asked: [(key: DocumentKey, document: [UInt8])] = []
        let document = ByteBuffer()
        for hit in page.hits {
            document.removeAll()
            guard let written = try? form.write(hit, of: page, entry: number, into: document),
                document.count <= Self.longest
            else { continue }
            let key = DocumentKey(entry: number, id: Array(written.id), routing: written.routing.map { Array($0) })
            asked.append((key, Array(document.bytes)))
            (type ?? []).withUnsafeBufferPointer { bytes in
                request.append(id: written.id, routing: written.routing, type: type == nil ? nil : bytes)
            }
        }
        guard !asked.isEmpty, let answer = try? sides.target.reader.multiGet(entry.index, request) else { return }
        withExtendedLifetime(answer) {
            for (one, got) in zip(asked, answer.documents) where got.error == nil {
                looked += 1
                compare(one.key, one.document, got.source.map { answer.bytes($0) }, options)
            }
        }
    }

    private mutating func compare(
        _ key: DocumentKey, _ expected: [UInt8], _ found: Bytes?, _ options: ParityScan.Options
    ) {
        guard let found, !Tombstone.isOne(found) else {
            differing.append(key)
            return note(PathDifference(path: "", expected: nil, found: nil))
        }
        let paths = expected.withUnsafeBufferPointer { expected in
            DocumentDifference.paths(
                expected: expected, found: found, ignoring: options.ignoring,
                emptyArrayIsAbsent: options.emptyArrayIsAbsent, limit: Self.pathsKept)
        }
        guard !paths.isEmpty else { return }
        differing.append(key)
        for path in Dictionary(paths.map { (Self.withoutPlaces($0.path), $0) }, uniquingKeysWith: { one, _ in one }) {
            note(PathDifference(path: path.key, expected: path.value.expected, found: path.value.found))
        }
    }

    private mutating func note(_ difference: PathDifference) {
        let known = paths[difference.path]
        paths[difference.path] = ((known?.count ?? 0) + 1, known?.example ?? difference)
    }

    /// `tags[2].key` as `tags.key`.
    static func withoutPlaces(_ path: String) -> String {
        var out = ""
        var isInside = false
        for character in path {
            if character == "[" { isInside = true }
            if !isInside { out.append(character) }
            if character == "]" { isInside = false }
        }
        return out
    }
}
