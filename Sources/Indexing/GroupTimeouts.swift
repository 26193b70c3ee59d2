/// What a member of a consumer group may take, from the group's own limits. Milliseconds.
public struct GroupTimeouts: Sendable, Equatable {
    /// A member that was not heard of for so long is out of the group.
    public let session: Int
    /// Between two heartbeats.
    public let heartbeat: Int
    /// A member that did not poll for so long is out of the group.
    public let poll: Int

    public init(session: Int, heartbeat: Int, poll: Int) {
        (self.session, self.heartbeat, self.poll) = (session, heartbeat, poll)
    }

    /// For so long after it was last awake a process is sure that it still owns its partitions. The broker counts from
    /// the last heartbeat, which may be older than the last poll.
    public var lease: Int64 { Int64(max(session / 2, session - 2 * heartbeat)) }

    /// Records in flight are waited for so long when partitions are taken away: half of what the group allows, so that
    /// the commit has its time, too.
    public var drain: Int64 { Int64(min(session, poll) / 2) }

    /// The same for the commit.
    public var commit: Int64 { min(10_000, drain / 2) }

    /// What becomes of partitions that are taken away.
    public enum Revocation: Sendable, Equatable {
        /// Another member may have them already: nothing of them is committed.
        case lost
        /// They are still ours: records in flight are waited for, then everything settled is committed.
        case handOver
    }

    /// `isLost`: the client says so. `leaseIsValid`: the process was not stopped for long. One that was stopped while
    /// it was asked to give partitions up learns it as an ordinary revocation, so it asks the group: `isStillMember`.
    public static func revocation(isLost: Bool, leaseIsValid: Bool, isStillMember: () -> Bool)
        -> Revocation
    {
        guard !isLost else { return .lost }
        return leaseIsValid || isStillMember() ? .handOver : .lost
    }
}
