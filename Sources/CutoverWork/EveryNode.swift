import Cutover
import Failures
import Foundation
import Runtime
import SearchCluster

/// Whether every node searches where the aliases point now. One that lags behind the master still answers from the old
/// index.
struct EveryNode: Sendable {
    /// Nodes that were asked and search the right indices.
    var asked: [String] = []
    /// Nodes that could not be asked from here, and why.
    var unreachable: [String] = []

    /// How long a node may lag, in milliseconds.
    static let patience: Int64 = 20_000

    /// Throws if a node still searches other indices.
    static func await(_ moves: [AliasMove], _ target: Cluster) throws -> EveryNode {
        var found = EveryNode()
        // Nodes often publish addresses that only the cluster can reach.
        let end = MonotonicClock.milliseconds() + 2 * patience
        let addresses = try target.publishedAddresses()
        if addresses.silent > 0 {
            found.unreachable.append(
                "\(addresses.silent) \(addresses.silent == 1 ? "node" : "nodes"): no address was told in time")
        }
        for address in addresses.told {
            guard MonotonicClock.milliseconds() < end else {
                found.unreachable.append("\(address): there was no time left to ask it")
                continue
            }
            guard target.endpoint.mayAsk(address) else {
                found.unreachable.append(
                    "\(address): our credentials do not go in the clear to a host that `target.url` does not name")
                continue
            }
            do {
                try look(moves, target, address)
                found.asked.append(address)
            } catch let error as ClusterError {
                found.unreachable.append("\(address): \(error)")
            }
        }
        return found
    }

    private static func look(_ moves: [AliasMove], _ target: Cluster, _ address: String) throws {
        let deadline = MonotonicClock.milliseconds() + patience
        for move in moves where !move.to.isEmpty {
            let allowed = Set(move.to.map(\.index))
            while true {
                let wrong = try target.searched(move.alias, through: address, seconds: 5).subtracting(allowed)
                if wrong.isEmpty { break }
                guard MonotonicClock.milliseconds() < deadline, !StopSignal.isAsked else {
                    throw WorkError(
                        .cluster,
                        "the aliases are moved, but node \(address) still searches "
                            + wrong.sorted().joined(separator: ", ")
                            + " through \(move.alias): look whether it has lost the master")
                }
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }
}
