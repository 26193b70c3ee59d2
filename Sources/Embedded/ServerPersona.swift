import SearchCluster

/// The server that an embedded node poses as.
public struct ServerPersona: Sendable, Equatable {
    public let product: ServerInfo.Product
    public let version: ServerVersion
    /// Looked up once: calls ask for it again and again.
    private let row: Row

    private final class Row: Sendable {
        let capabilities: Capabilities

        init(_ capabilities: Capabilities) { self.capabilities = capabilities }
    }

    public init(_ product: ServerInfo.Product, _ version: ServerVersion) {
        self.product = product
        self.version = version
        row = Row(ServerPersona.capabilities(product, version))
    }

    public static func == (one: ServerPersona, other: ServerPersona) -> Bool {
        one.product == other.product && one.version == other.version
    }

    /// The last patch of the versions that are tested against real servers.
    private static let patches: [String: ServerVersion] = [
        "es-1.7": ServerVersion(1, 7, 6), "es-2.4": ServerVersion(2, 4, 6), "es-5.6": ServerVersion(5, 6, 16),
        "es-6.8": ServerVersion(6, 8, 23), "es-7.10": ServerVersion(7, 10, 2), "es-7.17": ServerVersion(7, 17, 28),
        "es-8.17": ServerVersion(8, 17, 0), "es-9.0": ServerVersion(9, 0, 4), "os-1": ServerVersion(1, 3, 20),
        "os-2": ServerVersion(2, 19, 3), "os-3": ServerVersion(3, 3, 2),
    ]

    /// `es-6.8`, `es-7.17.28`, `os-3`; nil for what is no version that Crossfade supports.
    public init?(named name: String) {
        let product: ServerInfo.Product
        if name.hasPrefix("es-") {
            product = .elasticsearch
        } else if name.hasPrefix("os-") {
            product = .opensearch
        } else {
            return nil
        }
        let digits = String(name.dropFirst(3))
        let text = digits.contains(".") ? digits : digits + ".0"
        guard let version = ServerPersona.patches[name] ?? ServerVersion(text),
            (try? Capabilities.of(product, version)) != nil, ServerPersona.wasReleased(product, version)
        else { return nil }
        self.init(product, version)
    }

    /// The last minor version of every major one that has ended. There never was an Elasticsearch 3 or 4.
    private static let lastMinors: [ServerInfo.Product: [Int: Int]] = [
        .elasticsearch: [1: 7, 2: 4, 3: -1, 4: -1, 5: 6, 6: 8, 7: 17, 8: 19], .opensearch: [1: 3, 2: 19],
    ]

    private static func wasReleased(_ product: ServerInfo.Product, _ version: ServerVersion) -> Bool {
        version.minor <= lastMinors[product]?[version.major] ?? .max
    }

    /// Names of the tested versions next to a name that is none, below and above it where there is one; at least one.
    public static func nearest(to name: String) -> [String] {
        let prefix = name.hasPrefix("os") ? "os-" : "es-"
        let tested = patches.filter { $0.key.hasPrefix(prefix) }.sorted { $0.value < $1.value }
        let digits = String(name.drop { !$0.isNumber })
        guard let version = ServerVersion(digits.contains(".") ? digits : digits + ".0") else {
            return tested.suffix(1).map(\.key)
        }
        return [tested.last { $0.value <= version }, tested.first { $0.value > version }].compactMap { $0?.key }
    }

    /// As it is written on a command line: `es-6.8`, `os-3.3`.
    public var name: String {
        "\(product == .opensearch ? "os" : "es")-\(version.major).\(version.minor)"
    }

    var isOpenSearch: Bool { product == .opensearch }

    /// Whether it behaves as Elasticsearch of that version and later. OpenSearch went its own way from 7.10.
    func since(_ major: Int, _ minor: Int = 0) -> Bool {
        let behaves = isOpenSearch ? ServerVersion(7, 10, 2) : version
        return behaves >= ServerVersion(major, minor)
    }

    /// Whether answers name a document's type. Elasticsearch 7 and OpenSearch 1 still do.
    var answersWithType: Bool { isOpenSearch ? version.major < 2 : version.major < 8 }

    var capabilities: Capabilities { row.capabilities }

    private static func capabilities(_ product: ServerInfo.Product, _ version: ServerVersion) -> Capabilities {
        if let own = try? Capabilities.of(product, version) { return own }
        // A version outside the table is taken for the one next to it.
        let rows = Capabilities.table.filter { $0.product == product }
        let next = version < (rows.first?.from ?? version) ? rows.first : rows.last
        return next?.capabilities ?? Capabilities.table[0].capabilities
    }

    /// A type is named in URLs and mappings.
    var isTyped: Bool { capabilities.typed }
}
