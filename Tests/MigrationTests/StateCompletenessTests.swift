import Commands
import Failures
import Indexing
import JSONText
import LogGuard
import Runtime
import Testing

@testable import State

/// No member of a stored document can be forgotten: a new one must be in the document that the tests know
/// (``StoredStateTests/whole``), in what is written, in what is read, and in ``StoredShape/state``.
@Suite struct StateCompletenessTests {
    @Test func theStateOfTheTestsHasEveryMember() throws {
        let state = try StoredStateTests.stored(try StoredStateTests.document())
        #expect(Fullness.empty(in: state) == [])
    }

    @Test func everyMemberThatIsWrittenIsRead() throws {
        let state = try StoredStateTests.stored(try StoredStateTests.document())
        #expect(try StoredStateTests.stored(state.json) == state)
    }

    @Test func everyMemberThatIsWrittenIsInTheShape() throws {
        let state = try StoredStateTests.stored(try StoredStateTests.document())
        let written = StoredShape.state.members(of: state.json, at: "")
        let named = StoredShape.state.named(at: "")
        #expect(written.subtracting(named).sorted() == [], "written, but not in StateShape")
        #expect(named.subtracting(written).sorted() == [], "in StateShape, but not written")
        #expect(named.count > 100)
    }

    /// Two counts of a server that add up beyond what is believed were written as `copy.expected`, and the state could
    /// not be read any more.
    @Test func aStateThatCouldNotBeReadAgainIsNotWritten() throws {
        var state = try StoredStateTests.stored(try StoredStateTests.document())
        #expect(throws: Never.self) { try state.document(over: nil, index: ".crossfade-m") }
        state.copy?.expected = 2 * Int(OutsideNumber.most)
        let error = #expect(throws: WorkError.self) { try state.document(over: nil, index: ".crossfade-m") }
        let words = "the state in .crossfade-m was not written, as it could not be read again: copy.expected is "
        #expect(error?.description.contains(words) == true, "\(String(describing: error))")
    }

    @Test func everyMemberOfAReportIsRead() throws {
        var report = MemberReport(member: "m", command: "verify", host: "h", pid: 1, started: 2, updated: 3)
        report.partitions = [
            PartitionReport(
                partition: 1, start: 1, position: 5, committed: 4, end: 9, read: 4, inFlight: 1,
                outcomes: Array(repeating: 1, count: Outcome.allCases.count))
        ]
        report.concurrency = BulkLoad(limit: 4, inFlight: 3, batchDocuments: 2, batchBytes: 1, throttled: 5)
        report.alarms = [Alarm(name: "a", text: "t")]
        report.stage = StageReport(
            stage: "reading", parts: [.init(name: "p", done: 1, total: 4, rate: 2)], waiting: "w")
        report.process = ProcessMark(machine: "k", pid: 4, began: "b")
        report.fingerprint = "f"
        // It waits for one of the two.
        report.waiting = "w"
        #expect(Fullness.empty(in: report) == ["waitingForLog"])
        #expect(MemberReport(json: report.json) == report)
        (report.waiting, report.waitingForLog) = (nil, "w")
        #expect(MemberReport(json: report.json) == report)
    }

    @Test func everyMemberOfTheHistoryIsRead() throws {
        let event: JSONValue = [
            "time": "2026-11-29T17:00:00.000Z", "what": "purged", "user": "u", "host": "h", "fingerprint": "f",
            "detail": "d", "later": 5,
        ]
        let history = MigrationHistory(
            json: ["history": .string(JSONValue.array([["odd": 1], event]).text()), "dropped": 3])
        #expect(Fullness.empty(in: history) == [])
        #expect(MigrationHistory(json: history.json) == history)
    }

    @Test func everyMemberOfANoteIsRead() throws {
        let note = CommitNote(
            epoch: 2, fingerprint: RecordFingerprint(offset: 5, timestamp: 6, digest: 255),
            anchor: RecordFingerprint(offset: 3, timestamp: 4, digest: 1), time: 9,
            mark: CommitNote.Mark(fingerprint: "abcd", term: 7))
        #expect(Fullness.empty(in: note) == [])
        #expect(CommitNote(text: note.text) == note)
    }

    // MARK: The rules themselves

