import Telemetry

/// The address of a cluster and the credentials for it (`source` and `target` of the recipe).
package struct ClusterEndpoint: Sendable, Equatable {
    package enum Auth: Sendable, Equatable {
        case none
        case basic(user: String, password: Secret)
        case apiKey(Secret)
    }

    /// URLs of the nodes, which take turns: `https://host:9200`, without user or query.
    package var urls: [String]
    package var auth: Auth
    /// The PEM file of the certificate authority; nil: those that the system trusts.
    package var caFile: String?
    /// Whether the server's certificate and name are checked.
    package var verifyTLS: Bool

    package init(urls: [String], auth: Auth = .none, caFile: String? = nil, verifyTLS: Bool = true) {
        (self.urls, self.auth, self.caFile, self.verifyTLS) = (urls, auth, caFile, verifyTLS)
    }
}
