// What differs between server versions, a row per range of versions.
extension Capabilities {
    /// The capabilities of all versions from `from` on that are below `below`.
    package struct Row: Sendable {
        package var product: ServerInfo.Product
        package var from: ServerVersion
        package var below: ServerVersion
        package var capabilities: Capabilities
    }

    /// All supported versions. Each row says only what changes against the row before it.
    package static let table: [Row] = {
        var rows: [Row] = []
        var now = Capabilities(
            typed: true, singleType: false, documentType: "doc", maximumIDBytes: nil,
            slicing: .shardScan, scrollBody: .plainText, tracksTotalHits: false, keywordFields: false,
            namesHitMetadata: true, writeIndex: false, closedAliasFailsRequest: true, sequenceNumbers: false,
            parentChild: .parentField,
            defaultShards: 5, lenientBooleans: true, filtersNeedShould: true, refusesDottedNames: false,
            namesDateFormats: false, createWaitsForShards: false, namesIgnored: false, mustExist: false,
            privileges: .none)
        func row(_ product: ServerInfo.Product, _ from: ServerVersion, _ below: ServerVersion) {
            rows.append(Row(product: product, from: from, below: below, capabilities: now))
        }
        row(.elasticsearch, ServerVersion(1, 7), ServerVersion(2, 0))
        now.scrollBody = .json
        now.namesDateFormats = true
        now.refusesDottedNames = true
        row(.elasticsearch, ServerVersion(2, 0), ServerVersion(5, 0))
        now.slicing = .slicedScroll
        now.namesHitMetadata = false
        now.keywordFields = true
        now.maximumIDBytes = 512
        now.refusesDottedNames = false
        now.createWaitsForShards = true
        row(.elasticsearch, ServerVersion(5, 0), ServerVersion(5, 6))
        now.parentChild = .both
        row(.elasticsearch, ServerVersion(5, 6), ServerVersion(6, 0))
        now.parentChild = .joinField
        now.privileges = .path("/_xpack/security/user/_has_privileges")
        now.singleType = true
        now.lenientBooleans = false
        row(.elasticsearch, ServerVersion(6, 0), ServerVersion(6, 2))
        now.documentType = "_doc"
        row(.elasticsearch, ServerVersion(6, 2), ServerVersion(6, 4))
        now.writeIndex = true
        now.namesIgnored = true
        row(.elasticsearch, ServerVersion(6, 4), ServerVersion(6, 7))
        now.sequenceNumbers = true
        row(.elasticsearch, ServerVersion(6, 7), ServerVersion(7, 0))
        now.typed = false
        now.filtersNeedShould = false
        now.closedAliasFailsRequest = false
        now.tracksTotalHits = true
        now.defaultShards = 1
        now.privileges = .path("/_security/user/_has_privileges")
        row(.elasticsearch, ServerVersion(7, 0), ServerVersion(7, 17))
        now.privileges = .none
        row(.opensearch, ServerVersion(1, 0), ServerVersion(3, 0))
        now.mustExist = true
        row(.opensearch, ServerVersion(3, 0), ServerVersion(3, 2))
        now.privileges = .trial
        row(.opensearch, ServerVersion(3, 2), ServerVersion(4, 0))
        now.privileges = .path("/_security/user/_has_privileges")
        row(.elasticsearch, ServerVersion(7, 17), ServerVersion(10, 0))
        return rows
    }()

    /// The row of a server. Throws `unsupported` for a version that no row covers.
    package static func of(_ product: ServerInfo.Product, _ version: ServerVersion) throws(ClusterError) -> Capabilities
    {
        let row = table.first { $0.product == product && $0.from <= version && version < $0.below }
        if let row { return row.capabilities }
        let known = table.filter { $0.product == product }
        let lowest = known.first?.from ?? version
        let highest = known.last?.below ?? version
        throw ClusterError(
            .unsupported,
            "\(product.rawValue) \(version) is outside what Crossfade supports: from \(lowest.major).\(lowest.minor) "
                + "on, below \(highest.major).\(highest.minor)")
    }
}
