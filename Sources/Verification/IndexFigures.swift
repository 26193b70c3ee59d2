import Failures
import Foundation
import JSONText
import Parity
import Runtime
import SearchCluster
import Transform

/// What the two sides say of themselves, in a few seconds: counts, dates, fields, copies. None of it proves that they
/// are alike; it shows at once where they are not, and what a comparison of documents cannot see.
package struct IndexFigures: Sendable {
    private let sides: ScanSides
    private let target: ClusterReader
    private let source: ClusterReader?
    /// What could not be found out, in words.
    package private(set) var remarks: [String] = []

    /// Bars of a histogram at most, and fields that are counted at most.
    private static let bars: Int64 = 12
    private static let mostFields = 500

    package init(_ sides: ScanSides) {
        self.sides = sides
        target = sides.target.reader
        source = sides.source?.reader
    }

    /// How much each side has, and the newest write of each shard. It is to be taken before the documents are read:
    /// what is written behind these writes is not compared. Throws when a side cannot be counted; what else is not
    /// known is a remark.
    package mutating func counts() throws -> [Receipt.Index] {
        try sides.entries.map { entry in
            var figures = Receipt.Index(name: entry.index)
            figures.from = entry.source.map(\.name)
            figures.uuid = entry.uuid
            figures.targetTotal = Int(try target.count(entry.index, query: hidesTombstones))
            figures.tombstones = Int(try target.count(entry.index, query: Capabilities.tombstones()))
            for index in entry.source {
                figures.sourceTotal += Int(try source?.count(index.name, query: index.liveQuery) ?? 0)
            }
            try checkStop()
            addCopies(&figures)
            return figures
        }
    }

    /// Adds the counts of fields and dates, which are many questions. Nothing is concluded from them, so documents may
    /// be read meanwhile. What is not known is a remark.
    ///
    /// - Parameters:
    ///   - indices: of ``counts()``.
    ///   - histogram: the date field of the recipe; nil: the only date field that both sides have.
    package mutating func addDetails(_ indices: inout [Receipt.Index], histogram: JSONPath?) {
        for (number, entry) in sides.entries.enumerated() where indices.indices.contains(number) {
            count(fields: entry, &indices[number])
            draw(entry, histogram?.names.joined(separator: "."), &indices[number])
        }
    }

    private var hidesTombstones: JSONValue { sides.target.capabilities.notTombstone }

    private func checkStop() throws {
        guard StopSignal.isAsked else { return }
        throw WorkError(.interrupted, "interrupted while both sides were counted")
    }

    /// The value, or nil with a remark.
    private mutating func known<T>(_ what: String, _ look: () throws -> T) -> T? {
        do {
            return try look()
        } catch {
            remarks.append("\(what) is not known: \(error)")
            return nil
        }
    }

    // MARK: Fields

    /// Fields that the new side has, and those in which a search of the old side finds values that the new side has,
    /// too, but may not find: it does not map or index them.
    private mutating func count(fields entry: ScanSides.Entry, _ figures: inout Receipt.Index) {
        guard let present = entry.target else { return }
        let theirs = entry.source.reduce(into: [:]) { $0.merge($1.searchableFields) { one, _ in one } }
        let own = present.searchableFields.filter { !$0.key.hasPrefix("crossfade_") }
        let kept = theirs.filter { own[$0.key] == nil && Self.keeps($0.key, entry.transform) }
        let names = own.keys.sorted() + kept.keys.sorted()
        if names.count > Self.mostFields {
            remarks.append("\(entry.index) has \(names.count) fields; \(Self.mostFields) of them were counted")
        }
        for field in names.prefix(Self.mostFields) where !StopSignal.isAsked {
            let (source, target, query) = (source, target, hidesTombstones)
            let counted = known("how many documents of \(entry.index) have \(field)") {
                let isSought = try kept[field].map { try target.seeks(entry.index, field, type: $0) } ?? true
                var count = Receipt.FieldCount(
                    field: field, source: nil,
                    target: isSought ? Int(try target.count(entry.index, having: field, query: query)) : 0)
                count.ignored = try target.count(entry.index, ignoring: field, query: query).map { Int($0) }
                // What the transform makes, changes or takes away is to be found in other numbers.
                guard theirs[field] != nil, Self.keeps(field, entry.transform), let source else { return count }
                count.source = try entry.source.reduce(0) {
                    $0 + Int(try source.count($1.name, having: field, query: $1.liveQuery))
                }
                return count
            }
            // What the old side maps and no document has is missed by nobody.
            if let counted, kept[field] == nil || counted.source != 0 { figures.fields.append(counted) }
        }
    }

    /// Whether the documents of the new side have a field of the old side as it was.
    private static func keeps(_ field: String, _ transform: [TransformStep]) -> Bool {
        let path = JSONPath(names: field.split(separator: ".").map(String.init))
        return transform.allSatisfy { $0.leaves(path) }
    }

    // MARK: Dates

    /// The field of the recipe, or the only date field that both sides have.
    private func dateField(_ entry: ScanSides.Entry, _ wanted: String?) -> String? {
        if let wanted { return wanted }
        func dates(_ index: IndexInfo?) -> Set<String> {
            Set((index?.searchableFields ?? [:]).filter { $0.value == "date" }.keys)
        }
        let common = entry.source.reduce(dates(entry.target)) { $0.intersection(dates($1)) }
            .filter { !$0.hasPrefix("crossfade_") }
        return entry.source.isEmpty || common.count != 1 ? nil : common.first
    }

    private mutating func draw(_ entry: ScanSides.Entry, _ wanted: String?, _ figures: inout Receipt.Index) {
        guard let field = dateField(entry, wanted) else { return }
        let sides =
            [(target, entry.index, Optional(hidesTombstones))]
            + entry.source.compactMap { index in
                source.map { ($0, index.name, index.liveQuery) }
            }
        let bars = known("the histogram of \(entry.index) by \(field)") { () -> [Receipt.Bar] in
            var bounds: [Int64] = []
            for (reader, index, query) in sides {
                for isLatest in [false, true] {
                    if let date = try reader.bound(index, date: field, isLatest: isLatest, query: query) {
                        bounds.append(date)
                    }
                }
            }
            return try HistogramBars.between(bounds.min(), bounds.max(), atMost: Self.bars).map { from, to in
                var bar = Receipt.Bar(from: from, source: 0, target: 0)
                for (place, (reader, index, query)) in sides.enumerated() {
                    let count = Int(try reader.count(index, date: field, from: from, to: to, query: query))
                    if place == 0 { bar.target += count } else { bar.source += count }
                }
                return bar
            }
        }
        guard let bars, !bars.isEmpty else { return }
        (figures.histogramField, figures.histogram) = (field, bars)
    }

    // MARK: Copies

    private mutating func addCopies(_ figures: inout Receipt.Index) {
        let (target, source) = (target, source)
        let name = figures.name
        for copy in known("what each shard of \(name) holds", { try target.copies(name) }) ?? [] {
            guard let sequence = copy.sequence else { continue }
            figures.sequence[copy.shard] = max(sequence, figures.sequence[copy.shard] ?? sequence)
        }
        var places = [("target", target, name, Optional(hidesTombstones))]
        for entry in sides.entries where entry.index == name {
            if let source { places += entry.source.map { ("source", source, $0.name, $0.liveQuery) } }
        }
        for (side, reader, index, query) in places {
            let copies = known("what each shard of \(index) holds") { try reader.copies(index) } ?? []
            for shard in Self.suspicious(copies) {
                // What the statistics count is not only what a search finds. So each copy is asked.
                let found = known("what each copy of shard \(shard[0].shard) of \(index) holds") {
                    try shard.map { ($0, try reader.count(index, in: $0, query: query)) }
                }
                if let words = Self.disagreement(found ?? [], of: index, side) { figures.copies.append(words) }
            }
        }
    }

    /// The copies of shards that do not hold the same number of documents, shard by shard.
    static func suspicious(_ copies: [CopyFigures]) -> [[CopyFigures]] {
        let shards = Dictionary(grouping: copies) { $0.shard }.sorted { $0.key < $1.key }
        return shards.map(\.value).filter { Set($0.map(\.documents)).count > 1 }
    }

    /// That searches of the copies of a shard do not find the same number of documents, in words; nil: they do.
    static func disagreement(_ copies: [(CopyFigures, Int64?)], of index: String, _ side: String) -> String? {
        let counts = Set(copies.compactMap(\.1))
        guard let shard = copies.first?.0.shard, counts.count > 1 else { return nil }
        let list = copies.map { copy, count -> String in
            "\(count.map(String.init) ?? "unknown") on node \(copy.node)" + (copy.isPrimary ? " (primary)" : "")
        }
        return "the \(side) disagrees with itself: the copies of shard \(shard) of \(index) hold different numbers of "
            + "documents: " + list.joined(separator: ", ")
    }
}
