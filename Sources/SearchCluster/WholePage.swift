import JSONText

/// Whether a page has all that it should have.
extension ReadOnlyTransport {
    /// Throws where documents would be missing. `part`: what was read, for the message.
    func checkWhole(
        _ scan: PageScan, _ answer: HTTPResponse, of part: String, index: String
    ) throws(ClusterError) {
        guard scan.failedShards > 0 || scan.timedOut else { return }
        var why: ServerReason?
        if let range = scan.failures, let failures = try? JSONValue(parsing: answer.body.slice(range)),
            let first = failures[0]
        {
            why = ServerReason(shardFailure: first)
        }
        let type = why?.type ?? ""
        var error: ClusterError
        if scan.failedShards == 0 {
            error = ClusterError(
                .partialAnswer, "a page of \(part) timed out on the server, so documents would be missing")
        } else if ServerReason.isScrollExpired(type) {
            error = ClusterError(
                .scrollExpired,
                "the scroll of \(part) is gone (restart, or too long between pages); read the slice again")
        } else if ServerReason.isLasting(type, why?.reason) {
            error = ClusterError(.badRequest, "\(scan.failedShards) shards of \(part) do not take the request")
        } else {
            error = ClusterError(
                .partialAnswer,
                "\(scan.failedShards) shards of \(part) failed, so documents would be missing; "
                    + "see the cluster's health and read the slice again")
        }
        error.node = nodes.indices.contains(answer.node) ? nodes[answer.node] : nil
        (error.index, error.status, error.serverType) = (index, answer.status, why?.type.map { quote($0) })
        error.underlying = why?.reason.map { ClusterError.shortened(quote($0)) }
        throw error
    }
}
