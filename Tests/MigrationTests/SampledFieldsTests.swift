import Commands
import Indexing
import JSONText
import Testing

@testable import Planning

/// Fields that the plan finds by looking: those with the type, and those with the routing of a document.
@Suite struct SampledFieldsTests {
    private func command(_ id: String) -> SampledCommand {
        SampledCommand(kind: .index, entry: 0, id: id, routing: nil, partition: 0, offset: 0, timestamp: 0)
    }

    private func routing(
        _ shape: CommandFormat.Shape, _ values: [String], _ routings: [String]
    ) -> String? {
        var fields = RoutingFields(CommandFormat(shape: shape))
        for (place, value) in values.enumerated() {
            Array(value.utf8).withUnsafeBufferPointer {
                fields.look(command("\(place)"), SampledFields($0, shape))
            }
        }
        return fields.path(routings.enumerated().map { (command("\($0.offset)"), $0.element) })?.description
    }

    @Test func theRoutingIsFoundWhereTheCommandsHaveIt() {
        #expect(routing(.document, [#"{"a":"x","org":"o1"}"#, #"{"a":"x","org":"o2"}"#], ["o1", "o2"]) == "org")
        #expect(routing(.document, [#"{"a":{"b.c":7}}"#], ["7"]) == #"a.b\.c"#)
        #expect(routing(.document, [#"{"org":"o1"}"#, #"{"org":"o1"}"#], ["o2", "o3"]) == nil)
        #expect(routing(.document, [#"{"schema":{"type":"struct"},"payload":{"org":"o1"}}"#], ["o1"]) == "org")
        #expect(
            routing(.debezium(id: nil), [#"{"payload":{"op":"c","after":{"org":"o1"}},"schema":{}}"#], ["o1"]) == "org")
        #expect(routing(.document, ["no json", "[]", ""], ["o1"]) == nil)
    }

    @Test func theTypeIsFoundWhereEveryCommandNamesOne() {
        var fields = TypeFields(["incident", "note"])
        let shape = CommandFormat.Shape.envelope(
            .init(
                id: .field(JSONPath(names: ["id"])), operation: JSONPath(names: ["op"]), index: ["Put"], merge: [],
                delete: [], ignore: [], document: nil))
        for text in [
            #"{"k":"note","m":{"kind":"note","x":"note","n":7}}"#, "[",
            #"{"schema":{"type":"struct"},"payload":{"op":"Put","k":"new","m":{"kind":"incident"}}}"#,
            #"{"op":"Put","schema":"note","payload":{"k":"new"},"m":{"kind":"note"}}"#,
            #"{"m":{"kind":"note","x":"\#(String(repeating: "x", count: 600))"}}"#,
        ] {
            Array(text.utf8).withUnsafeBufferPointer { fields.look(SampledFields($0, shape)) }
        }
        #expect(fields.best?.description == "m.kind")
        #expect(TypeFields(["incident"]).best == nil)
    }
}
