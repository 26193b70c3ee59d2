import Glibc
import JSONText
import Telemetry

/// One item of a bulk answer.
package struct BulkItem: Sendable {
    package enum Action: UInt8, Sendable { case index, create, update, delete, other }

    package var action: Action
    /// A status as in HTTP: 200, 201, 404 (of a delete), 409, 429, ...
    package var status: Int
    /// Where the error's type stands in the answer, without quotes: `version_conflict_engine_exception`, on 1.x the
    /// Java class `VersionConflictEngineException`. Nil when the item has no error.
    package var errorType: Range<Int>?
    /// Where the error's reason stands in the answer, without quotes. JSON escapes are not resolved.
    package var errorReason: Range<Int>?
}

/// The answer to a bulk request.
package enum BulkResponse {
    /// Reads the answer, of HTTP status 200, to a bulk request of `expected` items. Gives every item to `each`, in
    /// order, with its place in the request.
    ///
    /// Nothing is given before the whole answer has been checked. Throws `malformedAnswer` when the answer is cut off
    /// or not JSON, when it has fewer or more items than were sent, when an item has no status, and when one answers
    /// another action than was sent. That error may be retried: nobody knows what the request did. The flag `errors`
    /// is not read, because only the status of each item counts (promise P6 in `docs/architecture.md`).
    ///
    /// `sent`: the action that was sent at a place of the request; nil: any answer is taken.
    ///
    /// `redactor`: takes credentials out of the part of the answer that an error quotes; see
    /// ``HTTPTransport/redactor``.
    package static func scan(
        _ body: Bytes, expected: Int, sent: ((Int) -> BulkItem.Action)?, redactor: Redactor = Redactor([]),
        each: (Int, BulkItem) -> Void
    ) throws(ClusterError) {
        let count: Int
        var other: (place: Int, action: BulkItem.Action)?
        do throws(AnswerProblem) {
            // The answer is walked twice, to check it before anything is given. That is cheaper than to keep the items.
            count = try walk(body) { place, item in
                if let sent, place < expected, item.action != sent(place) { other = (place, item.action) }
            }
            if count == expected, other == nil { _ = try walk(body, each) }
        } catch {
            throw ClusterError(
                .malformedAnswer,
                "the bulk answer is not whole or not a bulk answer: it breaks at byte \(error.offset) of \(body.count)",
                underlying: String(
                    redactor.redact(String(repairing: Bytes(rebasing: body.prefix(1 << 16)))).prefix(200)))
        }
        guard count == expected else {
            throw ClusterError(.malformedAnswer, "the bulk answer has \(count) items where \(expected) were sent")
        }
        if let other, let sent {
            throw ClusterError.foreignAnswer(
                "a bulk request",
                "has the action \(other.action) for item \(other.place), where "
                    + "\(sent(other.place)) was sent", index: nil)
        }
    }

    /// Gives each item to `each`. Returns how many there are.
    private static func walk(_ body: Bytes, _ each: (Int, BulkItem) -> Void) throws(AnswerProblem) -> Int {
        var count = 0
        var cursor = try AnswerCursor(body)
        var seen = false
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "items"), !seen {
                seen = true
                var more = try cursor.firstElement()
                while more {
                    var found = try plainItem(&cursor)
                    if found == nil { found = try item(&cursor) }
                    if let found { each(count, found) }
                    count &+= 1
                    more = try cursor.nextElement()
                }
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
        cursor.space()
        guard seen, cursor.at == cursor.count else { throw AnswerProblem(offset: cursor.at) }
        return count
    }

    /// Reads an item that is exactly `{"index":{"status":201}}`, as nearly every item is. Nil, with nothing read, when
    /// it is not.
    @inline(__always) private static func plainItem(_ cursor: inout AnswerCursor) throws(AnswerProblem) -> BulkItem? {
        guard try cursor.peek() == UInt8(ascii: "{"), cursor.count &- cursor.at >= 25 else { return nil }
        let start = cursor.base + cursor.at
        guard same(start, "{\"index\":{\"status\":") else { return nil }
        let hundreds = Int(start[19]) &- 0x30
        let tens = Int(start[20]) &- 0x30
        let ones = Int(start[21]) &- 0x30
        guard (1...5).contains(hundreds), (0...9).contains(tens), (0...9).contains(ones),
            start[22] == UInt8(ascii: "}"), start[23] == UInt8(ascii: "}")
        else { return nil }
        cursor.at &+= 24
        return BulkItem(action: .index, status: hundreds &* 100 &+ tens &* 10 &+ ones)
    }

    @inline(__always) private static func same(_ start: UnsafePointer<UInt8>, _ text: StaticString) -> Bool {
        memcmp(start, text.utf8Start, text.utf8CodeUnitCount) == 0
    }

    /// Reads any item: `{"index": {"status": 201, ...}}`.
    private static func item(_ cursor: inout AnswerCursor) throws(AnswerProblem) -> BulkItem {
        let start = cursor.at
        guard let name = try cursor.firstKey() else { throw AnswerProblem(offset: start) }
        var item = BulkItem(action: action(cursor, name), status: -1)
        var next = try cursor.firstKey()
        while let key = next {
            if cursor.isKey(key, "status") {
                item.status = Int(try cursor.integer())
            } else if cursor.isKey(key, "error") {
                try readError(&cursor, &item)
            } else {
                _ = try cursor.value()
            }
            next = try cursor.nextKey()
        }
        guard try cursor.nextKey() == nil, item.status >= 100, item.status < 600 else {
            throw AnswerProblem(offset: start)
        }
        return item
    }

    private static func action(_ cursor: AnswerCursor, _ name: Range<Int>) -> BulkItem.Action {
        if cursor.isKey(name, "index") { return .index }
        if cursor.isKey(name, "delete") { return .delete }
        if cursor.isKey(name, "create") { return .create }
        if cursor.isKey(name, "update") { return .update }
        return .other
    }

    private static func readError(_ cursor: inout AnswerCursor, _ item: inout BulkItem) throws(AnswerProblem) {
        switch try cursor.peek() {
        case UInt8(ascii: "\""):
            // 1.x: "VersionConflictEngineException[[i][1] [t][id]: version conflict, ...]"
            let text = inside(try cursor.string())
            var end = text.lowerBound
            while end < text.upperBound, isNameByte(cursor.base[end]) { end &+= 1 }
            item.errorType = text.lowerBound..<end
            item.errorReason = text
        case UInt8(ascii: "{"):
            var next = try cursor.firstKey()
            while let key = next {
                if cursor.isKey(key, "type") {
                    item.errorType = try cursor.optionalString().map(inside)
                } else if cursor.isKey(key, "reason") {
                    item.errorReason = try cursor.optionalString().map(inside)
                } else {
                    _ = try cursor.value()
                }
                next = try cursor.nextKey()
            }
            if item.errorType == nil { item.errorType = cursor.at..<cursor.at }
        default: _ = try cursor.value()
        }
    }

    @inline(__always) private static func inside(_ quoted: Range<Int>) -> Range<Int> {
        quoted.lowerBound &+ 1..<quoted.upperBound &- 1
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "$"): true
        default: false
        }
    }
}
