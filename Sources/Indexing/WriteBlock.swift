/// Why no write to an index can succeed until somebody acts.
public enum WriteBlock: String, Sendable, CaseIterable {
    /// The alias of the copy takes no writes any more, because a copy was finished.
    case aliasClosed = "alias_closed"
    /// The index is there, but the alias through which it is written is gone.
    case aliasMissing = "alias_missing"
    case indexNotFound = "index_not_found"
    /// The alias is gone: its name was taken for the name of an index that is to be made.
    case invalidIndexName = "invalid_index_name"
    /// Credentials or rights are missing.
    case notAllowed = "not_allowed"
    /// A limit of the cluster, such as its number of shards.
    case clusterLimit = "cluster_limit"

    /// Whether a node says the same while it starts and has not read its indices yet. (Seen on 6.8: it judges the
    /// alias as the name of an index to be made before it sees that it may make none.) Such a write is sent again,
    /// and the target monitor finds out whether the index is really gone.
    public var mayBeStarting: Bool { self == .indexNotFound || self == .invalidIndexName }
}
