import Foundation
import JSONText
import Parity
import SearchCluster

/// How many documents each index says that it has, and by what it would show that it was written to. Where nothing was
/// written while the slices were read, they must sum to that count.
struct StillIndices {
    /// An index of one side, as an entry reads it: several may read another part of one index.
    struct Name: Hashable {
        var side: ParitySide
        var index: String
        var entry: Int
    }

    struct Look: Equatable {
        var count: Int64
        var copies: [CopyFigures]
    }

    private(set) var looks: [Name: Look] = [:]

    init(looks: [Name: Look]) { self.looks = looks }

    /// What cannot be found out is left out: then nothing is concluded.
    init(_ sides: ScanSides, _ query: (Name) -> JSONValue?) {
        for (number, entry) in sides.entries.enumerated() {
            for index in entry.source {
                look(Name(side: .source, index: index.name, entry: number), sides.source?.reader, query)
            }
            look(Name(side: .target, index: entry.index, entry: number), sides.target.reader, query)
        }
    }

    private mutating func look(_ name: Name, _ reader: ClusterReader?, _ query: (Name) -> JSONValue?) {
        guard let reader, let count = try? reader.count(name.index, query: query(name)),
            let copies = try? reader.copies(name.index), !copies.isEmpty
        else { return }
        looks[name] = Look(count: count, copies: copies)
    }

    /// What the slices do not sum to, in words. `read`: documents that the slices of each index gave.
    func missing(_ after: StillIndices, read: [Name: Int]) -> [String] {
        looks.sorted { ($0.key.index, $0.key.side.rawValue) < ($1.key.index, $1.key.side.rawValue) }.compactMap {
            name, look in
            // Without sequence numbers, two writes may cancel out in the counts of the copies.
            guard after.looks[name] == look, look.copies.allSatisfy({ $0.sequence != nil }), let read = read[name],
                Int64(read) != look.count
            else { return nil }
            return "the slices of \(name.index) on the \(name.side) gave \(read) documents, its count says "
                + "\(look.count), and nothing was written to it meanwhile"
        }
    }
}
