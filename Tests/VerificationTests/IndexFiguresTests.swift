import JSONText
import Parity
import SearchCluster
import Testing

@testable import Verification

@Suite struct IndexFiguresTests {
    private static let mapping = """
        {"properties":{"at":{"type":"date"},"name":{"type":"keyword"},"only":{"type":"keyword"},
        "inner":{"properties":{"x":{"type":"integer"}}},"hidden":{"type":"keyword","index":false}}}
        """

    private func sides() throws -> TwoSides {
        let sides = try TwoSides()
        sides.source.send("PUT", "/old", #"{"mappings":{"_doc":\#(Self.mapping)}}"#)
        sides.target.send(
            "PUT", "/new", #"{"mappings":\#(Self.mapping.replacing("\"only\"", with: "\"other\""))}"#)
        return sides
    }

    @Test func bothSidesAreCounted() throws {
        let sides = try sides()
        for number in 0..<30 {
            let text = #"{"at":"2026-\#(number < 10 ? "01" : "07")-01","name":"x","inner":{"x":1},"hidden":"h"}"#
            sides.old("\(number)", text)
            if number < 25 { sides.new("\(number)", text) }
        }
        sides.new("gone", #"{"crossfade_deleted":true,"crossfade_deleted_at":1}"#)
        var figures = IndexFigures(try sides.sides())
        var indices = try figures.counts()
        #expect(indices.first?.fields.isEmpty == true)
        figures.addDetails(&indices, histogram: nil)
        let found = try #require(indices.first)
        #expect((found.sourceTotal, found.targetTotal, found.tombstones) == (30, 25, 1))
        #expect(found.from == ["old"])
        #expect(found.histogramField == "at")
        #expect(found.histogram.reduce(0) { $0 + $1.source } == 30)
        #expect(found.histogram.reduce(0) { $0 + $1.target } == 25)
        #expect(found.histogram.first?.source == 10 && found.histogram.last?.source == 20)
        #expect(found.histogram.count <= 12)
        let fields = Dictionary(uniqueKeysWithValues: found.fields.map { ($0.field, $0) })
        #expect(Set(fields.keys) == ["at", "name", "other", "inner.x"])
        #expect(fields["name"] == Receipt.FieldCount(field: "name", source: 30, target: 25, ignored: 0))
        #expect(fields["other"]?.source == nil)
    }

    /// The new side maps the field as the old one does, and the transform takes it away.
    @Test func whatTheTransformTakesAwayIsNotMissed() throws {
        let sides = try sides()
        sides.old("1", #"{"name":"x"}"#)
        var both = try sides.sides()
        both.entries[0].transform = [.remove([JSONPath(names: ["name"])])]
        var figures = IndexFigures(both)
        var indices = try figures.counts()
        figures.addDetails(&indices, histogram: nil)
        let name = indices.first?.fields.first { $0.field == "name" }
        #expect(name == Receipt.FieldCount(field: "name", source: nil, target: 0, ignored: 0))
    }

    @Test func copiesThatDisagreeAreNamed() {
        func copy(_ shard: Int, _ node: String, _ documents: Int64) -> CopyFigures {
            CopyFigures(shard: shard, node: node, isPrimary: node == "a", documents: documents, sequence: nil)
        }
        let suspicious = IndexFigures.suspicious(
            [copy(0, "a", 5), copy(0, "b", 5), copy(1, "a", 7), copy(1, "b", 6)])
        #expect(suspicious == [[copy(1, "a", 7), copy(1, "b", 6)]])
        let words = IndexFigures.disagreement([(copy(1, "a", 7), 7), (copy(1, "b", 6), 6)], of: "new", "target")
        #expect(words?.contains("shard 1 of new") == true)
        #expect(words?.contains("7 on node a (primary), 6 on node b") == true)
        // The statistics count nested documents and tombstones, too.
        #expect(IndexFigures.disagreement([(copy(1, "a", 7), 6), (copy(1, "b", 6), 6)], of: "new", "target") == nil)
    }
}
