import SearchCluster

/// The server that an embedded node poses as.
public struct ServerPersona: Sendable, Equatable {
    public var product: ServerInfo.Product
    public var version: ServerVersion

    public init(_ product: ServerInfo.Product, _ version: ServerVersion) {
        self.product = product
        self.version = version
    }
}
