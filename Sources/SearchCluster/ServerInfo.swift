/// A server's version number.
public struct ServerVersion: Sendable, Hashable, Comparable, CustomStringConvertible {
    public var major: Int
    public var minor: Int
    public var patch: Int

    public init(_ major: Int, _ minor: Int, _ patch: Int = 0) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// Reads `7.17.28`, `9.0.0-SNAPSHOT` or `2.0.0-rc1`. Nil when the text does not begin with two numbers.
    public init?(_ text: String) {
        let plain = text.prefix { $0 != "-" && $0 != "+" }
        let parts = plain.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count >= 2, let major = Int(parts[0]), let minor = Int(parts[1]) else { return nil }
        self.init(major, minor, parts.count > 2 ? Int(parts[2]) ?? 0 : 0)
    }

    public var description: String { "\(major).\(minor).\(patch)" }

    public static func < (one: ServerVersion, other: ServerVersion) -> Bool {
        (one.major, one.minor, one.patch) < (other.major, other.minor, other.patch)
    }
}

/// The product, version and name of a cluster.
public struct ServerInfo: Sendable, Equatable, CustomStringConvertible {
    public enum Product: String, Sendable {
        case elasticsearch = "Elasticsearch"
        case opensearch = "OpenSearch"
    }

    public var product: Product
    /// The real version, also when an OpenSearch says that it is Elasticsearch 7.10.2.
    public var version: ServerVersion
    public var clusterName: String
    /// Nil before Elasticsearch 2, and as long as the cluster has none (`_na_`).
    public var clusterUUID: String?

    public init(product: Product, version: ServerVersion, clusterName: String, clusterUUID: String?) {
        self.product = product
        self.version = version
        self.clusterName = clusterName
        self.clusterUUID = clusterUUID
    }

    public var description: String { "\(product.rawValue) \(version)" }
}
