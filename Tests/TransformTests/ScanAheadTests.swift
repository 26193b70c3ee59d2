import JSONText
import Testing

@testable import Transform

@Suite struct ScanAheadTests {
    private func apply(_ transformer: Transformer, _ text: [UInt8], _ range: Range<Int>) -> String {
        let out = ByteBuffer()
        return text.withUnsafeBufferPointer { bytes in
            do throws(TransformError) {
                try transformer.apply(Bytes(rebasing: bytes[range]), into: out)
                return String(repairing: out.bytes)
            } catch {
                return "error \(error.reason)"
            }
        }
    }

    /// A document scanned on the extractor's way comes out as one that was scanned by itself, whatever surrounds it.
    @Test(arguments: [
        #"{"a":1,"m":{"tags":{"x":"1","b":2},"n":[1,{"q":null}]},"z":"}"}"#,
        #"{"m":{"tags":{"x":"1"}},"m":{"tags":{"y":"\u0041"}}}"#,
        "{\"m\": {\n \"tags\": {\"x\":\n \"1\"}}}", #"{"m":{}}"#, #"{"m":5}"#, #"{"m":{"tags":7}}"#,
        #"{"m":{"tags":{"x":"1"}},"m":null}"#,
    ])
    func sameAsByItself(text: String) throws {
        let field = try JSONPath(parsing: "tags")
        let steps = [TransformStep.keyToValue(KeyToValue(field: field))]
        let ahead = Transformer(steps)
        let extractor = JSONExtractor(paths: [try JSONPath(parsing: "m")], scanned: 0, by: ahead)
        let bytes = Array(text.utf8)
        for _ in 0..<3 {
            try bytes.withUnsafeBufferPointer { buffer in
                try extractor.extract(buffer)
                let slice = extractor[0]
                let out = ByteBuffer()
                var result = ""
                do throws(TransformError) {
                    try ahead.apply(Bytes(rebasing: buffer[slice.start..<slice.end]), into: out)
                    result = String(repairing: out.bytes)
                } catch {
                    result = "error \(error.reason)"
                }
                #expect(result == apply(Transformer(steps), bytes, slice.start..<slice.end))
            }
        }
    }

    /// What was scanned ahead and never applied does not leak into the next document.
    @Test func forgottenWhenAnotherDocumentComes() throws {
        let ahead = Transformer([.keyToValue(KeyToValue(field: try JSONPath(parsing: "tags")))])
        let extractor = JSONExtractor(paths: [try JSONPath(parsing: "m")], scanned: 0, by: ahead)
        let one = Array(#"{"m":{"tags":{"x":"1"}}}"#.utf8)
        try one.withUnsafeBufferPointer { try extractor.extract($0) }
        let other = Array(#"{"tags":{"y":"2"}}"#.utf8)
        #expect(apply(ahead, other, 0..<other.count) == #"{"tags":[{"keyToValue":"y:2","value":"2"}]}"#)
    }

    /// Errors keep their place in the whole text, and the scan after one is clean.
    @Test func errorsKeepTheirPlace() throws {
        let ahead = Transformer([])
        let extractor = JSONExtractor(paths: [try JSONPath(parsing: "m")], scanned: 0, by: ahead)
        let bad = Array(#"{"m":{"a":tru}}"#.utf8)
        let alone = JSONExtractor(paths: [])
        bad.withUnsafeBufferPointer { buffer in
            var places: [Int] = []
            for one in [extractor, alone] {
                do throws(JSONError) { try one.extract(buffer) } catch { places.append(error.offset) }
            }
            #expect(places.count == 2 && places[0] == places[1])
        }
    }
}
