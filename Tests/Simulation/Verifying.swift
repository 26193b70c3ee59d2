import Indexing
import Parity

/// A verification that is under way. It only looks: no other actor depends on it.
struct Verification {
    /// Commands before these offsets were applied on both sides when it began.
    var applied: [Int32: Int64]
    /// Documents that are still to be scanned.
    var left: [Int]
    /// What differed in the scan. All others were alike.
    var differing: Set<Int> = []
    /// nil: the scan is not over.
    var book: SettlingBook?
    /// What all commands came to when a document was read.
    var truths: [Int: Document?] = [:]
    /// What the new cluster had then.
    var found: [Int: Document?] = [:]
}

/// Each step does one thing of the verification, so that everything else may come in between.
extension World {
    func verify() {
        guard layout == .single, copy?.finished != nil, replay.map({ $0.finished != nil }) ?? true, !replayDue,
            !engines.contains(where: { $0.kind == .restore }), isInLog()
        else { return verification = nil }
        guard verification != nil else { return beginVerification() }
        if let id = verification?.left.popLast() {
            if old.visible[id]?.flattened != found(id) { verification?.differing.insert(id) }
            return
        }
        guard verification?.book != nil else { return readTail() }
        settle()
    }

    /// A rail stops a verification whose commands the log has lost.
    private func isInLog() -> Bool {
        guard let verification else { return true }
        let line = verification.book?.line ?? verification.applied
        return topic.partitions.enumerated().allSatisfy { number, partition in
            let from = line[Int32(number)] ?? 0
            return from >= partition.start && from <= partition.end && !partition.isHeld
        }
    }

    private func beginVerification() {
        verification = Verification(applied: groupPositions.applied, left: Array((0..<setup.ids).reversed()))
        if on(.verifyRefresh) { old.refresh() }
    }

    private var groupPositions: GroupPositions {
        func offsets(_ offset: (Int) -> Int) -> [Int32: Int64] {
            Dictionary(uniqueKeysWithValues: topic.partitions.indices.map { (Int32($0), Int64(offset($0))) })
        }
        return GroupPositions(
            application: on(.verifyPositions) ? offsets { old.committed[$0] } : nil,
            crossfade: offsets { max(committed($0), replay?.at($0) ?? 0) },
            starts: offsets { topic.partitions[$0].start }, ends: offsets { topic.partitions[$0].end })
    }

    private func found(_ id: Int) -> Document? {
        let slot = new.slots[id]
        return slot.version > 0 && !slot.isTombstone ? Document(target: slot.body) : nil
    }

    /// What all commands of the log come to.
    private func truth(_ id: Int) -> Document? {
        var document = known(id)
        for entry in topic.partitions[partition(of: id)].entries where entry.isCommand && entry.id == id {
            OldCluster.apply(entry, to: &document, creates: setup.creates)
        }
        return document?.flattened
    }

    /// The ids that commands name in a stretch of the log, and the offsets behind its last records; nil: an open
    /// transaction hides the end.
    private func named(_ ranges: [Int32: Range<Int64>]) -> (ids: Set<Int>, ends: [Int32: Int64])? {
        var (ids, ends): (Set<Int>, [Int32: Int64]) = ([], [:])
        for (number, range) in ranges {
            let partition = topic.partitions[Int(number)]
            guard range.upperBound <= Int64(partition.stable) else { return nil }
            for offset in range where partition.entries[Int(offset)].isRead {
                ends[number] = offset + 1
                if partition.entries[Int(offset)].isCommand { ids.insert(partition.entries[Int(offset)].id) }
            }
        }
        return (ids, ends)
    }

    /// The scan is over: what commands have named since it began is looked at again. The rest is judged.
    private func readTail() {
        guard let begun = verification else { return }
        var ranges: [Int32: Range<Int64>] = [:]
        for (number, from) in begun.applied { ranges[number] = from..<max(from, groupPositions.ends[number] ?? from) }
        guard let tail = named(ranges) else { return }
        var options = SettlingBook.Options()
        // The old indexer commits what it has written.
        (options.grace, options.bound) = (0, .max)
        var book = SettlingBook(line: begun.applied.merging(tail.ends) { $1 }, options: options, now: 0)
        book.checksWindow = on(.verifySettling)
        for id in 0..<setup.ids {
            if begun.differing.contains(id) || tail.ids.contains(id) {
                book.add(DocumentKey(entry: 0, id: [UInt8(id)]))
            } else {
                check(.verifiedEqual, found(id) == truth(id)) { "\(self.name(id)) was scanned as equal, and is not" }
            }
        }
        verification?.book = book
    }

    private func settle() {
        guard var book = verification?.book else { return }
        defer { if verification != nil { verification?.book = book } }
        switch book.next(now: 0) {
        case .look: book.stands(groupPositions, now: 0)
        case .read(let keys):
            var readings: [DocumentKey: SettlingBook.Reading] = [:]
            for key in keys {
                let id = Int(key.id[0])
                let (expected, new) = (readOld(id)?.flattened, found(id))
                verification?.truths.updateValue(truth(id), forKey: id)
                verification?.found.updateValue(new, forKey: id)
                let text = [UInt8]("\(expected?.text ?? "-") \(new?.text ?? "-")".utf8)
                readings[key] =
                    expected == new
                    ? (new == nil ? .absent : .equal) : .differs(text.withUnsafeBufferPointer { ContentDigest(of: $0) })
            }
            book.read(readings, now: 0)
        case .lookAgain: book.standsAfter(groupPositions, now: 0)
        case .readLog(let ranges):
            let tail = named(ranges)
            // Compaction may have taken a command of the ranges: then a newer one of the same key is behind them.
            let ends = topic.partitions.map { Int64($0.stable) }
            let behind = ranges.mapValues { $0.upperBound }.reduce(into: [Int32: Range<Int64>]()) { behind, range in
                behind[range.key] = range.value..<max(range.value, ends[Int(range.key)])
            }
            for id in (tail?.ids ?? []).union(named(behind)?.ids ?? []) {
                book.commanded(DocumentKey(entry: 0, id: [UInt8(id)]))
            }
            for final in book.readLog(tail?.ends, now: 0) { judge(final) }
        case .idle, .over: verification = nil
        }
    }

    private func judge(_ final: SettlingBook.Final) {
        let id = Int(final.key.id[0])
        guard let verification, let truth = verification.truths[id], let found = verification.found[id] else { return }
        if case .differs = final.reading {
            check(.verifiedDifferent, found != truth) {
                "\(self.name(id)) was called different, and was as its commands have made it: \(found?.text ?? "-")"
            }
        } else {
            check(.verifiedEqual, found == truth) {
                "\(self.name(id)) was called equal, and was not as its commands have made it: \(found?.text ?? "-"), "
                    + "not \(truth?.text ?? "-")"
            }
        }
    }
}
