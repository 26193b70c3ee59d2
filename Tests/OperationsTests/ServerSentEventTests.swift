import Testing

@testable import Operations

@Suite struct ServerSentEventTests {
    @Test func anEventIsTwoLinesAndAnEmptyOne() {
        let event = ServerSentEvent(name: "status", data: "{\"text\":\"a\\nb\"}")
        #expect(String(decoding: event.bytes, as: UTF8.self) == "event: status\ndata: {\"text\":\"a\\nb\"}\n\n")
    }
}
