import HTTPServer

/// Serves an embedded node on a socket.
package final class EmbeddedSearchServer: Sendable {
    package let node: SearchNode
    private let server: HTTPServer

    /// Starts to listen. `address`: `127.0.0.1:0` takes any free port.
    package init(
        _ node: SearchNode, address: String = "127.0.0.1:0", threads: Int = 4
    ) throws(HTTPServerError) {
        self.node = node
        server = try HTTPServer(
            address: address, threads: threads, maximumBody: node.limits.bodyBytes, handler: { node.respond($0) })
    }

    package var port: Int { server.port }
    /// For example `http://127.0.0.1:9200`.
    package var url: String { server.url }

    package func stop() { server.stop() }
}
