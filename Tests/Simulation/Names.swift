/// What may be switched off, one at a time: the simulation must notice each (``Check``).
public enum Mechanism: String, CaseIterable, Sendable {
    /// Writes carry `version_type: external`.
    case externalVersions
    /// A delete is a tombstone document, which no cluster forgets.
    case tombstones
    /// A delete that is read again makes its own tombstone young again (`external_gte`).
    case tombstoneRefresh
    /// A tombstone stays until it is older than `tombstone_age`.
    case tombstoneAge
    /// A tombstone stays as long as its id has an unresolved dead letter.
    case purgeKeepsUnresolved
    /// A tombstone stays for some time after a dead letter of its id was resolved.
    case purgeKeepsResolved
    /// A tombstone stays until the group has committed its delete.
    case purgeBelowCommit
    /// Neither a replay nor a copy begins while a purge is under way.
    case purgeAlone
    /// Nothing is purged while a copy is unfinished, nor while a member may still believe that it is.
    case purgeWaitsForCopy
    /// Nothing is purged while a replay is unfinished, nor while a request of it may still be under way.
    case purgeWaitsForReplay
    /// A replay that begins after a purge brings all tombstones back first.
    case replayDeletesFirst
    /// A target index that is made again has neither copy nor replay, and `follow` is refused before the replay.
    case startOver
    /// Offsets that were committed for an earlier target index count for nothing.
    case offsetTerm
    /// A target index that is made again has aliases of other names, so writes meant for the lost one are refused.
    case aliasPerIndex
    /// Copied pages go through an alias that is closed when the copy is done.
    case copyAlias
    /// A scroll whose answer was lost is not continued: the slice is read again from its start.
    case scrollBegunAgain
    /// Each round of the copy has an alias of its own.
    case copyAliasPerRound
    /// A copy that begins after a purge brings the tombstones back first.
    case recopyRail
    /// A record that was read too long ago is not sent any more, but read again.
    case sendLease
    /// While the copy is unfinished, a merge without a base takes the source's document.
    case sourceBase
    /// A merge reads its base when no write of its key is under way.
    case laneWaits
    /// Partitions are given back after everything read of them is settled and committed.
    case drain
    /// An acknowledgement counts only for the assignment under which its record was read.
    case fence
    /// Only the contiguous settled prefix is committed.
    case prefixCommit
    /// A dead letter is acknowledged before its record counts.
    case deadLetterFirst
    /// Nothing is redriven into a target index that was made again before it is replayed.
    case redriveAfterReplay
    /// A follower without a committed offset commits its start before it reads. No replay begins after that offset.
    case startCommitted
    /// A log that ends before what was applied is refused.
    case logBackwardsRail
    /// A log that begins after the offset that is wanted is refused.
    case retentionRail
    /// Transaction markers, aborted records and gaps count on the way to a frozen end.
    case markersCount
    /// Readers look through an alias that leaves tombstones out.
    case readFilter
    /// The replay begins where the application's own group stood when the copy began, or before.
    case recordedStart
    /// Before the copy, and after the application's offsets were recorded, the old cluster is refreshed.
    case refreshBeforeCopy
    /// A document that comes into one entry or routing is deleted where it may have been before.
    case moveTombstones
    /// A record is settled when the tombstones that it writes beside its own operation are written, too.
    case companionsFirst
    /// Tombstones of moves come back with those of deletes, before a copy or a replay.
    case movesRestored
    /// Tombstones come back only from where a replay would begin: the copy brings what was before.
    case restoreFromStart
    /// The tombstone of a former routing in the same index is older than the document, which may be in the same shard.
    case formerRoutingBelow
    /// A base is looked for when no other entry has something of its id under way.
    case lanesAcrossEntries
    /// The application's offsets are recorded when anything is first read, not only when a copy begins.
    case recordedAtFirstWork
    /// A verification refreshes the old cluster after it has asked where the groups stand, and before it scans.
    case verifyRefresh
    /// A document is read when the application's own group, too, has passed the line.
    case verifyPositions
    /// What was read of a document counts only if no command names it up to the end of the log after the reading.
    case verifySettling
}

/// The promises of docs/architecture.md (P1 to P10), as they are checked.
public enum Check: Int, CaseIterable, Sendable {
    /// P1: each write carries the version of its record, each copied document the floor.
    case oneVersionSpace
    /// P2: every committed record has its final outcome: in the index, or in the dead letters.
    case nothingAcknowledgedEarly
    /// P2: outcomes and records in flight sum to the records read.
    case outcomesSum
    /// P3: a revocation that drained in time leaves nothing under way and nothing to read again.
    case drainHandsOver
    /// P3: an answer for a lost partition changes nothing.
    case lateAcknowledgementCommitsNothing
    /// P4: fields that only the old cluster knew are not lost by a partial update.
    case mergeBaseFromSource
    /// P5: a document that was deleted is not there.
    case deletesStayDeleted
    /// P5: readers and counts see no tombstone.
    case tombstonesHidden
    /// P5: no page of a copy is written when that copy is done.
    case copyClosed
    /// P5: a purge takes nothing but tombstones.
    case purgeSafe
    /// P1: every document is there.
    case nothingLost
    /// P1: every document is as all commands together made it.
    case documentsEqualModel
    /// P1: a document that moved is where it belongs, under its routing, and nowhere else.
    case inOnePlace
    /// P7: redriving once more changes nothing, and what a redrive calls written is there.
    case redriveIdempotent
    /// P8: a bounded replay ends, and everything before its frozen ends is settled.
    case caughtUpIsAFact
    /// P9: a log that ends before what was applied stops the work.
    case logBackwardsRefused
    /// P9: a log that begins after the offset that is wanted stops the work.
    case retentionRefused
    /// A verification calls no document equal that is not as its commands have made it.
    case verifiedEqual
    /// A verification calls no document different that is as its commands have made it.
    case verifiedDifferent
}

/// A promise that was broken.
public struct Violation: Sendable, Equatable {
    public var check: Check
    public var text: String
}
