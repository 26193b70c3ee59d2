import Basics

/// Marks at the ends of a partition's runs, until the runs are settled: which mark belongs to an offset that is
/// committed.
///
/// `Mark` is what the log is known by at a record, for example the record's fingerprint.
public struct RunTrail<Mark: Sendable>: Sendable {
    private var open = FIFO<(last: Int64, mark: Mark)>()
    /// The mark of the last record that was read below what was last settled.
    public private(set) var settled: Mark?

    /// `known`: the mark of a record before the start that was found in the log just now.
    public init(known: Mark? = nil) { settled = known }

    /// A run was read that ends with the record at offset `last`.
    public mutating func read(_ last: Int64, _ mark: Mark) { open.append((last, mark)) }

    /// Every record before `offset` has its final outcome.
    public mutating func settle(upTo offset: Int64) {
        while let run = open.first, run.last < offset {
            settled = run.mark
            _ = open.next()
        }
    }
}
