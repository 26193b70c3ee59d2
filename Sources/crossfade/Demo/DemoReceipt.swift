import JSONText

/// The result of the demo.
struct DemoReceipt {
    let seed: UInt64
    var written: [DemoRecord.Kind: Int] = [:]
    var comparison: DemoComparison?
    var oldDocuments = 0
    var oldFields = 0
    var newFields = 0
    var deadLetters = 0
    /// What `crossfade verify` found; nil: it has not run.
    var verdict: String?
    /// Documents that it compared.
    var verified = 0
    /// The reason why the new cluster refuses the unchanged documents; nil: it accepts them.
    var refusal: String?
    /// Searches in the old and the new cluster while the readers moved, and how many went wrong.
    var searches = (old: 0, new: 0, wrong: 0)
    var largestLag = 0
    /// Seconds from the restart of the follower until it had applied everything that was written before the restart.
    var recovery = 0.0
    var seconds = 0.0

    init(seed: UInt64) { self.seed = seed }

    var total: Int { written.values.reduce(0, +) }

    /// Whether the new index is right: every document, and one dead letter for every broken command.
    var passed: Bool {
        comparison?.differences == 0 && (comparison?.compared ?? 0) > 0 && verdict == "equal"
            && deadLetters == written[.broken, default: 0]
    }

    func show(_ screen: DemoScreen) {
        let comparison = comparison
        let number = DemoScreen.grouped
        screen.table(
            [
                ("documents compared", number(comparison?.compared ?? 0)),
                ("differences", number(comparison?.differences ?? 0)),
                ("verify compared", number(verified)),
                ("fields in the old mapping", number(oldFields)),
                ("fields in the new mapping", number(newFields)),
                ("commands written", number(total)),
                ("broken commands", number(written[.broken, default: 0])),
                ("dead letters", number(deadLetters)),
                ("searches while readers moved", number(searches.old + searches.new)),
                ("of them wrong", number(searches.wrong)),
                ("largest lag, in commands", number(largestLag)),
                ("recovery after kill -9", Self.seconds(recovery)),
                ("whole story", Self.seconds(seconds)),
            ], numbers: true)
        screen.line()
        for example in comparison?.examples ?? [] { screen.line("  " + example, .bad) }
        if passed {
            screen.line("Every document is what the commands say, though the follower was killed.", .good)
            screen.line("verify says: equal. The readers are on the new side.", .good)
        } else if comparison?.differences == 0, verdict != "equal" {
            screen.line("verify says: \(verdict ?? "nothing").", .bad)
        } else if comparison?.differences == 0 {
            screen.line("The dead letters are not the broken commands.", .bad)
        } else {
            screen.line("The new index is not what the commands say.", .bad)
        }
    }

    private static func seconds(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10) s"
    }

    /// `timing` differs from run to run. Everything else is the same for the same seed.
    var json: JSONValue {
        let kinds = DemoRecord.Kind.allCases.map { ($0.rawValue, JSONValue.number(written[$0, default: 0])) }
        return [
            "command": "demo", "passed": .bool(passed), "seed": .number(String(seed)),
            "documents": [
                "compared": .number(comparison?.compared ?? 0), "old": .number(oldDocuments),
                "missing": .number(comparison?.missing ?? 0), "extra": .number(comparison?.extra ?? 0),
                "different": .number(comparison?.different ?? 0),
            ],
            "differences": .number(comparison?.differences ?? 0),
            "examples": .array((comparison?.examples ?? []).map { .string($0) }),
            "verify": ["verdict": verdict.map { .string($0) } ?? .null, "compared": .number(verified)],
            "fields": ["old": .number(oldFields), "new": .number(newFields)],
            "commands": .object(JSONObject([("written", .number(total))] + kinds)),
            "dead_letters": .number(deadLetters),
            "cutover": [
                "searched_old": .bool(searches.old > 0), "searched_new": .bool(searches.new > 0),
                "wrong": .number(searches.wrong),
            ],
            "refused_as_they_are": refusal.map { .string($0) } ?? .null,
            "timing": [
                "largest_lag": .number(largestLag), "recovery_seconds": .number(Self.decimal(recovery)),
                "seconds": .number(Self.decimal(seconds)),
            ],
        ]
    }

    private static func decimal(_ value: Double) -> String { String(seconds(value).dropLast(2)) }
}
