extension Cluster {
    /// For messages: what and where it is.
    package var name: String { "\(server) at \(endpoint.urls.first ?? "-")" }

    /// What stays the same when nodes restart: the cluster's UUID, before 2.0 its name.
    package var permanentID: String { server.clusterUUID ?? "named \(server.clusterName)" }
}

extension Capabilities {
    /// The mapping type that a create request names; nil where the server knows no types.
    package var mappingType: String? { typed ? documentType : nil }
}
