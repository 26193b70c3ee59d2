import Commands
import Indexing
import JSONText
import Parity
import Pipeline

/// Looks in the log for what the new side holds of documents that differ: the content of an earlier state is `stale`.
struct StaleSearch {
    let log: LogTail
    let fold: LogFold
    let digester: DocumentDigester
    let topic: String

    private static let split =
        "its commands lie in two partitions of the topic, so that nobody can tell which of them is newer "
        + "(\(RepairDoubt.twoPartitions.rawValue))"

    private struct Sought {
        var digest: ContentDigest
        /// Where the content was last written, and whether something else was said since.
        var place: (partition: Int32, offset: Int64)?
        var isLast = false
    }

    /// Goes through the log once. `held`: what the new side has of the documents.
    func run(_ findings: [Finding], held: [DocumentKey: [UInt8]], _ ranges: [Int32: Range<Int64>]) throws -> [Finding] {
        var sought: [DocumentKey: Sought] = [:]
        for finding in findings where finding.kind == .different {
            guard let document = held[finding.key] else { continue }
            sought[finding.key] = Sought(digest: try digest(document))
        }
        guard !sought.isEmpty else { return findings }
        let names = LogFold.Names(sought.keys)
        var folds = LogFold.Folds()
        _ = try log.records(ranges) { message, decoded, companions in
            for key in fold.add(decoded, companions, in: message.partition, to: &folds, names) {
                guard let seeks = sought[key] else { continue }
                let isSame = try content(folds.held[key]).map { try digest($0) == seeks.digest } ?? false
                sought[key]?.isLast = isSame
                if isSame { sought[key]?.place = (message.partition, message.offset) }
            }
        }
        return findings.map { finding in
            guard finding.kind == .different, let found = sought[finding.key] else { return finding }
            var finding = finding
            guard folds.held[finding.key]?.content != .split else {
                finding.note = Self.split
                return finding
            }
            guard let place = found.place else { return finding }
            let text = "\(topic)/\(place.partition)/\(place.offset)"
            if found.isLast {
                finding.note = "the new side holds what the log says last (\(text))"
            } else {
                (finding.kind, finding.note) = (.stale, text)
            }
            return finding
        }
    }

    private func content(_ fold: DocumentFold?) -> [UInt8]? {
        guard case .document(let document) = fold?.content else { return nil }
        return document
    }

    private func digest(_ document: [UInt8]) throws -> ContentDigest {
        try document.withUnsafeBufferPointer { try digester.digest($0) }
    }
}
