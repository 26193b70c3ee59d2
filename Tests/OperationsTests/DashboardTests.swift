import Foundation
import Testing

@testable import Operations

@Suite struct DashboardTests {
    let page = String(decoding: Dashboard.page, as: UTF8.self)

    @Test func thePageIsInTheBinary() {
        #expect(page.hasPrefix("<!doctype html>"))
        #expect(page.hasSuffix("</html>\n"))
        #expect(page.utf8.count < 100_000)
    }

    /// The page fetches nothing from elsewhere, and data can never become markup.
    @Test(arguments: [
        "src=", "@import", "url(", "https://", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
        "eval(",
        "new Function", " style=\"", " onclick=", " onload=",
    ])
    func thePageHasNo(_ text: String) throws {
        let body = try #require(page.range(of: "<html"))
        #expect(!page[body.lowerBound...].contains(text))
    }

    @Test func thePageAsksForHistoryAndEventsByRelativeAddresses() {
        #expect(page.contains("fetch(\"history\""))
        #expect(page.contains("new EventSource(\"events\")"))
    }

    @Test func thePolicyIsOneHeaderLine() {
        #expect(Dashboard.contentSecurityPolicy.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F })
        #expect(Dashboard.contentSecurityPolicy.hasPrefix("default-src 'none'; "))
    }
}
