import HTTPServer
import Testing

@Suite struct MessageTests {
    @Test func aParameterWithoutAValueIsThere() {
        let request = HTTPRequest(method: "GET", path: "/_bulk", query: [("pretty", nil), ("a", "1"), ("a", "2")])
        #expect(request.parameter("pretty") == "")
        #expect(request.parameter("a") == "1")
        #expect(request.parameter("b") == nil)
    }
}
