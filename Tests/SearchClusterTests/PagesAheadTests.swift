import Dispatch
import Foundation
import JSONText
import Synchronization
import Testing

@testable import SearchCluster

@Suite struct PagesAheadTests {
    /// A server whose answers come from another thread, one after the other.
    private final class Server: Sendable {
        struct State {
            var asked: [String] = []
            var underWay = 0
            var mostUnderWay = 0
            var recycled = 0
        }

        let state = Mutex(State())
        private let queue = DispatchQueue(label: "answers")
        private let pages: [String]

        init(_ pages: [String]) { self.pages = pages }

        func send(_ id: String, _ completion: @escaping @Sendable (Result<HTTPResponse, ClusterError>) -> Void) {
            let number = state.withLock { state in
                state.asked.append(id)
                state.underWay += 1
                state.mostUnderWay = max(state.mostUnderWay, state.underWay)
                return state.asked.count - 1
            }
            queue.async {
                self.state.withLock { $0.underWay -= 1 }
                completion(
                    self.pages.indices.contains(number)
                        ? .success(answer(self.pages[number]))
                        : .failure(ClusterError(.scrollExpired, "there is no page \(number)")))
            }
        }
    }

    private static func answer(_ text: String) -> HTTPResponse {
        let body = ByteBuffer(capacity: text.utf8.count)
        for byte in text.utf8 { body.append(byte) }
        return HTTPResponse(status: 200, body: body, seconds: 0, node: 0)
    }

    private static func page(_ number: Int, bytes: Int) -> String {
        #"{"_scroll_id":"s\#(number)","hits":""# + String(repeating: "x", count: bytes) + "\"}"
    }

    private static func text(_ result: Result<HTTPResponse, ClusterError>) throws -> String {
        String(repairing: try result.get().body.bytes)
    }

    private func ahead(of server: Server) -> PagesAhead {
        PagesAhead(
            recycle: { _ in server.state.withLock { $0.recycled += 1 } }, send: { server.send($0, $1) })
    }

    /// Every page comes once, in order, and each is asked for by the id of the one before it.
    @Test(arguments: 0..<20) func pagesComeInOrder(_ run: Int) throws {
        let pages = (1...30).map { Self.page($0, bytes: $0 % 3 == run % 3 ? 10 : 3000) }
        let server = Server(pages)
        let ahead = ahead(of: server)
        var id = "s0"
        for (number, page) in pages.enumerated() {
            let got = try Self.text(ahead.take(id))
            #expect(got == page)
            id = "s\(number + 1)"
            if (number + run) % 4 == 0 { ahead.ask(id) }
        }
        ahead.close()
        let state = server.state.withLock { $0 }
        #expect(state.asked.prefix(30) == (0..<30).map { "s\($0)" }[...])
        #expect(state.asked.count <= 32 && state.mostUnderWay == 1)
    }

    /// A reader that takes nothing more has no more than two pages waiting or under way.
    @Test func nobodyReadsFarAhead() throws {
        let server = Server((1...10).map { Self.page($0, bytes: 3000) })
        let ahead = ahead(of: server)
        _ = ahead.take("s0")
        for _ in 0..<5 { ahead.ask("s1") }
        while server.state.withLock({ $0.underWay }) > 0 { usleep(1000) }
        #expect(server.state.withLock { $0.asked.count } <= 3)
    }

    /// An escape in an id, another order of members, no id: who reads the page asks on.
    @Test(arguments: [
        #"{"_scroll_id":"a\u0062","hits":""#, #"{"took":1,"_scroll_id":"a","hits":""#, #"{"_scroll_id":"#, "",
    ]) func onlyAPlainIDAtTheStartIsUsed(_ start: String) throws {
        let server = Server([start + String(repeating: "x", count: 3000), Self.page(2, bytes: 3000)])
        let ahead = ahead(of: server)
        _ = ahead.take("s0")
        #expect(server.state.withLock { $0.asked } == ["s0"])
        #expect(try Self.text(ahead.take("s1")) == Self.page(2, bytes: 3000))
    }

    @Test func whatComesBehindTheEndIsGivenBack() throws {
        let server = Server((1...3).map { Self.page($0, bytes: 3000) })
        let ahead = ahead(of: server)
        _ = ahead.take("s0")
        ahead.close()
        let asked = server.state.withLock { $0.asked.count }
        while server.state.withLock({ $0.recycled }) < asked - 1 { usleep(1000) }
        ahead.ask("s9")
        #expect(server.state.withLock { $0.asked.count } == asked)
        #expect(throws: ClusterError.self) { try ahead.take("s9").get() }
    }
}
