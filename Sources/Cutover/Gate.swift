import JSONText

/// One condition for moving the readers, or for the end.
package struct Gate: Sendable, Equatable {
    /// In the order in which they are shown.
    package enum Name: String, Sendable, CaseIterable {
        case initialised, state, confirmed, indices, aliases, copied, replayed, repaired, followed, waiting, lag
        case deadLetters = "dead_letters"
        case alarms, receipt
        case foreignWrites = "foreign_writes"
        case sourceWrites = "source_writes"
        case filter, health, settings, rights, writers
        case wayBack = "way_back"
        case programs, hold, warm, before
        // Those of the end.
        case rolledOver = "rolled_over"
        case members, handover
        case oldSide = "old_side"

        /// What cannot be overridden: without these there is nothing to move, or nothing to move it to; and at the end,
        /// something would be lost.
        package var isRequired: Bool { Self.required.contains(self) }

        private static let required: Set<Name> = [
            .initialised, .state, .indices, .aliases, .programs, .rolledOver, .members, .handover, .oldSide,
        ]

        /// Those of a rollover that somebody may override.
        package static let ofRollover = allCases.filter { !$0.isRequired }
        /// Those of the end that somebody may override.
        package static let ofEnd: [Name] = [
            .confirmed, .copied, .replayed, .repaired, .lag, .deadLetters, .receipt, .foreignWrites, .settings,
            .rights,
        ]
    }

    package enum Verdict: String, Sendable, CaseIterable {
        case passed, failed
        /// It fails, and somebody said why that is right here.
        case overridden
    }

    package var name: Name
    package var verdict: Verdict
    /// What was found, with its numbers.
    package var text: String
    /// The command line or the act that mends it; nil: there is none.
    package var mend: String?

    package init(_ name: Name, _ verdict: Verdict, _ text: String, mend: String? = nil) {
        (self.name, self.verdict, self.text, self.mend) = (name, verdict, text, mend)
    }

    package static func passed(_ name: Name, _ text: String) -> Gate { Gate(name, .passed, text) }

    package static func failed(_ name: Name, _ text: String, mend: String? = nil) -> Gate {
        Gate(name, .failed, text, mend: mend)
    }

    /// The gates with those overridden that `names` names.
    package static func judged(_ gates: [Gate], overriding names: Set<Name>) -> [Gate] {
        gates.map { gate in
            var gate = gate
            if gate.verdict == .failed, !gate.name.isRequired, names.contains(gate.name) { gate.verdict = .overridden }
            return gate
        }
    }

    package var json: JSONValue {
        [
            "gate": .string(name.rawValue), "verdict": .string(verdict.rawValue), "text": .string(text),
            "mend": mend.map { .string($0) } ?? .null,
        ]
    }
}
