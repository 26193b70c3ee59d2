import JSONText

/// How far work in stages is that reads several parts at once, for those who watch.
package struct StageReport: Sendable, Equatable {
    package struct Part: Sendable, Equatable {
        package var name: String
        package var done: Int
        /// What there is to do; nil: that is not known.
        package var total: Int?
        /// Per second; nil: it has just begun.
        package var rate: Double?

        package init(name: String, done: Int, total: Int?, rate: Double? = nil) {
            (self.name, self.done, self.total, self.rate) = (name, done, total, rate)
        }
    }

    package var stage: String
    package var parts: [Part]
    /// What it waits for; nil: nothing.
    package var waiting: String?

    package init(stage: String, parts: [Part], waiting: String? = nil) {
        (self.stage, self.parts, self.waiting) = (stage, parts, waiting)
    }

    /// Seconds until the slowest part is done; nil: it is not known.
    package var secondsLeft: Double? {
        let open = parts.filter { part in part.total.map { $0 > part.done } ?? false }
        guard parts.contains(where: { $0.total != nil }) else { return nil }
        var longest = 0.0
        for part in open {
            guard let total = part.total, let rate = part.rate, rate > 0 else { return nil }
            longest = max(longest, Double(total - part.done) / rate)
        }
        return longest
    }

    package var json: JSONValue {
        [
            "stage": .string(stage),
            "parts": .array(
                parts.map { part in
                    [
                        "name": .string(part.name), "done": .number(part.done),
                        "total": part.total.map { .number($0) } ?? .null, "per_second": Self.json(part.rate),
                    ]
                }),
            "seconds_left": Self.json(secondsLeft), "waiting": waiting.map { .string($0) } ?? .null,
        ]
    }

    /// Whole numbers: more would claim too much.
    private static func json(_ number: Double?) -> JSONValue {
        number.flatMap { Int64(exactly: $0.rounded()) }.map { .number($0) } ?? .null
    }

    /// nil: this version does not understand it.
    package init?(json: JSONValue) {
        guard let stage = json["stage"]?.string else { return nil }
        self.stage = stage
        waiting = json["waiting"]?.string
        parts = (json["parts"]?.array ?? []).compactMap { part in
            guard let name = part["name"]?.string, let done = part["done"]?.size else { return nil }
            return Part(
                name: name, done: done, total: part["total"]?.size,
                rate: part["per_second"]?.count.map { Double(min($0, 1_000_000_000)) })
        }
    }
}
