import JSONText

/// The end of a migration, from the moment from which there is no way back. What is done is written down after each
/// step, so that an end that was broken off goes on where it was. Every step may be repeated.
package struct Ending: Sendable, Equatable {
    /// In the order in which they are taken. Each makes something impossible that the ones before it needed.
    package enum Step: String, Sendable, CaseIterable {
        /// Nobody works on the migration any more. Looked at again, because one may have begun just before the end.
        case members
        /// The consumer group of the application's new indexer gets our offsets.
        case handover
        /// Nothing can be written through Crossfade's aliases any more: what comes late is refused by the cluster.
        case writes
        /// The last tombstones are purged.
        case tombstones
        /// The readers' aliases lose the filter that hid them, and Crossfade's other aliases go.
        case readers
        /// Our consumer group.
        case group
        case deadLetters = "dead_letters"
        /// The old indices.
        case oldSide = "old_side"
    }

    /// Who, for people.
    package var by: String
    /// Milliseconds since 1970.
    package var began: Int64
    /// The file into which the state is archived, as an absolute path.
    package var archive: String
    /// Our group's offsets, which the application's new indexer gets.
    package var offsets: [Int32: Int64]
    package private(set) var done: [Step] = []

    package init(by: String, began: Int64, archive: String, offsets: [Int32: Int64]) {
        (self.by, self.began, self.archive, self.offsets) = (by, began, archive, offsets)
    }

    /// The steps that are left, in their order.
    package func left(of asked: Set<Step>) -> [Step] {
        Step.allCases.filter { asked.contains($0) && !done.contains($0) }
    }

    /// - Returns: false where the steps before it that were asked for are not done: then nothing is recorded.
    @discardableResult
    package mutating func complete(_ step: Step, of asked: Set<Step>) -> Bool {
        guard left(of: asked).first == step else { return false }
        done.append(step)
        return true
    }
}

extension CutoverState {
    /// Begins the end. From now on nothing moves aliases. One that was begun before stays as it is.
    /// - Returns: the end that holds.
    package mutating func beginEnd(_ new: Ending) throws(CutoverRefusal) -> Ending {
        try checkFinish()
        if let ending, end == .finished { return ending }
        (end, ending) = (.finished, new)
        return new
    }
}

extension Ending {
    package var json: JSONValue {
        [
            "by": .string(by), "began": .number(began), "archive": .string(archive),
            "offsets": .object(JSONObject(offsets.sorted { $0.key < $1.key }.map { ("\($0.key)", .number($0.value)) })),
            "done": .array(done.map { .string($0.rawValue) }),
        ]
    }

    /// nil: this version does not understand it.
    package init?(json: JSONValue) {
        guard let by = json["by"]?.string, let began = json["began"]?.time, let archive = json["archive"]?.string,
            let told = json["offsets"]?.object, let steps = json["done"]?.array
        else { return nil }
        var offsets: [Int32: Int64] = [:]
        for (key, value) in told {
            guard let partition = Int32(key), let offset = value.count, offset >= 0 else { return nil }
            offsets[partition] = offset
        }
        self.init(by: by, began: began, archive: archive, offsets: offsets)
        for step in steps {
            guard let known = step.string.flatMap(Step.init) else { return nil }
            done.append(known)
        }
    }
}

extension AliasMove {
    /// What the alias of an index says once no tombstone is left to hide: the same without that part of its filter.
    /// nil: its filter is not one that hides tombstones, so it stays.
    ///
    /// - Parameters:
    ///   - definition: as the cluster gives it.
    ///   - hiding: the filter that hides tombstones.
    package static func showing(_ definition: JSONObject, hiding: JSONValue) -> JSONObject? {
        guard let filter = definition["filter"] else { return nil }
        var shown = definition
        if filter == hiding {
            shown["filter"] = nil
            return shown
        }
        // As it was written where the alias shows a part of the documents.
        guard let parts = filter["bool"]?["must"]?.array, parts.count == 2, parts[1] == hiding,
            filter == ["bool": ["must": .array(parts)]]
        else { return nil }
        shown["filter"] = parts[0]
        return shown
    }
}
