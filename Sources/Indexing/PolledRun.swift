/// A record among those that a poll brought, as far as slicing needs it.
public struct PolledRecord: Sendable {
    public let partition: Int32
    public let offset: Int64
    public let bytes: Int

    @inlinable public init(partition: Int32, offset: Int64, bytes: Int) {
        (self.partition, self.offset, self.bytes) = (partition, offset, bytes)
    }
}

/// The next records of one partition among those that a poll brought.
public struct PolledRun: Sendable, Equatable {
    public let partition: Int32
    /// Places of the records that are to be applied together.
    public let records: Range<Int>
    /// Bytes of these records.
    public let bytes: Int
    /// Places of records right behind them that lie beyond the frozen end: they are dropped, and the end is reached.
    public let surplus: Range<Int>

    /// Records of a run at most.
    public static let longest = 1000

    @inlinable init(partition: Int32, records: Range<Int>, bytes: Int, surplus: Range<Int>) {
        (self.partition, self.records, self.bytes, self.surplus) = (partition, records, bytes, surplus)
    }

    /// The run that begins at place `from` of `count` records. `end`: the frozen end of its partition.
    @inlinable public static func next(
        from: Int, count: Int, end: (Int32) -> Int64, record: (Int) -> PolledRecord
    ) -> PolledRun {
        let partition = record(from).partition
        let end = end(partition)
        let most = min(count, from + longest)
        var next = from
        var bytes = 0
        while next < most {
            let record = record(next)
            guard record.partition == partition, record.offset < end else { break }
            bytes += record.bytes
            next += 1
        }
        let last = next
        while next < count {
            let record = record(next)
            guard record.partition == partition, record.offset >= end else { break }
            next += 1
        }
        return PolledRun(partition: partition, records: from..<last, bytes: bytes, surplus: last..<next)
    }
}
