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

    @Test(arguments: rows) func finds(_ row: String, _ names: [String]) {
        // At any place of a block of 16 bytes.
        for indent in 0..<18 {
            let text = Array((String(repeating: " ", count: indent) + row).utf8)
            text.withUnsafeBufferPointer { bytes in
                #expect(Self.columns.names(in: bytes) == names)
                if !names.isEmpty { #expect(Self.columns.mayBe(in: bytes), "\(indent) \(row)") }
            }
        }
    }

    @Test func mostRowsAreNotLookedAt() {
        let text = Array(#"{"title":"an ordinary row","_id":5,"hex":"5e5f","list":[9,5],"more":"Xa1"}"#.utf8)
        text.withUnsafeBufferPointer { #expect(!Self.columns.mayBe(in: $0)) }
    }

    @Test func ownPlaceholder() {
        let own = UnavailableColumns(placeholder: "~")
        Array(#"{"a":"~","b":"fg=="}"#.utf8).withUnsafeBufferPointer {
            #expect(own.mayBe(in: $0) && own.names(in: $0) == ["a", "b"])
        }
    }
}
