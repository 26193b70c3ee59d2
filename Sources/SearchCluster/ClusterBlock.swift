import JSONText

/// A setting of the whole cluster that keeps every write away.
package struct ClusterBlock: Sendable, Equatable {
    /// Which settings say it. A cluster is blocked as long as one of both does.
    package enum Scope: String, Sendable, CaseIterable { case persistent, transient }

    package var scope: Scope
    /// `read_only` or `read_only_allow_delete`.
    package var name: String

    package var setting: String { "cluster.blocks.\(name)" }

    package init(_ scope: Scope, _ name: String) { (self.scope, self.name) = (scope, name) }

    /// Those that an answer about the cluster's settings tells.
    static func all(_ answer: JSONValue) -> [ClusterBlock] {
        Scope.allCases.flatMap { scope in
            ["read_only", "read_only_allow_delete"].compactMap { name in
                let value = answer[scope.rawValue]?["cluster"]?["blocks"]?[name]
                return value?.string == "true" || value?.bool == true ? ClusterBlock(scope, name) : nil
            }
        }
    }
}

extension ClusterReader {
    /// Blocks of the whole cluster; empty: there is none.
    package func clusterBlocks() throws(ClusterError) -> [ClusterBlock] {
        ClusterBlock.all(try transport.tree(.clusterSettings, doing: "asking for the settings of the cluster"))
    }
}
