import Commands
import JSONText
import Testing

/// Which entry takes a copied document, where several read one index.
@Suite struct CopySelectionTests {
    private func entry(_ document: String, _ format: CommandFormat, among: [Int] = [0, 1, 2]) -> String {
        guard let selection = CopySelection(format, among: among) else { return "outside" }
        let text: [UInt8]? = Array(document.utf8)
        return text.borrowed { bytes in
            do throws(Reject) {
                return try selection.entry(of: bytes ?? Bytes(start: nil, count: 0)).map { "\($0)" } ?? "none"
            } catch {
                return error.reason
            }
        }
    }

    @Test func aDocumentIsOfTheEntryThatItsCommandsHave() {
        let format = SelectionTests.enveloped()
        #expect(entry(#"{"kind":"a"}"#, format) == "0")
        #expect(entry(#"{"kind":"\u0062"}"#, format) == "1")
        #expect(entry(#"{"kind":"c"}"#, format) == "2")
        #expect(entry(#"{"kind":["a"]}"#, format) == "2")
        #expect(entry("{}", format) == "2")
        #expect(entry(#"{"kind":"b"}"#, format, among: [0, 1]) == "1")
        #expect(entry(#"{"kind":"c"}"#, format, among: [0, 1]) == "none")
        #expect(entry(#"{"kind":"#, format) == "not_json")
    }

    @Test func aRowLiesInsideTheEvent() {
        #expect(entry(#"{"kind":"b"}"#, SelectionTests.debezium(), among: [0, 1]) == "1")
        let table = CommandFormat(
            shape: .debezium(id: nil), selectors: [SelectionTests.selector("source.table", "a"), nil])
        #expect(entry(#"{"table":"a"}"#, table, among: [0, 1]) == "outside")
    }

    @Test func aFieldOutsideTheDocumentTellsNothing() {
        #expect(entry("{}", SelectionTests.enveloped("kind")) == "outside")
    }

    @Test(arguments: ["1", "1.0", "1e0", "10e-1", #""1""#])
    func numbersAreComparedByTheirValues(_ number: String) {
        let format = envelope(selectors: [SelectionTests.selector("message.kind", "1"), nil])
        #expect(entry(#"{"kind":\#(number)}"#, format, among: [0, 1]) == "0")
        let decoder = CommandDecoder(format)
        let given = Given(#"{"command":"Put","id":"7","message":{"kind":\#(number)}}"#)
        #expect(given.decoded(decoder).hasPrefix("index 0 7"))
        #expect(!decoder.selectsNone)
    }

    @Test(arguments: ["-1", "1.01", "10", "0", #""1.0""#, "true", "null"])
    func otherValuesAreOthers(_ value: String) {
        let format = envelope(selectors: [SelectionTests.selector("message.kind", "1"), nil])
        #expect(entry(#"{"kind":\#(value)}"#, format, among: [0, 1]) == "1")
    }

    @Test func zeroHasNoSign() {
        let format = envelope(selectors: [SelectionTests.selector("message.kind", "0"), nil])
        #expect(entry(#"{"kind":-0.0}"#, format, among: [0, 1]) == "0")
    }

    @Test func theDecoderSaysWhenNoEntryTakesARecord() {
        let decoder = CommandDecoder(
            envelope(selectors: [SelectionTests.selector("message.kind", "a"), SelectionTests.selector("sort", "b")]))
        _ = Given(#"{"command":"Put","id":"7","message":{"kind":"x"}}"#).decoded(decoder)
        #expect(decoder.selectsNone)
        _ = Given(#"{"command":"Put","id":"7","message":{"kind":"a"}}"#).decoded(decoder)
        #expect(!decoder.selectsNone)
    }
}
