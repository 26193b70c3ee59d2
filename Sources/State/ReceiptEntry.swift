import JSONText
import Parity

/// What the migration's state keeps of a receipt: enough to say what it proves, and to find out that it was changed.
/// The receipt itself is a document of its own beside the state. Times are milliseconds since 1970.
package struct ReceiptEntry: Sendable, Equatable {
    package var id: String
    /// ``ContentDigest/text`` of the receipt as it was stored.
    package var digest: String
    package var verdict: Verdict
    package var basis: Receipt.Basis
    package var since: String?
    package var fingerprint: String
    package var ended: Int64
    /// When the oldest part of it was read. Its age counts from here.
    package var oldestRead: Int64
    package var sourceTotal: Int
    package var targetTotal: Int
    package var totals: ParityTotals
    /// Every command before these offsets is in what was compared.
    package var verifiedUpTo: [Int32: Int64]
    /// Why it proves nothing any more, as somebody found who looked; nil: nobody did. It stays: what was seen once may
    /// not be visible any more.
    package var voided: String?
    /// How many documents stay different because the log agrees with the new side, where a repair was listed and
    /// nothing else is wrong; nil: that is not so, or not known.
    package var oldSideDiffers: Int?

    /// What to do then.
    package static let oldSideDiffersAdvice =
        "the new side has what the topic says, and no repair changes it: mend these documents on the old side, or the "
        + "recipe if it reads the commands otherwise than the application (parts of documents that are not there: "
        + "`missing` in `indices`); or, if the new side is right, "
        + "--override receipt --why TEXT"

    /// The most receipts that are kept. Of those on which newer ones rest there may be more.
    package static let most = 200
    /// The most that are kept at all: in a long row each receipt rests on the one before it.
    package static let mostInRow = 2_000
    /// More than any state lists.
    package static let mostStored = 4_096

    package init(_ receipt: Receipt, digest: String) {
        (id, self.digest, verdict, basis) = (receipt.id, digest, receipt.verdict, receipt.basis)
        (since, fingerprint, ended, oldestRead) =
            (receipt.since, receipt.fingerprint, receipt.ended, receipt.oldestRead)
        sourceTotal = receipt.indices.reduce(0) { $0 &+ $1.sourceTotal }
        targetTotal = receipt.indices.reduce(0) { $0 &+ $1.targetTotal }
        totals = receipt.totals
        voided = nil
        oldSideDiffers = receipt.repair.flatMap { $0.sum.onlyLogAgrees ? $0.sum.found : nil }
        verifiedUpTo = Dictionary(receipt.positions.map { ($0.partition, $0.verifiedUpTo) }) { max($0, $1) }
    }

    /// Seconds since the oldest part of it was read.
    package func age(now: Int64) -> Int64 { max(0, now &- oldestRead) / 1000 }

    /// `receipt 20261129-222555-ff4215: equal, 4 s old`.
    package func words(now: Int64) -> String { "receipt \(id): \(verdict.rawValue), \(age(now: now)) s old" }

    package var json: JSONValue {
        [
            "receipt": .string(id), "old_side_differs": oldSideDiffers.map { .number($0) } ?? .null,
            "digest": .string(digest), "verdict": .string(verdict.rawValue),
            "basis": .string(basis.rawValue), "since": since.map { .string($0) } ?? .null,
            "fingerprint": .string(fingerprint), "ended": .number(ended), "oldest_read": .number(oldestRead),
            "source_total": .number(sourceTotal), "target_total": .number(targetTotal), "totals": totals.json,
            "verified_up_to": .object(
                JSONObject(verifiedUpTo.sorted { $0.key < $1.key }.map { ("\($0.key)", .number($0.value)) })),
            "void": voided.map { .string($0) } ?? .null,
        ]
    }

    /// For those who watch: as it is kept, with what depends on the time and on the work that is confirmed now.
    package func shown(fingerprint: String?, now: Int64) -> JSONValue {
        var object = json.object ?? JSONObject()
        object["age_seconds"] = .number(age(now: now))
        object["current"] = .bool(self.fingerprint == fingerprint)
        return .object(object)
    }

    /// nil: this version does not understand it.
    package init?(json: JSONValue) {
        guard let id = json["receipt"]?.string, let digest = json["digest"]?.string,
            let verdict = json["verdict"]?.string.flatMap(Verdict.init),
            let basis = json["basis"]?.string.flatMap(Receipt.Basis.init),
            let fingerprint = json["fingerprint"]?.string, let ended = json["ended"]?.time,
            let oldest = json["oldest_read"]?.time, let totals = json["totals"]
        else { return nil }
        (self.id, self.digest, self.verdict, self.basis) = (id, digest, verdict, basis)
        (since, self.fingerprint, self.ended, oldestRead) = (json["since"]?.string, fingerprint, ended, oldest)
        sourceTotal = json["source_total"]?.size ?? 0
        targetTotal = json["target_total"]?.size ?? 0
        self.totals = ParityTotals(json: totals)
        voided = json["void"]?.string
        oldSideDiffers = json["old_side_differs"]?.size
        verifiedUpTo = [:]
        for (partition, offset) in json["verified_up_to"]?.object ?? JSONObject() {
            if let partition = Int32(partition), let offset = offset.count { verifiedUpTo[partition] = offset }
        }
    }
}

