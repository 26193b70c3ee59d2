import JSONText

/// A cluster that has answered: its product and version, a reader and a writer.
package final class Cluster: Sendable {
    package let endpoint: ClusterEndpoint
    package let transport: HTTPTransport
    package let server: ServerInfo
    package let capabilities: Capabilities
    /// The cluster's UUID, if it has one, and the ids of its nodes. Two endpoints belong to the same cluster when these
    /// have a member in common; the node ids make that work for 1.x. Node ids of 1.x and 2.x change with a restart.
    package let identity: Set<String>

    private init(
        endpoint: ClusterEndpoint, transport: HTTPTransport, server: ServerInfo, capabilities: Capabilities,
        identity: Set<String>
    ) {
        (self.endpoint, self.transport, self.server, self.capabilities) = (endpoint, transport, server, capabilities)
        self.identity = identity
    }

    /// Asks the cluster for its version and its nodes. Throws `unsupported` for anything but a supported version of
    /// Elasticsearch or OpenSearch. `withinSeconds`: so long is each of the two answers waited for; nil: 10 s.
    package static func connect(
        _ endpoint: ClusterEndpoint, limits: HTTPTransport.Limits = HTTPTransport.Limits(),
        withinSeconds seconds: Double? = nil
    ) throws(ClusterError) -> Cluster {
        let transport = try HTTPTransport(endpoint, limits: limits)
        let asking = seconds.map { transport.answering(withinSeconds: $0) } ?? transport
        let root = try asking.call(
            HTTPRequest(.get, "/", timeoutSeconds: 10), doing: "asking for the server's version")
        let nodes = try Cluster.nodes(asking)
        let server = try Cluster.server(root, nodes: nodes, at: transport.nodes.first)
        let capabilities: Capabilities
        do throws(ClusterError) {
            capabilities = try Capabilities.of(server.product, server.version)
        } catch {
            var told = error
            told.node = transport.nodes.first
            throw told
        }
        var identity = Set(nodes.map(\.id))
        if let uuid = server.clusterUUID { identity.insert(uuid) }
        return Cluster(
            endpoint: endpoint, transport: transport, server: server, capabilities: capabilities, identity: identity)
    }

    /// Reads the cluster. It cannot write.
    package var reader: ClusterReader { ClusterReader(transport: transport, capabilities: capabilities) }

    /// Writes to the cluster; for the target only.
    package var writer: TargetWriter { TargetWriter(transport: transport, capabilities: capabilities) }

    /// The same cluster, with a limit for every request; see ``HTTPTransport/answering(withinSeconds:)``.
    public func answering(withinSeconds seconds: Double) -> Cluster {
        Cluster(
            endpoint: endpoint, transport: transport.answering(withinSeconds: seconds), server: server,
            capabilities: capabilities, identity: identity)
    }

    /// Whether both are the same cluster, under whatever addresses.
    package func isSame(as other: Cluster) -> Bool { !identity.isDisjoint(with: other.identity) }

    /// Closes the connections. Requests under way fail with `closed`.
    package func close() { transport.close() }

    private struct Node {
        var id: String
        var version: String?
    }

    /// The nodes that answer; empty when the credentials do not allow to ask for them. One node that hangs must not
    /// hold up the answer of the others until the cluster has dropped it, which takes half a minute.
    private static func nodes(_ transport: HTTPTransport) throws(ClusterError) -> [Node] {
        let request = HTTPRequest(
            .get, "/_nodes?timeout=5s&filter_path=nodes.*.name,nodes.*.version", timeoutSeconds: 10)
        do throws(ClusterError) {
            let answer = try transport.call(request, doing: "asking for the nodes")
            return (answer["nodes"]?.object ?? JSONObject()).map {
                Node(id: $0.key, version: $0.value["version"]?.string)
            }
        } catch {
            guard error.code == .forbidden || error.code == .notFound || error.code == .badRequest else { throw error }
            return []
        }
    }

    private static func server(
        _ root: JSONValue, nodes: [Node], at url: String?
    ) throws(ClusterError) -> ServerInfo {
        guard let number = root["version"]?["number"]?.string, let said = ServerVersion(number) else {
            throw ClusterError(
                .unsupported, "what answers there is not Elasticsearch or OpenSearch: it names no version", node: url)
        }
        let isOpenSearch =
            root["version"]?["distribution"]?.string == "opensearch"
            || root["tagline"]?.string?.contains("OpenSearch") == true
        var version = said
        if isOpenSearch, said == ServerVersion(7, 10, 2) {
            // The setting `compatibility.override_main_response_version` makes the server say 7.10.2. The nodes tell
            // their real version.
            let real = nodes.compactMap { $0.version.flatMap { ServerVersion($0) } }.filter { $0.major < 7 }
            version = real.min() ?? ServerVersion(1, 0)
        }
        let uuid = root["cluster_uuid"]?.string
        return ServerInfo(
            product: isOpenSearch ? .opensearch : .elasticsearch, version: version,
            clusterName: root["cluster_name"]?.string ?? "", clusterUUID: uuid == "_na_" ? nil : uuid)
    }
}
