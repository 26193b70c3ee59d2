import Commands
import Indexing
import JSONText
import Planning
import Testing

@Suite struct CommandDeathsTests {
    /// A recipe that reads nothing of the topic was only warned of, in the middle of another rail.
    @Test func aTopicThatWouldMostlyDieIsRefused() {
        #expect(CommandDeathsRail.refuses(1430, of: 1430))
        #expect(CommandDeathsRail.refuses(895, of: 1447))
        #expect(CommandDeathsRail.refuses(20, of: 20))
        #expect(!CommandDeathsRail.refuses(19, of: 19), "too few to say anything")
        #expect(CommandDeathsRail.refuses(90, of: 100) && !CommandDeathsRail.refuses(89, of: 100))
        #expect(!CommandDeathsRail.refuses(700, of: 1447))
        #expect(!CommandDeathsRail.refuses(0, of: 0))
    }

    /// `index: [Create]` where the topic says `create`: every insert would have died, and nothing said why.
    @Test func unknownCommandsAreNamedWithTheNearestKnownOne() throws {
        var unknown = UnknownCommands(
            .envelope(
                CommandFormat.Envelope(
                    id: .field(try JSONPath(parsing: "id")), operation: try JSONPath(parsing: "command"),
                    index: ["Create"], merge: ["change"], delete: ["remove"], ignore: ["ping"], document: nil)))
        #expect(unknown.words == nil)
        for _ in 0..<740 { unknown.add("create") }
        for _ in 0..<3 { unknown.add("audit") }
        #expect(
            unknown.words == "The recipe does not name the commands \"create\" (740; is \"Create\" in "
                + "commands.envelope.index meant for it?), \"audit\" (3)")
        for number in 0..<9 { unknown.add("x\(number)") }
        #expect(unknown.words?.hasSuffix(", \"x0\" (1), \"x1\" (1), \"x2\" (1) and 6 more") == true)
    }

    /// Only verify found out that they make documents which the old index does not have.
    @Test func partialUpdatesBehindADeleteAreFound() {
        var parts = PartsBehindDeletes()
        func add(_ kind: OperationKind, _ id: String, _ offset: Int64, partition: Int32 = 0, routing: String? = nil) {
            parts.add(
                SampledCommand(
                    kind: kind, entry: 0, id: id, routing: routing, partition: partition, offset: offset, timestamp: 0))
        }
        // the newer stretch of a partition comes first
        add(.delete, "newer", 50)
        add(.merge, "newer", 9)
        add(.delete, "again", 51)
        add(.index, "again", 52)
        add(.merge, "again", 53)
        add(.delete, "routed", 54, routing: "a")
        add(.merge, "routed", 55, routing: "b")
        add(.delete, "other", 56, partition: 1)
        add(.merge, "other", 57)
        #expect(parts.found.isEmpty)
        add(.delete, "gone", 58)
        add(.merge, "gone", 59)
        add(.merge, "gone", 60)
        #expect(parts.found == [0: .init(count: 2, id: "gone", partition: 0, offset: 59)])
        let rail = parts.found[0].map { MissingRail.warning(of: $0, index: "orders-v2") }
        #expect(rail?.verdict == .warn)
        for word in ["2 sampled", "orders-v2", "id gone", "offset 59", "`missing: create`", "`ignore`", "`reject`"] {
            #expect(rail?.detail.contains(word) == true, "\(word)")
        }
    }
}
