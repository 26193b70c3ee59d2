import JSONText

/// How many dead letters were ever written, and how many of them are known to be resolved. Beside what the topic still
/// holds it tells how many are gone unresolved: whoever deletes the topic, makes it again or empties it takes the only
/// copy of commands that nobody has applied.
///
/// A letter counts once for each death of its record. What is gone can be too low where a process was killed within
/// seconds of a letter. It can be too high only where a discarded record has died again, and its letter is gone, too.
package struct LetterTally: Sendable, Equatable {
    /// Of one dead-letter topic.
    package struct Count: Sendable, Equatable {
        package var written = 0
        /// Of them, those that were resolved when somebody last looked at all.
        package var settled = 0

        package init(written: Int = 0, settled: Int = 0) { (self.written, self.settled) = (written, settled) }
    }

    /// What a topic holds of a migration now, in deaths.
    package struct Present: Sendable, Equatable {
        package var deaths = 0
        /// Of them, those of unresolved letters.
        package var unresolved = 0

        package init(deaths: Int = 0, unresolved: Int = 0) { (self.deaths, self.unresolved) = (deaths, unresolved) }
    }

    package var topics: [String: Count] = [:]

    package init() {}

    package mutating func wrote(_ letters: Int, to topic: String) {
        let before = topics[topic, default: Count()]
        topics[topic] = Count(written: OutsideNumber.sum([before.written, letters]), settled: before.settled)
    }

    /// How many letters are in the topic no more, and were not resolved. `present`: read after this tally.
    package func gone(from topic: String, present: Present) -> Int {
        guard let count = topics[topic] else { return 0 }
        let missing = max(0, count.written - present.deaths)
        return min(missing, max(0, count.written - count.settled - present.unresolved))
    }

    /// Unresolved letters in topics that the recipe named before, by topic.
    package func left(besides topic: String) -> [String: Int] {
        topics.filter { $0.key != topic && $0.value.written > $0.value.settled }.mapValues { $0.written - $0.settled }
    }

    /// Keeps what is resolved by now. `before`: the tally before `present` was read. What was written since counts as
    /// unresolved until the next time.
    package mutating func settle(_ topic: String, before: LetterTally, present: Present) {
        guard let count = before.topics[topic] else { return }
        let open = present.unresolved + before.gone(from: topic, present: present)
        raise(topic, count.written - open)
    }

    /// Somebody says that those that are gone, and those in topics that the recipe named before, are not needed.
    /// Returns how many.
    package mutating func forgive(_ topic: String, before: LetterTally, present: Present) -> Int {
        let gone = before.gone(from: topic, present: present)
        let left = before.left(besides: topic)
        if let count = before.topics[topic] { raise(topic, count.written - present.unresolved) }
        for name in left.keys { raise(name, before.topics[name]?.written ?? 0) }
        return OutsideNumber.sum(Array(left.values) + [gone])
    }

    private mutating func raise(_ topic: String, _ settled: Int) {
        guard var count = topics[topic] else { return }
        count.settled = max(count.settled, settled)
        topics[topic] = count
    }
}

extension LetterTally {
    package var json: JSONValue {
        .object(
            JSONObject(
                topics.sorted { $0.key < $1.key }.map {
                    ($0.key, ["written": .number($0.value.written), "settled": .number($0.value.settled)])
                }))
    }

    package init(json: JSONValue) {
        for (topic, count) in json.object ?? JSONObject() {
            topics[topic] = Count(
                written: max(0, count["written"]?.size ?? 0), settled: max(0, count["settled"]?.size ?? 0))
        }
    }
}
