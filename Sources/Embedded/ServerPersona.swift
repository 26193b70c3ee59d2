import SearchCluster

/// The product and version that an embedded node imitates.
package struct ServerPersona: Sendable, Equatable {
    package let product: ServerInfo.Product
    package let version: ServerVersion
    /// Computed once, because every call needs it.
    private let row: Row

    private final class Row: Sendable {
        let capabilities: Capabilities

        init(_ capabilities: Capabilities) { self.capabilities = capabilities }
    }

    package init(_ product: ServerInfo.Product, _ version: ServerVersion) {
        self.product = product
        self.version = version
        row = Row(ServerPersona.capabilities(product, version))
    }

    package static func == (one: ServerPersona, other: ServerPersona) -> Bool {
        one.product == other.product && one.version == other.version
    }

    /// The last patch of each version that is tested against real servers.
    private static let patches: [String: ServerVersion] = [
        "es-1.7": ServerVersion(1, 7, 6), "es-2.4": ServerVersion(2, 4, 6), "es-5.6": ServerVersion(5, 6, 16),
        "es-6.8": ServerVersion(6, 8, 23), "es-7.10": ServerVersion(7, 10, 2), "es-7.17": ServerVersion(7, 17, 28),
        "es-8.17": ServerVersion(8, 17, 0), "es-9.0": ServerVersion(9, 0, 4), "os-1": ServerVersion(1, 3, 20),
        "os-2": ServerVersion(2, 19, 3), "os-3": ServerVersion(3, 3, 2),
    ]

    /// `es-6.8`, `es-7.17.28`, `os-3`; nil when Crossfade does not support such a version.
    package init?(named name: String) {
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

    /// The last minor version of every discontinued major version. Elasticsearch 3 and 4 never existed.
    private static let lastMinors: [ServerInfo.Product: [Int: Int]] = [
        .elasticsearch: [1: 7, 2: 4, 3: -1, 4: -1, 5: 6, 6: 8, 7: 17, 8: 19], .opensearch: [1: 3, 2: 19],
    ]

    private static func wasReleased(_ product: ServerInfo.Product, _ version: ServerVersion) -> Bool {
        version.minor <= lastMinors[product]?[version.major] ?? .max
    }

    /// At least one name of a tested version: the nearest one below and above an unknown name, as far as they exist.
    package static func nearest(to name: String) -> [String] {
        let prefix = name.hasPrefix("os") ? "os-" : "es-"
        let tested = patches.filter { $0.key.hasPrefix(prefix) }.sorted { $0.value < $1.value }
        let digits = String(name.drop { !$0.isNumber })
        guard let version = ServerVersion(digits.contains(".") ? digits : digits + ".0") else {
            return tested.suffix(1).map(\.key)
        }
        return [tested.last { $0.value <= version }, tested.first { $0.value > version }].compactMap { $0?.key }
    }

    /// The name on a command line: `es-6.8`, `os-3.3`.
    package var name: String {
        "\(product == .opensearch ? "os" : "es")-\(version.major).\(version.minor)"
    }

    var isOpenSearch: Bool { product == .opensearch }

    /// Whether the node behaves like this Elasticsearch version or a later one. OpenSearch branched off at 7.10.
    func since(_ major: Int, _ minor: Int = 0) -> Bool {
        let behaves = isOpenSearch ? ServerVersion(7, 10, 2) : version
        return behaves >= ServerVersion(major, minor)
    }

    /// Whether answers contain the document's type. Elasticsearch 7 and OpenSearch 1 still do this.
    var answersWithType: Bool { isOpenSearch ? version.major < 2 : version.major < 8 }

    var capabilities: Capabilities { row.capabilities }

    private static func capabilities(_ product: ServerInfo.Product, _ version: ServerVersion) -> Capabilities {
        if let own = try? Capabilities.of(product, version) { return own }
        // A version that is not in the table counts as the nearest one.
        let rows = Capabilities.table.filter { $0.product == product }
        let next = version < (rows.first?.from ?? version) ? rows.first : rows.last
        return next?.capabilities ?? Capabilities.table[0].capabilities
    }

    /// Whether URLs and mappings name a type.
    var isTyped: Bool { capabilities.typed }
}
