import Commands
import JSONText
import Testing

@Suite struct UnavailableColumnsTests {
    static let gone = "__debezium_unavailable_value"
    static let columns = UnavailableColumns(placeholder: gone)

    static let rows: [(String, [String])] = [
        (#"{"a":"\#(gone)","b":1}"#, ["a"]),
        (#"{"a":"X19kZWJleml1bV91bmF2YWlsYWJsZV92YWx1ZQ==","b":"x"}"#, ["a"]),
        (#"{"a":"5f5f646562657a69756d5f756e617661696c61626c655f76616c7565"}"#, ["a"]),
        (#"{"a":["\#(gone)"],"b":{"\#(gone)":"\#(gone)"}}"#, ["a", "b"]),
        (#"{"a":"{\"\#(gone)\":\"\#(gone)\"}"}"#, ["a"]),
        (#"{"a":["b68a35a7-17ad-35b3-af2a-ae46edb4545a"]}"#, ["a"]),
        ("{\"a\":[\(gone.utf8.map { String($0) }.joined(separator: ","))]}", ["a"]),
        (#"{"a":"speaks of \#(gone)","b":["\#(gone)","x"]}"#, []),
        (#"{"a":"__","b":"5f5f","c":[95,95]}"#, []),
        (#"{"nested":{"a":"\#(gone)","b":2}}"#, []),
        ("{}", []),
    ]

    @Test(arguments: rows) func finds(_ row: String, _ names: [String]) throws {
        // At any place of a block of 16 bytes.
        for indent in 0..<18 {
            let text = Array((String(repeating: " ", count: indent) + row).utf8)
            try text.withUnsafeBufferPointer { bytes throws in
                #expect(try Self.columns.names(in: bytes) == names)
                if !names.isEmpty { #expect(Self.columns.mayBe(in: bytes), "\(indent) \(row)") }
            }
        }
    }

    @Test func mostRowsAreNotLookedAt() {
        let text = Array(#"{"title":"an ordinary row","_id":5,"hex":"5e5f","list":[9,5],"more":"Xa1"}"#.utf8)
        text.withUnsafeBufferPointer { #expect(!Self.columns.mayBe(in: $0)) }
    }

    @Test func ownPlaceholder() throws {
        let own = UnavailableColumns(placeholder: "~")
        try Array(#"{"a":"~","b":"fg=="}"#.utf8).withUnsafeBufferPointer { row throws in
            #expect(own.mayBe(in: row))
            #expect(try own.names(in: row) == ["a", "b"])
        }
    }

    /// A row with more values than a tree may have counted as one without such columns: the placeholder was written.
    @Test func aRowThatIsNoTreeIsNotKnownToHaveNone() {
        let text = Array("{\"a\":\"__debezium_unavailable_value\",\"b\":\(String(repeating: "[", count: 1_001))".utf8)
        text.withUnsafeBufferPointer { row in
            #expect(Self.columns.mayBe(in: row))
            #expect(throws: JSONError.self) { try Self.columns.names(in: row) }
        }
    }
}
