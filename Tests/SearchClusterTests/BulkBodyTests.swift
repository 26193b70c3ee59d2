import JSONText
import Testing

@testable import SearchCluster

@Suite struct BulkBodyTests {
    private func text(_ write: (ByteBuffer) -> Void) -> String {
        let body = ByteBuffer()
        write(body)
        return String(repairing: body.bytes)
    }

    private func index(_ id: String, _ routing: String?, _ version: Int64, isTombstone: Bool) -> String {
        text { body in
            withBytes(id) { id in
                guard let routing else {
                    return BulkBody.appendIndex(
                        to: body, id: id, routing: nil, version: version, isTombstone: isTombstone)
                }
                withBytes(routing) {
                    BulkBody.appendIndex(to: body, id: id, routing: $0, version: version, isTombstone: isTombstone)
                }
            }
        }
    }

    @Test func aDocumentIsWrittenOnlyOverALowerVersion() {
        #expect(
            index("a", nil, 7, isTombstone: false)
                == "{\"index\":{\"_id\":\"a\",\"version\":7,\"version_type\":\"external\"}}\n")
    }

    @Test func aTombstoneIsAlsoWrittenOverItself() {
        #expect(
            index("a", "r", .max, isTombstone: true)
                == "{\"index\":{\"_id\":\"a\",\"routing\":\"r\",\"version\":9223372036854775807,"
                + "\"version_type\":\"external_gte\"}}\n")
    }

    /// A line end in an id would otherwise end the action line and begin another.
    @Test func idsAndRoutingsAreEscaped() throws {
        let line = index("a\"\n\\ü", "\u{1}", 1, isTombstone: false)
        #expect(line.count { $0 == "\n" } == 1)
        let action = try JSONValue(parsing: line)["index"]
        #expect(action?["_id"]?.string == "a\"\n\\ü")
        #expect(action?["routing"]?.string == "\u{1}")
    }

    @Test func aDeleteTakesTheStringsOfAHitAsTheyAre() {
        let line = text { body in
            withBytes("\"a\\n\"") { id in
                withBytes("\"r\"") {
                    BulkBody.appendDelete(to: body, quotedID: id, quotedRouting: $0, version: 3)
                    BulkBody.appendDelete(to: body, quotedID: id, quotedRouting: nil, version: 4)
                }
            }
        }
        #expect(
            line
                == "{\"delete\":{\"_id\":\"a\\n\",\"routing\":\"r\",\"version\":3,\"version_type\":\"external_gte\"}}\n"
                + "{\"delete\":{\"_id\":\"a\\n\",\"version\":4,\"version_type\":\"external_gte\"}}\n")
    }
}
