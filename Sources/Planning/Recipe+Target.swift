import Recipe
import SearchCluster

extension Recipe {
    /// The new cluster. Where it cannot be asked, the error says which of the two clusters that is.
    package func connectTarget() throws(ClusterError) -> Cluster {
        do throws(ClusterError) {
            return try Cluster.connect(target)
        } catch {
            var told = error
            told.message = "the target cannot be asked: \(error.message)"
            throw told
        }
    }
}
