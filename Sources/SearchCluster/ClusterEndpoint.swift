import Telemetry

/// Where a cluster is and how to get in (`source` and `target` of the recipe).
public struct ClusterEndpoint: Sendable, Equatable {
    public enum Auth: Sendable, Equatable {
        case none
        case basic(user: String, password: Secret)
        case apiKey(Secret)
    }

    /// Node URLs, tried in turn: `https://host:9200` with no path, user or query.
    public var urls: [String]
    public var auth: Auth
    /// PEM file of the certificate authority; nil: the system's.
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
