import Telemetry

/// The address of a cluster and the credentials for it (`source` and `target` of the recipe).
public struct ClusterEndpoint: Sendable, Equatable {
    public enum Auth: Sendable, Equatable {
        case none
        case basic(user: String, password: Secret)
        case apiKey(Secret)
    }

    /// URLs of the nodes, which take turns: `https://host:9200`, without user or query.
    public var urls: [String]
    public var auth: Auth
    /// The PEM file of the certificate authority; nil: those that the system trusts.
    public var caFile: String?
    /// Whether the server's certificate and name are checked.
    public var verifyTLS: Bool

    public init(urls: [String], auth: Auth = .none, caFile: String? = nil, verifyTLS: Bool = true) {
        self.urls = urls
        self.auth = auth
        self.caFile = caFile
        self.verifyTLS = verifyTLS
    }
}