extension MigrationState {
    /// The newest receipt; nil: nothing was verified yet.
    package var newestReceipt: ReceiptEntry? { receipts.last }

    /// The newest receipt of the work with this fingerprint; nil: that was not verified yet.
    package func newestReceipt(of fingerprint: String) -> ReceiptEntry? {
        receipts.last { $0.fingerprint == fingerprint }
    }

    /// The receipt with which the readers moved, in the rollover that holds; nil: there is none, or it was not equal.
    package var receiptOfRollover: ReceiptEntry? {
        guard let moved = cutover.rolledOverAt else { return nil }
        let last = receipts.last { $0.fingerprint == fingerprint && $0.ended <= moved }
        return last?.verdict == .equal ? last : nil
    }

    /// Adds a receipt, in place of one of the same id. Returns the ids of old ones that are not kept any more: of more
    /// than ``ReceiptEntry/most`` the oldest go. Those on which a newer one rests go only where there are more than
    /// ``ReceiptEntry/mostInRow``.
    package mutating func keep(_ receipt: ReceiptEntry) -> [String] {
        receipts.removeAll { $0.id == receipt.id }
        receipts.append(receipt)
        var dropped: [String] = []
        while receipts.count > ReceiptEntry.most {
            let bases = Set(receipts.compactMap(\.since))
            let free = receipts.dropLast().firstIndex { !bases.contains($0.id) }
            guard let oldest = free ?? (receipts.count > ReceiptEntry.mostInRow ? 0 : nil) else { break }
            dropped.append(receipts.remove(at: oldest).id)
        }
        return dropped
    }
}

extension [ReceiptEntry] {
    /// What a person has typed to name a receipt.
    package enum Named: Sendable, Equatable {
        case one(String)
        case none
        /// Several ids begin like this.
        case several([String])
    }

    /// The receipt with this id, or the only one whose id begins like this.
    package func named(_ text: String) -> Named {
        if contains(where: { $0.id == text }) { return .one(text) }
        let found = filter { $0.id.hasPrefix(text) }.map(\.id)
        guard let first = found.first, !text.isEmpty else { return .none }
        return found.count == 1 ? .one(first) : .several(found)
    }

    /// Those from which a verification of the same kind can go on, the newest first.
    package func usable(of fingerprint: String, basis: Receipt.Basis) -> [ReceiptEntry] {
        reversed().filter {
            $0.fingerprint == fingerprint && $0.basis == basis && [.equal, .different, .settling].contains($0.verdict)
        }
    }
}
