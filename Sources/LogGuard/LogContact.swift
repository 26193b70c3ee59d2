import CommandLog

/// Whether the brokers answer, and where the log ends as far as they have said: what the one who asks them knows.
///
/// A question that stays without an answer is as telling as an error: a broker that hangs gives none. All times are of
/// a clock that never goes back, in milliseconds.
package struct LogContact: Sendable, Equatable {
    /// So long may a question take before it is said that nobody answers.
    package static let patience: Int64 = 3000
    /// Ends that are older say nothing of now: whoever asks has been held up.
    package static let freshFor: Int64 = 15_000

    /// When the first question was asked that nobody has answered since; nil: the last one was answered.
    private var unanswered: Int64?
    /// What the last question failed with; nil: it was answered, or is still open.
    private var failure: String?
    private var ends: [Int32: Int64] = [:]
    private var endsAt: Int64?

    package mutating func ask(now: Int64) { unanswered = unanswered ?? now }

    /// `ends`: what partitions' ends the answer told; nil: it was about something else.
    package mutating func answer(_ ends: [Int32: Int64]? = nil, now: Int64) {
        unanswered = nil
        failure = nil
        guard let ends else { return }
        self.ends = ends
        endsAt = now
    }

    /// The question failed. A broker that says no has answered; what it said is still no end.
    package mutating func fail(_ error: LogError, now: Int64) {
        ask(now: now)
        switch error.code {
        case .unreachable, .timedOut: failure = LogContact.silence
        // That there is no such topic is judged by who asks.
        case .missingTopic: answer(now: now)
        default: failure = "the brokers do not tell where the log ends: \(error.message)"
        }
    }

    private static let silence = "no broker answers"

    /// What keeps us from knowing the log; nil: nothing does.
    package func trouble(now: Int64) -> String? {
        guard let unanswered else { return nil }
        if let failure, failure != Self.silence { return failure }
        guard now - unanswered >= Self.patience else { return nil }
        return "\(Self.silence) (for \((now - unanswered) / 1000) s)"
    }

    /// The end of each partition asked about; nil: it is not known at present.
    package func ends(now: Int64) -> [Int32: Int64]? {
        guard trouble(now: now) == nil, let endsAt, now - endsAt <= Self.freshFor else { return nil }
        return ends
    }
}
