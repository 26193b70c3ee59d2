/// What a running reader of a log knows of the deletes that it has not read yet; see ``ForgottenDeletes``. It stands
/// still while the target is away, and what it then finds missing may have been a delete.
///
/// Of each partition it knows a time before which compaction cannot have met a delete that is not read yet: the log
/// ended there where the reading stood. From then on, compaction keeps each of them for `retention`. Times are
/// milliseconds since 1970.
public struct UnreadDeletes: Sendable {
    /// A record that is to be looked at.
    public struct Record: Sendable {
        public var offset: Int64
        public var timestamp: Int64
        public var key: UInt64?

        public init(offset: Int64, timestamp: Int64, key: UInt64?) {
            (self.offset, self.timestamp, self.key) = (offset, timestamp, key)
        }
    }

    /// A delete may be missing here.
    public struct Loss: Sendable, Equatable {
        /// From this offset on nothing had been read.
        public var from: Int64
        /// Compaction cannot have met one of them before this time.
        public var since: Int64
        public var gap: ForgottenDeletes.Gap
    }

    /// Compaction cannot have met a delete from this position on before this time.
    private struct Mark: Sendable {
        var position: Int64
        var time: Int64
    }

    private struct Partition: Sendable {
        var next: Int64
        /// When the last record that was read was written.
        var last: Int64?
        /// Gaps before this offset do not matter: the old index had applied what was there.
        var from: Int64
        /// Oldest first.
        var marks: [Mark]

        /// To know an older time than the true one does no harm. The mark goes that is missed least, for its age.
        private mutating func forgetOne(_ now: Int64) {
            let inner = marks.indices.dropFirst().dropLast()
            func harm(_ place: Int) -> Double {
                Double(marks[place + 1].time - marks[place - 1].time) / Double(max(1, now - marks[place].time))
            }
            guard let least = inner.min(by: { harm($0) < harm($1) }) else { return }
            marks.remove(at: least)
        }

        func counts(_ gap: ForgottenDeletes.Gap, now: Int64, retention: Int64) -> Bool {
            gap.offsets.upperBound > from
                && (gap.after.map { $0 < now && now - max(0, $0) > retention } ?? true)
        }

        mutating func mark(_ time: Int64) {
            let mark = Mark(position: next, time: max(time, marks.last?.time ?? time))
            if marks.last?.position == next { marks.removeLast() }
            if marks.count >= UnreadDeletes.mostMarks { forgetOne(time) }
            marks.append(mark)
        }
    }

    /// How long the log keeps a delete; nil: for ever, or nobody wants to know.
    public let retention: Int64?
    private var partitions: [Int32: Partition] = [:]
    private static let mostMarks = 64

    public init(retention: Int64?) { self.retention = retention }

    /// The partition is read from `start` on. `from`: gaps before this offset do not matter. `since`: compaction cannot
    /// have met a delete from there on before this time; nil: that is not known, and no gap is judged until it is.
    public mutating func assign(_ partition: Int32, start: Int64, from: Int64, since: Int64?) {
        partitions[partition] = Partition(
            next: start, from: from, marks: since.map { [Mark(position: start, time: $0)] } ?? [])
    }

    public mutating func revoke(_ revoked: [Int32]) { for partition in revoked { partitions[partition] = nil } }

    /// The log ended there at this time.
    public mutating func ended(_ ends: [Int32: Int64], at time: Int64) {
        for (number, end) in ends where partitions[number].map({ $0.next >= end }) == true {
            partitions[number]?.mark(time)
        }
    }

    /// Before what time compaction cannot have met a delete from `offset` on; nil: unknown. Offsets are asked in their
    /// order.
    public mutating func since(_ number: Int32, before offset: Int64) -> Int64? {
        guard let marks = partitions[number]?.marks, let place = marks.lastIndex(where: { $0.position <= offset })
        else { return nil }
        partitions[number]?.marks.removeFirst(place)
        return marks[place].time
    }

    /// Nothing lies between what was read and `next`.
    public mutating func reached(_ number: Int32, _ next: Int64) {
        guard let read = partitions[number]?.next, read < next else { return }
        partitions[number]?.next = next
    }

    /// No record lies between what was read and `next`, and some lie behind: the reading ends there. Gives a loss if
    /// there may have been a delete.
    public mutating func passed(_ number: Int32, to next: Int64, now: Int64) -> Loss? {
        defer { reached(number, next) }
        guard let partition = partitions[number], partition.next < next, let retention,
            let since = partition.marks.last?.time, now - since > retention
        else { return nil }
        let gap = ForgottenDeletes.Gap(offsets: partition.next..<next, after: partition.last)
        guard partition.counts(gap, now: now, retention: retention) else { return nil }
        return Loss(from: partition.next, since: since, gap: gap)
    }

    /// Takes records that were read: `count` of them, which lie before `next`. Gives a loss if one of them follows a
    /// gap in which there may have been a delete.
    public mutating func read(
        _ number: Int32, count: Int, next: Int64, now: Int64, record: (Int) -> Record
    ) -> Loss? {
        guard count > 0, var partition = partitions[number] else { return nil }
        defer { partitions[number] = partition }
        if next - partition.next > Int64(count), let retention, let since = partition.marks.last?.time,
            now - since > retention
        {
            var reader = ForgottenDeletes.Reader(at: partition.next, from: partition.from, after: partition.last)
            for place in 0..<count {
                let record = record(place)
                reader.read(record.offset, timestamp: record.timestamp, key: record.key)
            }
            let missing = reader.gaps.first { partition.counts($0, now: now, retention: retention) }
            if let missing { return Loss(from: partition.next, since: since, gap: missing) }
        }
        let last = record(count - 1).timestamp
        (partition.next, partition.last) = (next, last >= 0 ? last : nil)
        return nil
    }
}
