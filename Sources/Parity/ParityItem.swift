import Indexing
import JSONText

/// One document of one side, as it is compared: the hash of its id, and a digest of id, routing and content.
package struct ParityItem: Sendable, Equatable {
    package var hash: UInt64
    package var digest: ContentDigest

    package init(hash: UInt64, digest: ContentDigest) { (self.hash, self.digest) = (hash, digest) }

    /// The hash of an id. The same id in two entries has two.
    @inlinable package static func hash(of id: Bytes, entry: Int) -> UInt64 { KeyHash.hash(id, seed: entry) }

    /// The bucket of an id.
    @inlinable package static func bucket(_ hash: UInt64) -> Int {
        Int(truncatingIfNeeded: hash &>> UInt64(64 - BucketSums.bits))
    }
}

extension DocumentDigester {
    /// A document as it is compared. What is not JSON is compared byte by byte, and is like no JSON document.
    ///
    /// - Parameter routing: one that is the id leads to the same shard as none, and counts as none.
    package func item(_ document: Bytes, entry: Int, id: Bytes, routing: Bytes?) -> ParityItem {
        let content = (try? digest(document)) ?? ContentDigest(of: document, seed: 1)
        joined.removeAll()
        joined.append(content)
        joined.append(decimal: Int64(entry))
        joined.append(UInt8(ascii: " "))
        joined.append(decimal: Int64(id.count))
        joined.append(UInt8(ascii: " "))
        joined.append(id)
        if let routing, !routing.elementsEqual(id) {
            joined.append(UInt8(ascii: " "))
            joined.append(routing)
        }
        defer { joined.removeAll() }
        return ParityItem(hash: ParityItem.hash(of: id, entry: entry), digest: ContentDigest(of: joined.bytes))
    }
}
