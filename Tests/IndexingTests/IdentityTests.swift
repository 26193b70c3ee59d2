import Commands
import Testing

@testable import Indexing

@Suite struct IdentityTests {
    private func command(
        _ id: String, _ offset: Int64, kind: OperationKind = .index, routing: String? = nil, partition: Int32 = 0,
        timestamp: Int64 = 0
    ) -> SampledCommand {
        SampledCommand(
            kind: kind, entry: 0, id: id, routing: routing, partition: partition, offset: offset, timestamp: timestamp)
    }

    private func document(_ id: String, type: String? = nil, routing: String? = nil) -> FoundDocument {
        FoundDocument(index: "old", id: id, type: type, routing: routing)
    }

    private func finding(
        _ command: SampledCommand, _ documents: [FoundDocument], template: String? = nil, fromDocument: Bool = false
    ) -> IdentityComparison.Finding {
        let comparison = IdentityComparison(
            template: IDTemplate(template), takesRoutingFromDocument: fromDocument, types: ["incident", "note"])
        let wanted = Set(comparison.wanted(command))
        return comparison.finding(command, Dictionary(grouping: documents.filter { wanted.contains($0.id) }, by: \.id))
    }

    @Test func theLastCommandOfAnIDCounts() {
        var fold = CommandFold()
        fold.add(command("a", 1))
        fold.add(command("a", 3, kind: .delete))
        fold.add(command("a", 2, kind: .merge))
        fold.add(command("b", 4, partition: 1, timestamp: 9))
        fold.add(command("b", 7, kind: .delete, partition: 2, timestamp: 8))
        let last = fold.commands(atMost: 10)
        #expect(last.map(\.id) == ["b", "a"])
        #expect(last.map(\.kind) == [.index, .delete])
        #expect(fold.commands(atMost: 1).map(\.id) == ["b"])
    }

    @Test func twoSpellingsOfAnAccentedLetterAreTwoIDs() {
        var fold = CommandFold()
        fold.add(command("\u{E9}", 1))
        fold.add(command("e\u{301}", 2))
        #expect(fold.count == 2)
    }

    private func spelling(_ id: String, _ there: String, lengths: [Int] = []) -> IDSpelling? {
        let comparison = IdentityComparison(
            template: IDTemplate(nil), takesRoutingFromDocument: false, types: [], lengths: lengths,
            forms: { $0 == "e\u{301}" ? ["\u{E9}"] : [] })
        let found = comparison.wanted(command(id, 0)).contains { $0.utf8.elementsEqual(there.utf8) }
        guard found, case .spelling(_, let spelling) = comparison.finding(command(id, 0), [there: [document(there)]])
        else { return nil }
        return spelling
    }

    @Test func otherMarksZerosAndFormsAreOtherSpellings() {
        #expect(spelling("e\u{301}", "\u{E9}") == .form)
        #expect(spelling("7", "0007", lengths: [4]) == .padding)
        #expect(spelling("0007", "7") == .padding)
        #expect(spelling("7", "0007") == nil)
        #expect(spelling("acme:1", "acme-1") == .marks)
        #expect(spelling("k1 ", "k1") == .marks)
        let uuid = "0f8fad5b-d9cb-469f-a165-70867728950e"
        #expect(spelling(uuid, uuid.filter { $0 != "-" }) == .marks)
        #expect(spelling(uuid.filter { $0 != "-" }, uuid) == .marks)
        #expect(spelling("a:b-1", "ab1") == nil)
    }

    /// A server refuses a whole search that asks for an empty id, and nothing was compared then.
    @Test(arguments: ["..", "-", "__", " ", "0", "\"\"", "{}", "/"]) func noEmptyIDIsAskedFor(id: String) {
        let comparison = IdentityComparison(
            template: IDTemplate("{type}-{id}"), takesRoutingFromDocument: false, types: ["-", ".", ""], lengths: [1])
        #expect(!comparison.wanted(command(id, 0)).contains(""))
    }

