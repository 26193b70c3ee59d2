import Commands
import JSONText
import Testing
import Transform

@Suite struct TombstoneTests {
    private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test func isWhatTheMappingSays() throws {
        let body = ByteBuffer()
        Tombstone.append(to: body, time: 1_700_000_000_123)
        #expect(
            String(decoding: body.bytes, as: UTF8.self)
                == #"{"crossfade_deleted":true,"crossfade_deleted_at":1700000000123}"#)
        #expect(Tombstone.isOne(body.bytes))
        for other in [
            "{}", "", #"{"crossfade_deleted":true}"#, #"{"crossfade_deleted":false,"crossfade_deleted_at":1}"#,
            #"{"a":1,"crossfade_deleted":true,"crossfade_deleted_at":1}"#,
        ] {
            #expect(!bytes(other).withUnsafeBufferPointer(Tombstone.isOne), "\(other)")
        }
    }

    /// A document that would be taken for a tombstone is a reject, however its key is written.
    @Test(arguments: ["crossfade_deleted", "crossfade_deleted_at", #"crossfade\u005fdeleted"#])
    func aDocumentOfTheApplicationMayNotHaveItsFields(field: String) throws {
        for steps in [[], [rename("a", "b")], [tags()]] {
            for document in [
                "{\"\(field)\":true}", "{\"a\":1,\"\(field)\":null,\"z\":2}", "{\n\"tags\":{\"k\":1},\"\(field)\":{}}",
                "{\"\(field)\":1,\"\(field)\":2}",
            ] {
                #expect(reason(steps, document) == "reserved_field", "\(document)")
            }
        }
        let merging = Transformer([tags()])
        let out = ByteBuffer()
        #expect(throws: TransformError.self) {
            try bytes("{\"\(field)\":true}").withUnsafeBufferPointer { partial in
                try bytes(#"{"a":1}"#).withUnsafeBufferPointer {
                    try merging.merge(base: $0, partial: partial, mode: .deep, into: out)
                }
            }
        }
        #expect(out.count == 0)
    }

    @Test func elsewhereTheNamesMeanNothing() throws {
        for document in [
            #"{"a":{"crossfade_deleted":true},"b":["crossfade_deleted"]}"#, #"{"crossfade_deletes":1}"#,
            #"{"Crossfade_deleted":1,"crossfade_deleted_on":2}"#,
        ] {
            #expect(try apply([], document) == document)
            #expect(try apply([rename("a.x", "a.y")], document) == document)
        }
        // Nested under a step's path, as a key of a flattened map, and as what a step takes away.
        #expect(
            try apply([tags()], #"{"tags":{"crossfade_deleted":true}}"#)
                == #"{"tags":[{"keyToValue":"crossfade_deleted:true","value":"true"}]}"#)
        #expect(try apply([.remove([path("crossfade_deleted")])], #"{"crossfade_deleted":1,"a":2}"#) == #"{"a":2}"#)
        #expect(try apply([rename("crossfade_deleted", "gone")], #"{"crossfade_deleted":1}"#) == #"{"gone":1}"#)
    }

    @Test func stepsThatMakeItsFieldsAreFound() {
        let steps: [TransformStep] = [
            rename("a", "b"), rename("a", "crossfade_deleted"),
            .copy(from: path("a"), to: path("crossfade_deleted_at.x")),
            .set(field: path("crossfade_deleted"), json: "true", ifMissing: true), .remove([path("crossfade_deleted")]),
            rename("crossfade_deleted", "x.crossfade_deleted"),
        ]
        #expect(Transformer.reservedFields(madeBy: steps).map(\.step) == [1, 2, 3])
    }

    private func rename(_ from: String, _ to: String) -> TransformStep { .rename(from: path(from), to: path(to)) }
}
