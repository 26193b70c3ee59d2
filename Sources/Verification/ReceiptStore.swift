import Failures
import Foundation
import JSONText
import Parity
import Runtime
import SearchCluster
import State

/// The receipts of a migration: documents beside its state, each as one text, and a list in the state with a digest of
/// each. Whoever changes a receipt would have to change the state, too.
package struct ReceiptStore: Sendable {
    /// What became of a stored receipt.
    package enum Check: Sendable, Equatable {
        case intact
        /// It is not what was stored. What differs, in words.
        case changed(String)
        /// The list has it, and the document is not there.
        case gone
        /// The list has no such receipt.
        case unlisted
    }

    private static let prefix = "receipt-"
    /// The longest receipt that is stored, in bytes. Examples and samples of a longer one are left out.
    package static let longest = 8 << 20

    private let store: StateStore
    private let writer: TargetWriter

    package init(_ store: StateStore, target: Cluster) { (self.store, writer) = (store, target.writer) }

    /// Stores the receipt, and returns it as it was stored: one that is too long has fewer examples and says so.
    /// Waits up to `patience` milliseconds for a target that is away.
    @discardableResult package func save(_ receipt: Receipt, patience: Int64 = 60_000) throws -> Receipt {
        let receipt = Self.shortened(receipt)
        let text = receipt.json.text()
        let digest = Self.digest(text)
        let document: JSONValue = ["receipt": .string(text), "digest": .string(digest)]
        let until = MonotonicClock.milliseconds() + patience
        var dropped: [String] = []
        while true {
            do {
                try writer.putProgress(store.index, Self.prefix + receipt.id, document)
                try store.update { dropped = $0.keep(ReceiptEntry(receipt, digest: digest)) }
                break
            } catch let error as ClusterError where error.retriable {
                guard MonotonicClock.milliseconds() < until, !StopSignal.isAsked else { throw error }
                Thread.sleep(forTimeInterval: 1)
            }
        }
        // One that stays is in no list, and harms nobody.
        for id in dropped { try? writer.deleteProgress(store.index, Self.prefix + id) }
        return receipt
    }

    /// All that the state lists, the newest first.
    package func list() throws -> [ReceiptEntry] { try store.load()?.receipts.reversed() ?? [] }

    /// Why a receipt was found void; nil: it was not.
    package func voided(_ id: String) throws -> String? { try list().first { $0.id == id }?.voided }

    /// Keeps that a receipt was found void. Where the state cannot be written, the next one who looks may see it again.
    package func void(_ id: String, _ why: String) {
        _ = try? store.updateIfReachable { state in
            for place in state.receipts.indices
            where state.receipts[place].id == id && state.receipts[place].voided == nil {
                state.receipts[place].voided = why
            }
        }
    }

    /// nil: there is none with this id, or this version of Crossfade does not understand it.
    package func load(_ id: String) throws -> Receipt? {
        guard let text = try stored(id)?.text, let json = try? JSONValue(parsing: text) else { return nil }
        return Receipt(json: json)
    }

    package func check(_ id: String) throws -> Check {
        guard let entry = try list().first(where: { $0.id == id }) else { return .unlisted }
        return try check(entry)
    }

    /// The same of one that the state is known to list.
    package func check(_ entry: ReceiptEntry) throws -> Check {
        guard let stored = try stored(entry.id) else { return .gone }
        let found = Self.digest(stored.text)
        if stored.digest == entry.digest, found == entry.digest {
            guard let receipt = try? JSONValue(parsing: stored.text), let receipt = Receipt(json: receipt) else {
                return .intact
            }
            var told = ReceiptEntry(receipt, digest: entry.digest)
            told.voided = entry.voided
            return told == entry ? .intact : .changed("what the state says of it was changed: its content is another")
        }
        let what = stored.digest == entry.digest ? "its content" : found == stored.digest ? "all of it" : "its digest"
        return .changed("\(what) was changed: the state says \(entry.digest), its content is \(found)")
    }

    private func stored(_ id: String) throws -> (text: String, digest: String)? {
        guard let document = try writer.getDocument(store.index, Self.prefix + id)?.source,
            let text = document["receipt"]?.string
        else { return nil }
        return (text, document["digest"]?.string ?? "")
    }

    private static func digest(_ text: String) -> String {
        Array(text.utf8).withUnsafeBufferPointer { ContentDigest(of: $0).text }
    }

    /// The receipt with as many examples as there is room for.
    static func shortened(_ receipt: Receipt, to longest: Int = longest) -> Receipt {
        guard receipt.json.text().utf8.count > longest else { return receipt }
        var short = receipt
        short.sample = []
        short.repair?.examples = []
        repeat {
            let kept = Dictionary(grouping: short.examples, by: \.kind).values.flatMap { $0.prefix($0.count / 2) }
            short.examples = kept.sorted { ($0.kind.rawValue, $0.key.entry) < ($1.kind.rawValue, $1.key.entry) }
        } while !short.examples.isEmpty && short.json.text().utf8.count > longest
        short.remarks.append(
            "the receipt would have been longer than \(longest >> 20) MiB (fixed limit receipt_size): it holds "
                + "\(short.examples.count) of \(receipt.examples.count) examples, and \(short.sample.count) of "
                + "\(receipt.sample.count) samples")
        return short
    }
}
