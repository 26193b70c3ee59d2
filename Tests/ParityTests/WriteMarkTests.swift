import JSONText
import Parity
import Testing

@Suite struct WriteMarkTests {
    private func mark(index: String = "old", uuid: String? = "u", _ shards: WriteMark.Count...) -> WriteMark {
        WriteMark(
            index: index, uuid: uuid, shards: Dictionary(uniqueKeysWithValues: shards.enumerated().map { ($0, $1) }))
    }

    private func isUnknown(_ before: [WriteMark], _ now: [WriteMark], _ word: String) -> Bool {
        guard case .unknown(let why) = WriteMark.change(from: before, to: now) else { return false }
        return why.contains(word)
    }

    @Test func sequenceNumbersCountTheWrites() {
        let before = [mark(.sequence(-1), .sequence(10)), mark(index: "other", .sequence(5))]
        #expect(WriteMark.change(from: before, to: before) == .writes(0))
        let now = [mark(.sequence(2), .sequence(11)), mark(index: "other", .sequence(5))]
        #expect(WriteMark.change(from: before, to: now) == .writes(4))
    }

    @Test func countersOfTheSameShardCountTheWrites() {
        let before = [mark(.written(7, node: "a"))]
        #expect(WriteMark.change(from: before, to: [mark(.written(9, node: "a"))]) == .writes(2))
        #expect(isUnknown(before, [mark(.written(9, node: "b"))], "anew"))
        #expect(isUnknown(before, [mark(.written(6, node: "a"))], "anew"))
        #expect(isUnknown(before, [mark(.sequence(9))], "anew"))
    }

    @Test func whatCannotBeTold() {
        let before = [mark(.sequence(3))]
        #expect(isUnknown(before, [mark(.sequence(2))], "restored"))
        #expect(isUnknown(before, [mark(uuid: "v", .sequence(3))], "made again"))
        #expect(isUnknown(before, [mark(index: "another", .sequence(3))], "not there"))
        #expect(isUnknown(before, [mark(.sequence(3), .sequence(0))], "not all shards"))
        #expect(isUnknown(before, [mark()], "not all shards"))
    }

    /// Of a pattern: everything in it came since.
    @Test func anIndexThatCameSinceIsWritten() {
        let before = [mark(.sequence(3))]
        #expect(WriteMark.change(from: before, to: before + [mark(index: "new", .sequence(-1))]) == .writes(0))
        #expect(
            WriteMark.change(from: before, to: before + [mark(index: "new", .sequence(1), .written(4, node: "a"))])
                == .writes(6))
    }

    @Test func itIsKeptAsItIs() {
        let marks = [mark(.sequence(-1), .sequence(10)), mark(index: "b", uuid: nil, .written(4, node: "n"))]
        #expect(WriteMark.all(WriteMark.json(marks)) == marks)
        #expect(WriteMark.all(.null) == nil)
        #expect(WriteMark.all([["index": "a", "shards": ["0": [:]]]]) == nil)
    }
}
