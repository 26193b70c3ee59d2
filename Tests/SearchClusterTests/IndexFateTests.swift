import JSONText
import Testing

@testable import SearchCluster

@Suite struct IndexFateTests {
    private static let day: Int64 = 86_400_000

    private func fate(_ phases: String, born: String = "1000") throws -> IndexFate? {
        IndexFate.ilm(
            "days", policy: try JSONValue(parsing: #"{"days":{"policy":{"phases":\#(phases)}}}"#),
            explained: try JSONValue(parsing: #"{"managed":true,"lifecycle_date_millis":\#(born)}"#))
    }

    @Test func theFirstPhaseThatEndsTheIndexCounts() throws {
        #expect(
            try fate(
                """
                {"hot":{"min_age":"0ms","actions":{"set_priority":{}}},
                 "delete":{"min_age":"30d","actions":{"delete":{}}},
                 "warm":{"min_age":"7d","actions":{"shrink":{},"forcemerge":{}}}}
                """) == IndexFate(policy: "days", action: "shrink", due: 1000 + 7 * Self.day))
        #expect(try fate(#"{"warm":{"min_age":"7d","actions":{"forcemerge":{}}}}"#) == nil)
        #expect(
            try fate(#"{"cold":{"min_age":"1d","actions":{"freeze":{},"delete":{}}}}"#)
                == IndexFate(policy: "days", action: "delete", due: 1000 + Self.day))
    }

    /// Without a time it may be due now.
    @Test(arguments: ["1.5d", "soon", "9223372036854775807d"]) func anAgeThatCannotBeReadIsUnknown(_ age: String) throws
    {
        let found = try fate(#"{"delete":{"min_age":"\#(age)","actions":{"delete":{}}}}"#)
        #expect(found?.action == "delete" && found?.due == nil)
    }

    @Test(arguments: ["null", "\"x\"", "9223372036854775807"]) func anOddTimeOfBirthTrapsNothing(_ born: String) throws
    {
        let found = try fate(#"{"delete":{"min_age":"1d","actions":{"delete":{}}}}"#, born: born)
        #expect(found?.action == "delete")
    }

    @Test func statesOfOpenSearchHaveNoTime() throws {
        let policy = try JSONValue(
            parsing: #"{"policy":{"states":[{"name":"hot","actions":[{"rollover":{}}]},"#
                + #"{"name":"old","actions":[{"read_only":{}},{"delete":{}}]}]}}"#)
        #expect(IndexFate.ism("days", policy: policy) == IndexFate(policy: "days", action: "delete"))
        #expect(IndexFate.ism("days", policy: [:]) == nil)
    }
}