    private struct Part { var name = "", list: [Int] = [], maybe: Int?, flag = false, number = 0 }

    @Test func whatIsEmptyIsFound() {
        #expect(Fullness.empty(in: Part()) == ["flag", "list", "maybe", "name", "number"])
        let full = Part(name: "x", list: [1], maybe: 1, flag: true, number: 1)
        #expect(Fullness.empty(in: full) == [])
        // One of several that has it is enough.
        #expect(Fullness.empty(in: [Part(), full]) == [])
        #expect(Fullness.empty(in: ["a": Part(name: "x", list: [1], maybe: 1, flag: true)]) == ["{}.number"])
    }

    @Test func whatTheShapeDoesNotNameIsFound() {
        let shape = StoredShape.members(
            [.needed("a", .inText(.list(.members([.maybe("b", .count)], by: []), by: []))), .maybe("c", .text)], by: [])
        #expect(shape.named(at: "") == ["a", "a[].b", "c"])
        #expect(shape.members(of: ["a": #"[{"b":1},{"d":2}]"#, "e": 3], at: "") == ["a", "a[].b", "a[].d", "e"])
    }
}

/// Which stored properties of a value are nil, empty, false or 0 wherever they occur in it.
private enum Fullness {
    static func empty(in value: Any) -> [String] {
        var filled: [String: Bool] = [:]
        walk(value, "", &filled)
        return filled.filter { !$0.value }.keys.sorted()
    }

    private static func walk(_ value: Any, _ place: String, _ filled: inout [String: Bool]) {
        func note(_ isFilled: Bool) { filled[place, default: false] = isFilled || filled[place] == true }
        switch value {
        case is JSONValue, is JSONObject: return note(true)
        case let text as String: return note(!text.isEmpty)
        case let flag as Bool: return note(flag)
        case let number as any BinaryInteger: return note("\(number)" != "0")
        default: break
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional:
            note(!mirror.children.isEmpty)
            for child in mirror.children { walk(child.value, place, &filled) }
        case .collection, .set:
            if !place.isEmpty { note(!mirror.children.isEmpty) }
            for child in mirror.children { walk(child.value, place, &filled) }
        case .dictionary:
            if !place.isEmpty { note(!mirror.children.isEmpty) }
            for pair in mirror.children {
                for part in Mirror(reflecting: pair.value).children where part.label != "key" {
                    walk(part.value, place + "{}", &filled)
                }
            }
        default:
            if mirror.children.isEmpty { note(true) }
            for child in mirror.children {
                walk(child.value, (place.isEmpty ? "" : place + ".") + (child.label ?? "?"), &filled)
            }
        }
    }
}

extension StoredShape {
    /// The places of all members that it names: `copy.slices[].entry`.
    fileprivate func named(at place: String) -> Set<String> {
        switch self {
        case .members(let members, _):
            members.reduce(into: []) { found, member in
                let below = place.isEmpty ? member.name : "\(place).\(member.name)"
                found.insert(below)
                found.formUnion(member.shape.named(at: below))
            }
        case .inText(let inner): inner.named(at: place)
        case .list(let element, _, _): element.named(at: place + "[]")
        case .map(let element, _): element.named(at: place + "{}")
        default: []
        }
    }

    /// The places of all members that a document has where this shape could name them.
    fileprivate func members(of value: JSONValue, at place: String) -> Set<String> {
        switch self {
        case .members(let members, _):
            (value.object ?? JSONObject()).reduce(into: []) { found, told in
                let below = place.isEmpty ? told.key : "\(place).\(told.key)"
                found.insert(below)
                let shape = members.first { $0.name == told.key }?.shape ?? .anything
                found.formUnion(shape.members(of: told.value, at: below))
            }
        case .inText(let inner):
            value.string.flatMap { try? JSONValue(parsing: $0) }.map { inner.members(of: $0, at: place) } ?? []
        case .list(let element, _, _):
            (value.array ?? []).reduce(into: []) { $0.formUnion(element.members(of: $1, at: place + "[]")) }
        case .map(let element, _):
            (value.object ?? JSONObject()).reduce(into: []) {
                $0.formUnion(element.members(of: $1.value, at: place + "{}"))
            }
        default: []
        }
    }
}