    @Test func aKindOfIDThatTheSourceMostlyLacksIsNamed() {
        var tally = IdentityTally()
        for number in 0..<30 { tally.add(command("\(number)", 0), .same) }
        for number in 0..<19 { tally.add(command("x-\(number)", 0), .absent) }
        #expect(tally.missingKind == nil)
        tally.add(command("x-19", 0), .absent)
        #expect(
            tally.missingKind.map { ($0.kind, $0.absent, $0.looked) } ?? ("", 0, 0) == (
                "digits, small letters, \"-\"", 20, 20
            ))
        for number in 0..<20 { tally.add(command("y-\(number)", 0), .same) }
        #expect(tally.missingKind == nil)
    }

    @Test func aDocumentIsTheSameOnlyUnderTheSameRouting() {
        #expect(finding(command("1", 0), [document("1")]) == .same)
        #expect(finding(command("1", 0), []) == .absent)
        let routed = document("1", routing: "org0")
        #expect(finding(command("1", 0), [routed]) == .routing(routed))
        #expect(finding(command("1", 0, routing: "org0"), [routed]) == .same)
        #expect(finding(command("1", 0, routing: "org1"), [routed, document("1", routing: "org1")]) == .same)
        #expect(finding(command("1", 0, routing: "org0"), [document("1")]) == .routing(document("1")))
        #expect(finding(command("1", 0, routing: "org0"), [document("1")], fromDocument: true) == .same)
    }

    @Test func aRoutingThatIsTheIDIsNone() {
        #expect(finding(command("1", 0), [document("1", routing: "1")]) == .same)
        #expect(finding(command("1", 0, routing: "1"), [document("1")]) == .same)
        // The copied id is another one, and the routing is not.
        let found = document("1", type: "note", routing: "1")
        #expect(finding(command("note-1", 0), [found], template: "{type}-{id}") == .routing(found))
    }

    @Test func aTemplateMustMakeTheCommandsID() {
        let found = document("0", type: "incident")
        #expect(finding(command("incident-0", 0), [found], template: "{type}-{id}") == .same)
        #expect(finding(command("0", 0), [found], template: "{type}-{id}") == .template(found, copied: "incident-0"))
        #expect(finding(command("note-0", 0), [found], template: "{type}-{id}") == .absent)
        #expect(finding(command("0", 0), [found], template: "{id}") == .same)
        #expect(finding(command("x0", 0), [document("0")], template: "x{id}") == .same)
    }

    @Test(
        arguments: [
            ("\"42\"", IDSpelling.json), ("{\"schema\":{},\"payload\":42}", .wrapper), ("{\"id\":\"42\"}", .wrapper),
            ("{\"schema\":{},\"payload\":{\"id\":42}}", .wrapper), ("incident-42", .typed), ("note:42", .typed),
        ] as [(String, IDSpelling)])
    func anotherSpellingIsFound(_ id: String, _ spelling: IDSpelling) {
        #expect(finding(command(id, 0), [document("42")]) == .spelling(document("42"), spelling))
    }

    @Test(
        arguments: [
            ([0, 0, 0, 42], IDSpelling.int32), ([0, 0, 0, 0, 0, 0, 0, 42], .int64),
            ([0, 0, 0, 0, 7, 0x34, 0x32], .confluent),
            ([0, 0, 0, 0, 7, 0x22, 0x34, 0x32, 0x22], .confluent),
        ] as [([UInt8], IDSpelling)])
    func bytesOfAKeyAreRead(_ key: [UInt8], _ spelling: IDSpelling) {
        var unread = command("?", 0)
        unread.unreadKey = key
        #expect(finding(unread, [document("42")]) == .spelling(document("42"), spelling))
        #expect(finding(unread, [document("?")]) == .absent)
    }

    @Test func aKeyThatIsReadAsSomethingElseMayBeAText() {
        var unread = command("?", 0)
        unread.unreadKey = Array("42".utf8)
        #expect(finding(unread, [document("42")]) == .spelling(document("42"), .text))
        // Eight letters, read as a number of eight bytes.
        var number = command("7017280452245743464", 0)
        number.key = Array("abcdefgh".utf8)
        #expect(finding(number, [document("abcdefgh")]) == .spelling(document("abcdefgh"), .text))
        #expect(finding(number, [document("7017280452245743464")]) == .same)
    }

    @Test func negativeNumbersAndOddKeysAreRead() {
        let readings = IDSpelling.readings(of: [0xFF, 0xFF, 0xFF, 0xFE], types: [])
        #expect(readings.contains { $0.id == "-2" && $0.spelling == .int32 })
        for length in 0..<20 {
            for byte: UInt8 in [0, 0x22, 0x7B, 0x80, 0xFF] {
                _ = IDSpelling.readings(of: Array(repeating: byte, count: length), types: ["", "t"])
            }
        }
    }

    @Test func anIDThatIsThereIsNoSpellingOfAnother() {
        #expect(finding(command("incident-42", 0), [document("42"), document("incident-42")]) == .same)
    }

    @Test func aDeletedIDIsNoSpellingWhereOthersLikeItAreTheirOwn() {
        let comparison = IdentityComparison(
            template: IDTemplate(nil), takesRoutingFromDocument: false, types: ["incident"])
        let gone = (command("incident-1", 0), IdentityComparison.Finding.spelling(document("1"), .typed))
        let alive = (command("incident-2", 1), IdentityComparison.Finding.same)
        #expect(IdentityTally([gone, alive], by: comparison).contradictions.isEmpty)
        #expect(IdentityTally([gone, (command("2", 1), .same)], by: comparison).refuses)
    }

    @Test func oneInAHundredIsTooMany() {
        var tally = IdentityTally()
        for n in 0..<99 { tally.add(command("\(n)", 0), .same) }
        for n in 0..<500 { tally.add(command("x\(n)", 0), .absent) }
        #expect(!tally.refuses)
        tally.add(command("c", 0), .routing(document("c")))
        #expect(tally.refuses)
        for n in 0..<100 { tally.add(command("y\(n)", 0), .same) }
        #expect(!tally.refuses)
    }

    @Test func idsOfOtherKindsOrLengthsAreUnlike() {
        #expect(IDShape(["1", "22"]).isUnlike(IDShape(["a1", "b2"])))
        #expect(IDShape(["1", "22"]).isUnlike(IDShape(["333"])))
        #expect(!IDShape(["1", "22"]).isUnlike(IDShape(["33"])))
        #expect(!IDShape([]).isUnlike(IDShape(["33"])))
        #expect(IDShape(["a-1"]).words == "digits, small letters, \"-\", 3 bytes long")
    }
}
