import JSONText

/// One alias and the two sets of indices that it stands on, before a rollover and after it.
package struct AliasMove: Sendable, Equatable {
    /// An index, and what an alias says of it.
    package struct Place: Sendable, Equatable {
        package var index: String
        /// An index that is made again has another one; nil: it is not known.
        package var uuid: String?
        /// `filter`, `index_routing`, `search_routing`, `is_write_index`, `is_hidden`, as the cluster returns them.
        package var definition: JSONObject

        package init(_ index: String, uuid: String?, _ definition: JSONObject) {
            (self.index, self.uuid, self.definition) = (index, uuid, definition)
        }
    }

    package var alias: String
    /// Empty where the alias does not exist yet, as on a new cluster.
    package var from: [Place]
    /// Empty where it is to be removed.
    package var to: [Place]

    package init(_ alias: String, from: [Place], to: [Place]) {
        (self.alias, self.from, self.to) = (alias, from, to)
    }

    /// The same alias, the other way.
    package var reversed: AliasMove { AliasMove(alias, from: to, to: from) }

    /// Where an alias stands.
    package enum Standing: Sendable, Equatable {
        /// Exactly on the indices of `from`, or of `to`.
        case before, after
        /// On these indices, which is neither. `[]`: on none.
        case elsewhere([String])
    }

    /// - Parameter indices: the indices behind the alias, as they were read.
    package func standing(_ indices: some Sequence<String>) -> Standing {
        let found = Set(indices)
        // After a move that removes the alias, and before one that makes it, it stands on none.
        if found == Set(to.map(\.index)) { return .after }
        if found == Set(from.map(\.index)) { return .before }
        return .elsewhere(found.sorted())
    }

    /// Whether the request of this move was applied, by where the alias stands when nothing is under way any more; nil:
    /// it cannot be told. Another index may stand there, too: servers without `must_exist` skip a removal that finds
    /// nothing, and add all the same.
    package func isApplied(_ indices: some Sequence<String>) -> Bool? {
        let (found, old) = (Set(indices), Set(from.map(\.index)))
        let added = Set(to.map(\.index)).subtracting(old)
        if added.isEmpty {
            let removed = old.subtracting(to.map(\.index))
            return found.isDisjoint(with: removed) ? true : found.isSuperset(of: removed) ? false : nil
        }
        return found.isSuperset(of: added) ? true : found.isDisjoint(with: added) ? false : nil
    }

    /// The actions of the `_aliases` request. `mustExist`: the server knows `must_exist`, and applies nothing at all
    /// if the alias is not where it was. Servers without it skip a removal that finds nothing, and add all the same.
    package func actions(mustExist: Bool) -> [JSONValue] {
        let kept = Set(to.map(\.index))
        let removed = from.map(\.index).filter { !kept.contains($0) }.map { index in
            let more: JSONObject = mustExist ? ["must_exist": true] : [:]
            return AliasAction.remove(alias, index, more)
        }
        return removed + to.map { AliasAction.add(alias, $0.index, $0.definition) }
    }
}

/// One action of an `_aliases` request.
package enum AliasAction {
    package static func add(_ alias: String, _ index: String, _ more: JSONObject = [:]) -> JSONValue {
        action("add", alias, index, more)
    }

    package static func remove(_ alias: String, _ index: String, _ more: JSONObject = [:]) -> JSONValue {
        action("remove", alias, index, more)
    }

    private static func action(_ verb: String, _ alias: String, _ index: String, _ more: JSONObject) -> JSONValue {
        var body: JSONObject = ["index": .string(index), "alias": .string(alias)]
        for (key, value) in more { body[key] = value }
        return .object(JSONObject([(verb, .object(body))]))
    }
}

extension CutoverState {
    /// Aliases that were moved or are being moved, and the indices between which they move.
    package var names: Set<String> {
        let moves = moved + (intent?.moves ?? [])
        return Set(moves.map(\.alias) + moves.flatMap { $0.from + $0.to }.map(\.index))
    }
}
