import Parity

/// What a repair came to, for all forms of a receipt.
extension ReceiptReport {
    /// The columns of the table of a repair.
    var repairHeads: [String] {
        let isPerformed = receipt.repair?.isPerformed == true
        return ["found"] + (isPerformed ? ["written", "deleted"] : ["to write", "to delete"])
            + ["right by now", "overtaken", "refused", "left"]
    }

    /// What was done, or would be, in one sentence; nil: there is nothing to say.
    var repairSentence: String? {
        guard let repair = receipt.repair else { return nil }
        let sum = repair.sum
        let did = repair.isPerformed ? (sum.written == 1 ? "was" : "were") : "would be"
        return "Of \(HTML.grouped(Int64(sum.found))) documents, \(HTML.grouped(Int64(sum.written))) "
            + "\(did) written and \(HTML.grouped(Int64(sum.deleted))) deleted."
    }

    /// A row for each kind of each index, and one for their sum where there are several.
    var repairRows: [(name: String, counts: [Int])] {
        guard let repair = receipt.repair else { return [] }
        let rows = repair.rows.map { place, counts in
            let index = receipt.indices.count > 1 ? "\(indexName(place.entry)): " : ""
            return (name: index + Self.name(place.kind), counts: Self.counts(counts))
        }
        return rows + (rows.count > 1 ? [(name: "together", counts: Self.counts(repair.sum))] : [])
    }

    private static func counts(_ counts: RepairReport.Counts) -> [Int] {
        [
            counts.found, counts.written, counts.deleted, counts.right, counts.overtaken, counts.refused,
            counts.leftCount,
        ]
    }

    private func indexName(_ entry: Int) -> String {
        receipt.index(of: DocumentKey(entry: entry, id: []))
    }

    /// Why documents are left as they are, with their numbers.
    var repairDoubts: [(count: Int, meaning: String)] {
        (receipt.repair?.sum.left ?? [:]).sorted { $0.key.rawValue < $1.key.rawValue }.map {
            ($0.value, "\($0.key.rawValue): \(Self.meaning($0.key))")
        }
    }

    /// How `verify` is to be called to repair what is wrong; nil: no repair changes what is left.
    var repairOptions: String? {
        guard let repair = receipt.repair else { return " --repair" + (listsRepair ? " --yes" : "") }
        let sum = repair.sum
        let doubts: [RepairDoubt] = [.extraNotProved, .tombstoneNotExplained, .versionNotExplained, .twoPartitions]
        let provable = doubts.reduce(0) { $0 + (sum.left[$1] ?? 0) }
        // `--trust-source` is refused where it is not known how far the application's indexer is.
        let mayTrust = receipt.basis == .source && receipt.positions.allSatisfy { $0.application != nil }
        let trusting = trustsSource ? " --trust-source" : ""
        if listsRepair, !repair.isPerformed, sum.written + sum.deleted > 0 { return " --repair\(trusting) --yes" }
        if provable > 0, mayTrust, !trustsSource { return " --repair --trust-source" }
        return sum.leftCount < sum.found ? " --repair\(trusting)" : nil
    }

    private static func meaning(_ doubt: RepairDoubt) -> String {
        switch doubt {
        case .extraNotProved: "the new side alone has it, and the topic does not say that it was deleted"
        case .tombstoneNotExplained: "the old side alone has it, and the topic does not explain the tombstone"
        case .versionNotExplained:
            "the new side has a newer version, and the command that gave it may be gone from the topic"
        case .uncopied: "it cannot be copied, and no command names it"
        case .targetNewer: "the new side has a newer version, which the application wrote there"
        case .baseLost: "the topic has parts of it, and nobody has what they belong to"
        case .twoPartitions:
            "its commands lie in two partitions of the topic, so that nobody can tell which is newer (rail "
                + "one_partition)"
        case .logAgrees: "the new side has what the topic says, and the old side has something else"
        }
    }

    /// What is said of an example: index, id, routing, what was wrong, what is done, version, what came of
    /// it.
    func repairCells(_ example: RepairReport.Example) -> [String] {
        let (id, routing) = Self.title(example.key)
        return [
            receipt.index(of: example.key), id, routing ?? "", Self.name(example.kind), example.step,
            example.version.map(String.init) ?? "", example.outcome ?? "",
        ]
    }
}
