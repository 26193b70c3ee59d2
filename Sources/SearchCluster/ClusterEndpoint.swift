import Telemetry

/// The address of a cluster and the credentials for it (`source` and `target` of the recipe).
package struct ClusterEndpoint: Sendable, Equatable {
    package enum Auth: Sendable, Equatable {
        case none
        case basic(user: String, password: Secret)
        case apiKey(Secret)
    }

    /// What Crossfade shows to a server that asks for a certificate (mutual TLS).
    package struct Certificate: Sendable, Equatable {
        /// PEM files: the certificate with those above it, and its key.
        package var file: String
        package var key: String
        package var keyPassword: Secret?

        package init(file: String, key: String, keyPassword: Secret? = nil) {
            (self.file, self.key, self.keyPassword) = (file, key, keyPassword)
        }
    }

    /// URLs of the nodes, which take turns: `https://host:9200`, without user or query.
    package var urls: [String]
    package var auth: Auth
    /// The PEM file of the certificate authorities, in place of those that the system trusts; nil: the system's.
    package var caFile: String?
    package var certificate: Certificate?
    /// Whether the server's certificate and name are checked.
    package var verifyTLS: Bool

    /// The URL of an HTTP proxy; nil: none, whatever the environment says.
    package var proxy: String?

    package init(
        urls: [String], auth: Auth = .none, caFile: String? = nil, verifyTLS: Bool = true, proxy: String? = nil,
        certificate: Certificate? = nil
    ) {
        self.certificate = certificate
        (self.urls, self.auth, self.caFile, self.verifyTLS, self.proxy) = (urls, auth, caFile, verifyTLS, proxy)
    }
}
