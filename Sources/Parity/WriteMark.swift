import JSONText

/// How far an index of the old side was written when it was looked at. Where no command topic tells what is written
/// there, the difference to an earlier look is all that anybody knows of it.
package struct WriteMark: Sendable, Equatable {
    /// What a shard counts: it grows with each write and each delete, also of documents that stay as they were.
    package enum Count: Sendable, Equatable {
        /// The greatest `_seq_no` of all copies (from 6.0 on); -1: nothing was ever written.
        case sequence(Int64)
        /// Writes and deletes since the primary began on this node (before 6.0).
        case written(Int64, node: String)
    }

    package var index: String
    /// nil: the server does not say it.
    package var uuid: String?
    package var shards: [Int: Count]

    package init(index: String, uuid: String?, shards: [Int: Count]) {
        (self.index, self.uuid, self.shards) = (index, uuid, shards)
    }

    /// What came between two looks.
    package enum Change: Sendable, Equatable {
        /// So many writes and deletes; 0: nobody has written.
        case writes(Int64)
        /// It cannot be told, and why.
        case unknown(String)
    }

    /// What was written to all of `now` since `before` was looked at.
    package static func change(from before: [WriteMark], to now: [WriteMark]) -> Change {
        let earlier = Dictionary(before.map { ($0.index, $0) }) { one, _ in one }
        if let gone = Set(earlier.keys).subtracting(now.map(\.index)).min() {
            return .unknown("the old index \(gone) is not there any more")
        }
        var writes: Int64 = 0
        for mark in now {
            guard let old = earlier[mark.index] else {
                // It matches a pattern since. All that it holds came since.
                writes &+= mark.all
                continue
            }
            switch mark.change(since: old) {
            case .writes(let count): writes &+= count
            case .unknown(let why): return .unknown(why)
            }
        }
        return .writes(writes)
    }

    private var all: Int64 {
        shards.values.reduce(0) { sum, count in
            switch count {
            case .sequence(let number): sum &+ number &+ 1
            case .written(let number, _): sum &+ number
            }
        }
    }

    private func change(since old: WriteMark) -> Change {
        guard uuid == old.uuid || uuid == nil || old.uuid == nil else {
            return .unknown("the old index \(index) was made again")
        }
        guard Set(shards.keys) == Set(old.shards.keys) else {
            return .unknown("not all shards of the old index \(index) tell how far they are written")
        }
        var writes: Int64 = 0
        for (shard, count) in shards {
            switch (old.shards[shard], count) {
            case (.sequence(let before), .sequence(let after)) where after >= before: writes &+= after &- before
            case (.written(let before, let place), .written(let after, let node))
            where after >= before && place == node: writes &+= after &- before
            default:
                return .unknown(
                    "shard \(shard) of the old index \(index) counts anew: it was restarted, moved or restored")
            }
        }
        return .writes(writes)
    }
}

extension WriteMark {
    package var json: JSONValue {
        let counts = shards.sorted { $0.key < $1.key }.map { shard, count -> (String, JSONValue) in
            switch count {
            case .sequence(let number): ("\(shard)", ["sequence": .number(number)])
            case .written(let number, let node): ("\(shard)", ["written": .number(number), "node": .string(node)])
            }
        }
        return [
            "index": .string(index), "uuid": uuid.map { .string($0) } ?? .null, "shards": .object(JSONObject(counts)),
        ]
    }

    /// nil: it says nothing that this version understands.
    package init?(json: JSONValue) {
        guard let index = json["index"]?.string, let told = json["shards"]?.object else { return nil }
        self.init(index: index, uuid: json["uuid"]?.string, shards: [:])
        for (shard, count) in told {
            guard let shard = OutsideNumber.size(text: shard) else { return nil }
            if let number = count["sequence"]?.count {
                shards[shard] = .sequence(number)
            } else if let number = count["written"]?.count, let node = count["node"]?.string {
                shards[shard] = .written(number, node: node)
            } else {
                return nil
            }
        }
    }

    /// nil: one of them cannot be read, so all together say nothing.
    package static func all(_ json: JSONValue?) -> [WriteMark]? {
        guard let marks = json?.array?.map(WriteMark.init(json:)), !marks.contains(where: { $0 == nil }) else {
            return nil
        }
        return marks.compactMap { $0 }
    }

    package static func json(_ marks: [WriteMark]?) -> JSONValue { marks.map { .array($0.map(\.json)) } ?? .null }
}
