import JSONText

/// A server's version number.
package struct ServerVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    package var major: Int
    package var minor: Int
    package var patch: Int

    package init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
        (self.major, self.minor, self.patch) = (major, minor, patch)
    }

    /// Reads `7.17.28`, `9.0.0-SNAPSHOT` or `2.0.0-rc1`. Nil when the text does not begin with two numbers.
    package init?(_ text: String) {
        let plain = text.prefix { $0 != "-" && $0 != "+" }
        let parts = plain.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = OutsideNumber.size(text: parts[0]),
            let minor = OutsideNumber.size(text: parts[1])
        else { return nil }
        self.init(major, minor, parts.count > 2 ? OutsideNumber.size(text: parts[2]) ?? 0 : 0)
    }

    package var description: String { "\(major).\(minor).\(patch)" }

    package static func < (one: ServerVersion, other: ServerVersion) -> Bool {
        (one.major, one.minor, one.patch) < (other.major, other.minor, other.patch)
    }
}

/// The product, version and name of a cluster.
package struct ServerInfo: Sendable, Equatable, CustomStringConvertible {
    package enum Product: String, Sendable {
        case elasticsearch = "Elasticsearch"
        case opensearch = "OpenSearch"
    }

    package var product: Product
    /// The real version, also when an OpenSearch says that it is Elasticsearch 7.10.2.
    package var version: ServerVersion
    package var clusterName: String
    /// Nil before Elasticsearch 2, and as long as the cluster has none (`_na_`).
    package var clusterUUID: String?

    package init(product: Product, version: ServerVersion, clusterName: String, clusterUUID: String?) {
        (self.product, self.version, self.clusterName) = (product, version, clusterName)
        self.clusterUUID = clusterUUID
    }

    package var description: String { "\(product.rawValue) \(version)" }
}
