/// Numbers the ownerships of partitions in this process, in the order in which they began: the first is 1.
///
/// See ``RunID`` for how it is used.
public typealias Generation = UInt32

/// Names a run: records of one partition, or documents of one slice of the copy, that were handed over together.
///
/// Work that was begun is told apart from work that still counts by these tokens, and by no others:
///
/// - **Generation**: which ownership of a partition. ``OutcomeBook/own(_:start:unappliedFrom:)`` gives each ownership
///   the next number, over all partitions. It answers two questions. Does an outcome still count? Only while the
///   partition is still owned in the run's generation. May a batch still be sent? Only while its generation is newer
///   than ``OutcomeBook/abandonedUpTo``, which moves when everything under way is given up.
/// - **Run number**: which run of that ownership, counted from 0 by ``RunTracker``. It says which records an outcome
///   is of.
/// - **Batch serial**: which batch of one worker. A key lane waits for the batch under way that already writes its key.
/// - **Key lane serial** (in ``LaneKey``): which use of a slot of ``KeyLanes``. An answer for a lane that is gone is
///   recognised by it, although another lane has the slot now.
public struct RunID: Sendable, Hashable {
    /// Partition of the topic, or number of the slice.
    public let partition: Int32
    public let generation: Generation
    public let number: Int

    public init(partition: Int32, generation: Generation, number: Int) {
        (self.partition, self.generation, self.number) = (partition, generation, number)
    }
}
