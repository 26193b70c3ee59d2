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
}
