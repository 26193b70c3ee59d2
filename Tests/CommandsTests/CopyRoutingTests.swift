import Commands
import JSONText
import Testing

@Suite struct CopyRoutingTests {
    private func routing(_ document: String, _ format: CommandFormat) -> String {
        let routes = CopyRouting(format)
        guard routes.isNeeded else { return "not needed" }
        let text: [UInt8]? = Array(document.utf8)
        return text.borrowed { bytes in
            do throws(Reject) {
                return try routes.routing(of: bytes ?? Bytes(start: nil, count: 0)).map { String(repairing: $0) }
                    ?? "none"
            } catch {
                return error.reason
            }
        }
    }

    @Test func aCopiedDocumentHasTheRoutingThatLiesInside() {
        let format = envelope(routing: "message.org.name")
        #expect(routing(#"{"org":{"name":"a\u00e9"}}"#, format) == "a\u{E9}")
        #expect(routing(#"{"org":{"name":7}}"#, format) == "7")
        #expect(routing(#"{"org":{"name":null}}"#, format) == "no_routing")
        #expect(routing(#"{"org":"x"}"#, format) == "no_routing")
        #expect(routing(#"{"org":{"name":""}}"#, format) == "no_routing")
        #expect(routing(#"{"org":{"name":[1]}}"#, format) == "bad_routing")
        #expect(routing(#"{"org":"#, format) == "not_json")
    }

    @Test func aDocumentWithoutRoutingGoesByItsID() {
        let format = envelope(routing: "message.org", missingRoutingIsID: true)
        #expect(routing("{}", format) == "none")
        #expect(routing(#"{"org":null}"#, format) == "none")
        #expect(routing(#"{"org":"a"}"#, format) == "a")
        #expect(format.requiresRouting == false)
    }

    @Test func aRoutingOutsideTheDocumentIsNotLookedFor() {
        #expect(routing("{}", envelope(routing: "org")) == "not needed")
        #expect(routing("{}", envelope()) == "not needed")
        #expect(routing(#"{"org":1}"#, envelope(document: nil, routing: "org")) == "1")
        #expect(routing(#"{"org":1}"#, CommandFormat(shape: .debezium(id: nil), routing: path("org"))) == "1")
        #expect(envelope().requiresRouting == nil && envelope(routing: "org").requiresRouting == true)
    }
}
