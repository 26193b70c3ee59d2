@testable import SearchCluster
import Testing

@Suite struct PrivilegeTests {
    private func question(
        _ product: ServerInfo.Product, _ major: Int, _ minor: Int
    ) throws -> Capabilities.PrivilegeQuestion {
        let capabilities = try Capabilities.of(product, ServerVersion(major, minor))
        return capabilities.privileges
    }

    /// Were OpenSearch to execute them in spite of the parameter, nothing would be written: documents and aliases of
    /// these names do not exist, and a conditional delete of a document that is not there fails.
    @Test func whatIsTriedWouldChangeNothing() {
        for name in ["read", "write", "manage", "monitor", "view_index_metadata", "maintenance"] {
            guard let request = Cluster.trial(of: Privilege(name, on: "logs-*")) else {
                Issue.record("nothing tries \(name)")
                continue
            }
            #expect(request.path.hasPrefix("/logs--x/") && request.path.contains("perform_permission_check=true"))
            let isHarmless =
                request.method == .get || request.path.hasPrefix("/logs--x/_refresh")
                || request.path.contains("crossfade-none")
            #expect(isHarmless, "\(request.path)")
        }
        for name in ["monitor", "manage_index_templates", "read_ilm"] {
            #expect(Cluster.trial(of: Privilege(name)) != nil)
        }
    }

    @Test func eachVersionIsAskedInItsOwnWay() throws {
        #expect(try question(.elasticsearch, 2, 4) == .none)
        #expect(try question(.elasticsearch, 6, 8) == .path("/_xpack/security/user/_has_privileges"))
        #expect(try question(.elasticsearch, 7, 10) == .path("/_security/user/_has_privileges"))
        #expect(try question(.elasticsearch, 8, 17) == .path("/_security/user/_has_privileges"))
        #expect(try question(.opensearch, 2, 19) == .none)
        #expect(try question(.opensearch, 3, 1) == .none)
        #expect(try question(.opensearch, 3, 2) == .trial)
        // Whatever comes before in the table, the rest of a row is its own.
        #expect(try Capabilities.of(.opensearch, ServerVersion(2, 19)).mustExist == false)
        #expect(try Capabilities.of(.opensearch, ServerVersion(3, 3)).mustExist)
    }
}
